"""Networks read from graphs of every layout that is known; others are refused."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.resolve import built_in_models
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.export.quantise import write_int8
from parakeet_streaming.torch_model.nemo import read_nemo
from parakeet_streaming.torch_runtime.onnx_networks import read_onnx


def read(folder):
    parts = find_parts(folder)
    return read_onnx(parts, read_spec(parts))


def assert_alike(found, expected, close=1e-6):
    """Both compute the same."""
    torch.manual_seed(0)
    features = torch.randn(2, expected.config.encoder.mel_bins, 90)
    lengths = torch.tensor([90, 61])
    tokens = torch.tensor([[1, 2, 0], [3, 3, 1]])
    config = expected.config
    state = torch.zeros(config.predictor_layers, 2, config.predictor_width)
    answers = []
    with torch.inference_mode():
        for model in (found, expected):
            frames, _ = model.encoder(features, lengths)
            histories, *states = model.predictor(tokens, state, state)
            answers.append((frames[0], frames[1, :8], model.joint(frames, histories), *states))
    for ours, theirs in zip(*answers, strict=True):
        if len(ours.shape) < 4:  # of padding, the joint scores anything
            torch.testing.assert_close(ours, theirs, rtol=0, atol=close * float(theirs.std()) * 20)


def test_our_export(small_model, small_folder):
    networks = read(small_folder)
    assert not networks.rounded
    assert_alike(networks.model, small_model)


def test_our_export_of_one_step(small_model, cached_folder):
    assert_alike(read(cached_folder).model, small_model)


def test_nemos_export(golden_folder):
    expected, _ = read_nemo(golden_folder / "tdt-tiny.nemo")
    networks = read(golden_folder / "tdt-tiny-onnx")
    assert networks.model.config == expected.config
    assert_alike(networks.model, expected)


@pytest.mark.parametrize("scale", ["call", "row"])
@pytest.mark.filterwarnings("ignore")  # of ONNX Runtime's quantiser
def test_eight_bits(small_model, small_folder, tmp_path, scale):
    write_int8(small_folder, tmp_path, scale=scale)
    networks = read(tmp_path)
    assert networks.rounded
    assert_alike(networks.model, small_model, close=0.02)


def test_the_built_in_model():
    networks = read(built_in_models()["tiny-en"])
    assert networks.rounded
    assert networks.model.config.encoder.layers == 10


def test_another_layout(small_folder, tmp_path):
    for path in small_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "encoder-model.onnx"
    model = onnx.load(path)
    kept = {each.name for each in (*model.graph.input, *model.graph.output)}
    kept |= {each.name for each in model.graph.initializer}

    def bare(name):
        return name if name in kept else name.replace("/", "_")

    for number, node in enumerate(model.graph.node):
        node.name = f"node_{number}"
        node.input[:] = [bare(name) for name in node.input]
        node.output[:] = [bare(name) for name in node.output]
    onnx.save(model, path)
    with pytest.raises(ModelFormatError, match=r"no weights where a Parakeet has them|do not fit"):
        read(tmp_path)


def test_a_blank_elsewhere(small_folder):
    parts = find_parts(small_folder)
    spec = read_spec(parts)
    moved = replace(spec.vocabulary, blank_id=3)
    with pytest.raises(ModelFormatError, match="blank"):
        read_onnx(parts, replace(spec, vocabulary=moved))


def test_weights_are_copies(small_folder):
    """Of a file that may go away."""
    networks = read(small_folder)
    weight = networks.model.joint.out.weight.detach()
    before = weight.clone()
    assert np.isfinite(before.numpy()).all()
    assert torch.equal(before, weight)
