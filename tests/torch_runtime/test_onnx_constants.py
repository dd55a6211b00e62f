"""Constants of graphs, however they are stored."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_runtime.onnx_constants import Constants, read_by


def model_of(nodes=(), **arrays):
    tensors = [numpy_helper.from_array(np.asarray(each), name) for name, each in arrays.items()]
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(list(nodes), "g", [], [value], tensors)
    return helper.make_model(graph)


def constants(nodes=(), **arrays):
    return Constants(model_of(nodes, **arrays), "here")


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_plain_ones(dtype):
    found = constants(w=np.array([0.5, -2], dtype))
    assert found.floats("w").dtype == np.float32
    assert found.floats("w").tolist() == [0.5, -2]
    assert found.rounded == (dtype == np.float16)
    assert "w" in found
    assert "x" not in found


def test_of_a_quantiser():
    found = constants(
        w_quantized=np.array([[130, 5], [128, 7]], np.uint8),
        w_scale=np.array([0.5, 2], np.float32),
        w_zero_point=np.array([128, 5], np.uint8),
    )
    assert found.floats("w_quantized").tolist() == [[1, 0], [0, 4]]
    assert found.rounded


def test_one_scale_for_all():
    found = constants(
        w_quantized=np.array([[1, -2]], np.int8),
        w_scale=np.float32(0.5),
        w_zero_point=np.int8(0),
    )
    assert found.floats("w_quantized").tolist() == [[0.5, -1]]


def test_dequantised_in_the_graph():
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s"], ["w"], axis=1),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["v"], axis=0),
    ]
    found = constants(
        nodes,
        q=np.array([[1, -2], [3, 4]], np.int8),
        s=np.array([0.5, 2], np.float32),
        z=np.array([0, 4], np.int8),
    )
    assert found.floats("w").tolist() == [[0.5, -4], [1.5, 8]]
    assert found.floats("v").tolist() == [[0.5, -1], [-2, 0]]


def block_node(bits=8, **more):
    return helper.make_node(
        "MatMulNBits", ["x", "b", "s"], ["y"], domain="com.microsoft", K=3, N=2, bits=bits, **more
    )


def test_blocks():
    node = block_node(block_size=2)
    found = constants(
        b=np.array([[[129, 127], [130, 0]], [[128, 138], [128, 0]]], np.uint8),
        s=np.array([0.5, 1, 2, 4], np.float32),
    )
    assert found.blocks(node).tolist() == [[0.5, -0.5, 2], [0, 20, 0]]
    assert found.rounded


def test_forms_that_are_refused():
    found = constants(i=np.array([1, 2]), w_quantized=np.zeros((2, 2), np.int8))
    with pytest.raises(ModelFormatError, match="in a form that torch does not take"):
        found.floats("i")
    with pytest.raises(ModelFormatError, match="lacks the constant 'w_scale'"):
        found.floats("w_quantized")
    with pytest.raises(ModelFormatError, match="4 bits"):
        found.blocks(block_node(bits=4))


def test_inputs_that_are_constants():
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"])
    assert read_by(node, constants(w=np.zeros(1), b=np.zeros(1))) == {1: "w", 2: "b"}
    assert onnx.helper.make_node("Conv", [], []).op_type == "Conv"
