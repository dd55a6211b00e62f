"""Which models keep their arrays on a device, and where the parts of these run."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model import device_model
from parakeet_streaming.model.device_decoder import DeviceNetworks
from parakeet_streaming.model.device_model import decoder_provider, on_device
from parakeet_streaming.model.graphs import as_it_is
from parakeet_streaming.runtime.session import open_session
from tests.catalog.graphs import GOLDEN, TINY_EN, int8_folder, three_file_folder
from tests.model.devices import kept_there, open_three_file_folder


def made(folder, wrap=kept_there, **changes):
    parts = find_parts(folder)
    spec = replace(read_spec(parts), **changes)
    encoder = wrap(open_session(parts.encoder.path, provider="cpu", threads=1), "encoder")
    return on_device(encoder, parts, spec, "cpu", wrap)


def test_models_of_either_layout_are_kept_there(tmp_path):
    for folder in (GOLDEN, TINY_EN, open_three_file_folder(tmp_path / "open")):
        _, networks = made(folder)
        assert isinstance(networks, DeviceNetworks)
    assert made(three_file_folder(tmp_path / "one")) is None


def test_on_the_processor_nothing_is_kept_on_a_device():
    assert made(GOLDEN, as_it_is) is None


def test_sessions_that_are_wrapped_keep_nothing():
    """What measures or checks sessions sees all of their outputs."""
    assert made(GOLDEN, lambda session, role: object()) is None

    def but_the_encoder(session, role):
        return kept_there(session, role) if role == "encoder" else object()

    assert made(GOLDEN, but_the_encoder) is None


def test_a_decoder_elsewhere_is_not_mixed_with_the_encoder():
    def but_the_joint(session, role):
        return session if role == "joint" else kept_there(session, role)

    assert made(GOLDEN, but_the_joint) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"rows_independent": False},
        {"predictor_batch_one": True},
    ],
)
def test_rows_that_cannot_share_a_call_are_not_kept(changes):
    assert made(GOLDEN, **changes) is None


def test_weights_rounded_by_the_call_and_old_operators_are_not_kept(monkeypatch):
    assert made(int8_folder()) is None
    monkeypatch.setattr(device_model, "opset_of", lambda model: 12)
    assert made(GOLDEN) is None


def test_tensorrt_runs_the_encoder_alone():
    assert decoder_provider("TensorRT") == decoder_provider("trt") == "cuda"
    assert [decoder_provider(each) for each in ("auto", "cpu", "cuda")] == ["auto", "cpu", "cuda"]


def test_a_loaded_model_hears_the_same(golden_folder):
    """And its streams go on on the processor, and back."""
    samples, _ = soundfile.read(golden_folder / "audio" / "jfk.wav", dtype="float32")
    plain, kept = (load(TINY_EN, provider="cpu", wrap=each) for each in (as_it_is, kept_there))
    assert kept.transcribe(samples).text == plain.transcribe(samples).text
    whole = plain.stream()
    whole.feed(samples)
    whole.finish()
    for first, second in ((plain, kept), (kept, plain)):
        stream = first.stream()
        stream.feed(samples[:70_000])
        stream = second.restore(stream.snapshot())
        stream.feed(samples[70_000:])
        stream.finish()
        assert [each.id for each in stream.transcript().tokens] == [
            each.id for each in whole.transcript().tokens
        ]


def test_tensors_that_are_not_float32_are_not_kept():
    parts = find_parts(GOLDEN)
    spec = read_spec(parts)
    inputs = tuple(
        replace(each, dtype=np.dtype("f2")) if each.name == spec.names.hidden else each
        for each in parts.decoder.graph.inputs
    )
    graph = replace(parts.decoder.graph, inputs=inputs)
    half = replace(parts, decoder=replace(parts.decoder, graph=graph))
    encoder = kept_there(open_session(parts.encoder.path, provider="cpu", threads=1), "encoder")
    assert on_device(encoder, half, spec, "cpu", kept_there) is None
