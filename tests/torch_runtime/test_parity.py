"""Networks beside the graphs that they came from: a weight out of place is found."""

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

import copy

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.resolve import built_in_models
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.load import open_decoder_joint
from parakeet_streaming.model.graphs import encoder_of
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_runtime.onnx_networks import read_onnx
from parakeet_streaming.torch_runtime.parity import require_parity


def graphs(folder):
    parts = find_parts(folder)
    spec = read_spec(parts)
    encoder = encoder_of(open_session(parts.encoder.path, threads=1), parts, spec)
    return parts, spec, encoder, open_decoder_joint(parts, spec, "cpu")


@pytest.fixture(scope="module")
def small(small_folder):
    _, _, *pair = graphs(small_folder)
    return pair


def test_the_same(small_model, small):
    require_parity(small_model, *small, rounded=False, origin="here")


def swapped(model, one, other):
    names = dict(model.named_parameters())
    with torch.no_grad():
        kept = names[one].clone()
        names[one].copy_(names[other])
        names[other].copy_(kept)


@pytest.mark.parametrize(
    "pair",
    [
        ("keys.weight", "values.weight"),
        ("queries.weight", "positions.weight"),
        ("content_bias", "position_bias"),
    ],
    ids=str,
)
def test_weights_in_wrong_places(small_model, small, pair):
    model = copy.deepcopy(small_model)
    swapped(model, *(f"encoder.layers.1.attention.{name}" for name in pair))
    with pytest.raises(ModelFormatError, match="here: the encoder answers otherwise"):
        require_parity(model, *small, rounded=False, origin="here")


def test_gates_in_another_order(small_model, small):
    model = copy.deepcopy(small_model)
    weight = model.predictor.lstm.weight_ih_l0
    with torch.no_grad():
        weight.copy_(weight.roll(16, dims=0))
    with pytest.raises(ModelFormatError, match="the prediction network answers otherwise"):
        require_parity(model, *small, rounded=False, origin="here")


def test_another_joint(small_model, small):
    model = copy.deepcopy(small_model)
    with torch.no_grad():
        model.joint.out.bias.add_(1)
    with pytest.raises(ModelFormatError, match="the joint answers otherwise"):
        require_parity(model, *small, rounded=False, origin="here")


def test_rounding_is_allowed_where_there_is_some():
    parts, spec, *pair = graphs(built_in_models()["tiny-en"])
    networks = read_onnx(parts, spec)
    require_parity(networks.model, *pair, rounded=True, origin="here")
    with pytest.raises(ModelFormatError, match="answers otherwise"):
        require_parity(networks.model, *pair, rounded=False, origin="here")
    swapped(
        networks.model,
        "encoder.layers.4.attention.keys.weight",
        "encoder.layers.4.attention.values.weight",
    )
    with pytest.raises(ModelFormatError, match="answers otherwise"):
        require_parity(networks.model, *pair, rounded=True, origin="here")
