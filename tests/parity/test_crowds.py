"""Hundreds of streams of one model, in windows and cached: each gives what it gives alone."""

import numpy as np
import pytest
import soundfile

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from tests.parity.crowds import check_a_crowd

RUNTIMES = ("onnxruntime", "openvino")


@pytest.fixture(scope="module")
def speech(golden_folder):
    """Recordings of the golden cases, (n,) at 16 kHz."""
    names = ["cards", "espeak", "jfk", "librivox-short"]
    return [
        soundfile.read(golden_folder / "audio" / f"{name}.wav", dtype="float32")[0]
        for name in names
    ]


@pytest.fixture(scope="module")
def cached_folder(golden_folder, tmp_path_factory):
    """The golden archive, exported with an encoder that keeps its past."""
    pytest.importorskip("torch", reason="the export extra")
    from parakeet_streaming.export.onnx_files import write_model
    from parakeet_streaming.torch_model.nemo import read_nemo

    folder = tmp_path_factory.mktemp("cached") / "model"
    write_model(*read_nemo(golden_folder / "tdt-tiny.nemo"), folder, cached=True)
    return folder


def test_hundreds_in_windows(golden_recognizer, speech):
    assert check_a_crowd(golden_recognizer, speech, count=200, seed=0) > 400


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_hundreds_cached(cached_folder, speech, runtime):
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra")
    recognizer = load(cached_folder, runtime=runtime, threads=1)
    assert check_a_crowd(recognizer, speech, count=200, seed=1, cached=True) > 400


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_cached_encoder_is_nemos(cached_folder, golden_folder, speech, runtime):
    """One step over everything: the frames of NeMo's own export of the same weights."""
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra")
    theirs = _encoder(golden_folder / "tdt-tiny-onnx", "onnxruntime", OnnxEncoder)
    ours = _encoder(cached_folder, runtime, OnnxCachedEncoder)
    for samples in speech:
        expected = theirs.encode([EncoderInput(samples)])
        found = ours.encode([EncoderInput(samples)])
        assert found.lengths == expected.lengths
        np.testing.assert_allclose(found.frames[0], expected.frames[0], rtol=0, atol=1e-4)


def _encoder(folder, runtime, kind):
    parts = find_parts(folder)
    session = open_session(parts.encoder.path, runtime=runtime, threads=1)
    return kind(session, read_spec(parts))
