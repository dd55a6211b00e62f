"""Names of nodes and constants, and the weights that they stand for."""

import numpy as np
import pytest
from onnx import helper

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_runtime.onnx_constants import Constants
from parakeet_streaming.torch_runtime.onnx_places import weights_of
from tests.torch_runtime.test_onnx_constants import model_of


def found(*nodes, **arrays):
    renamed = {name.replace("__", "::"): each for name, each in arrays.items()}
    model = model_of(nodes, **renamed)
    return weights_of(model, Constants(model, "here"))


def node(kind, name, *inputs, output="y"):
    return helper.make_node(kind, ["x", *inputs], [output], name=name)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("/layers.0/self_attn/linear_q/MatMul", "layers.0.self_attn.linear_q"),
        ("/joint/joint_net/joint_net.2/MatMul", "joint.joint_net.2"),
        ("/encoder/keys/MatMul", "encoder.layers.0.attention.keys"),
        ("/encoder/keys_11/MatMul", "encoder.layers.11.attention.keys"),
        (
            "/encoder/feed_forward_out/narrow_2/MatMul",
            "encoder.layers.2.feed_forward_out.narrow",
        ),
        ("/encoder/gated_1/MatMul", "encoder.layers.1.convolution.gated"),
        ("/encoder/subsampling/out/MatMul", "encoder.subsampling.out"),
    ],
)
def test_a_product_has_the_place_of_its_node(name, place):
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    weights = found(node("MatMul", name, "onnx::MatMul_1"), onnx__MatMul_1=matrix)
    assert list(weights) == [f"{place}.weight"]
    np.testing.assert_array_equal(weights[f"{place}.weight"], matrix.T)


def test_a_node_without_a_name_has_that_of_its_output():
    product = node("MatMul", "", "onnx::M", output="/joint/out/MatMul_output_0.ratio")
    assert list(found(product, onnx__M=np.zeros((2, 3), np.float32))) == ["joint.out.weight"]


def test_convolutions():
    weights = found(
        node("Conv", "/pre_encode/conv/conv.3/Conv", "onnx::C", "onnx::D"),
        onnx__C=np.zeros((2, 1, 3), np.float32),
        onnx__D=np.zeros(2, np.float32),
    )
    assert list(weights) == ["pre_encode.conv.3.weight", "pre_encode.conv.3.bias"]


def test_kept_names_stay():
    weights = found(
        helper.make_node("Conv", ["x", "a.weight", "a.bias"], ["y"], name="/b/Conv"),
        helper.make_node("Add", ["y", "c.pos_bias_u"], ["z"], name="/c/Add"),
        helper.make_node("Reshape", ["z", "shape"], ["s"], name="/d/Reshape"),
        **{
            "a.weight": np.zeros((1, 1, 1), np.float32),
            "a.bias": np.zeros(1, np.float32),
            "c.pos_bias_u": np.zeros((2, 3), np.float32),
            "shape": np.zeros(1, np.int64),
        },
    )
    assert list(weights) == ["a.weight", "a.bias", "c.pos_bias_u"]


def test_a_batch_norm_and_biases_without_names():
    weights = found(
        node("Mul", "/e/layers.0/convolution/batch_norm/Mul", "onnx::Mul_1"),
        node("Add", "/e/layers.0/convolution/batch_norm/Add", "onnx::Add_2"),
        node("Add", "/e/layers.0/attention/Add_3", "onnx::Add_3"),
        node("Add", "/e/layers.1/attention/Add_3", "onnx::Add_4"),
        onnx__Mul_1=np.ones(4, np.float32),
        onnx__Add_2=np.zeros(4, np.float32),
        onnx__Add_3=np.zeros((2, 1, 2), np.float32),
        onnx__Add_4=np.ones((2, 1, 2), np.float32),
    )
    norm = "e.layers.0.convolution.batch_norm"
    assert list(weights) == [
        f"{norm}.scale",
        f"{norm}.shift",
        "content_bias.0",
        "content_bias.1",
    ]


def test_gates_of_an_lstm():
    weight = np.arange(8, dtype=np.float32).reshape(1, 8, 1)
    bias = np.arange(16, dtype=np.float32)[None]
    nodes = [
        helper.make_node(
            "LSTM", ["x", "onnx::W", "onnx::R", "onnx::B"], ["y"], name="/p/lstm/LSTM"
        ),
        helper.make_node(
            "LSTM", ["y", "onnx::W", "onnx::R", "onnx::B"], ["z"], name="/p/lstm/LSTM_1"
        ),
    ]
    weights = found(*nodes, onnx__W=weight, onnx__R=weight, onnx__B=bias)
    # Input, output, forget, candidate become input, forget, candidate, output.
    order = [0, 1, 4, 5, 6, 7, 2, 3]
    for layer in (0, 1):
        assert weights[f"p.lstm.weight_ih_l{layer}"][:, 0].tolist() == order
        assert weights[f"p.lstm.bias_ih_l{layer}"].tolist() == order
        assert weights[f"p.lstm.bias_hh_l{layer}"].tolist() == [8 + at for at in order]
