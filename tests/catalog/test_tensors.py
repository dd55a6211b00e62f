"""Nodes and tensors wherever a model has them, and where their values lie."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from parakeet_streaming.catalog.tensors import Stretch, nodes_of, outside, tensors_of
from tests.catalog.graphs import external


def constant(name):
    return numpy_helper.from_array(np.zeros(1, np.float32), name)


def test_nested_graphs_and_functions_are_searched():
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=constant("value"))],
        "inner",
        [],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, None)],
        [constant("nested")],
    )
    branch = helper.make_node("If", ["condition"], ["y"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([branch], "outer", [], [], [constant("outer")])
    opset = helper.make_opsetid("", 17)
    node = helper.make_node("Constant", [], ["d"], value=constant("of a function"))
    function = helper.make_function("own", "F", [], ["d"], [node], [opset])
    model = helper.make_model(graph, functions=[function], opset_imports=[opset])
    assert [each.op_type for each in nodes_of(model)] == ["If", *["Constant"] * 3]
    found = {tensor.name for tensor in tensors_of(model)}
    assert found == {"outer", "nested", "value", "of a function"}


def test_a_tensor_of_the_graph_s_own_file():
    assert outside(constant("a")) is None


def test_a_tensor_of_another_file():
    place = outside(external("a", "a.data", 40))
    assert place == Stretch("a.data", 0, 40)
    assert place.end == 40


def test_a_tensor_that_is_all_of_another_file():
    tensor = onnx.TensorProto(name="a", data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="a.data")
    assert outside(tensor) == Stretch("a.data", 0, None)


@pytest.mark.parametrize(("key", "value"), [("offset", "-1"), ("length", "-4"), ("offset", "x")])
def test_a_place_that_cannot_be(key, value):
    tensor = onnx.TensorProto(name="a", data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key=key, value=value)
    with pytest.raises(ValueError, match=r"negative|invalid literal"):
        outside(tensor)


def test_a_place_that_is_said_twice():
    """One reader takes the first of two entries, another the last."""
    tensor = external("a", "a.data", 40)
    tensor.external_data.add(key="location", value="b.data")
    with pytest.raises(ValueError, match="twice"):
        outside(tensor)
