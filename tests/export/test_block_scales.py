"""A decoder_joint's products and LSTM in int8 of which no row knows the others."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from parakeet_streaming.export.block_scales import BLOCK, scale_blocks
from parakeet_streaming.runtime.session import open_session

DEPTH = 100
"""Not a whole number of blocks."""
COLUMNS, HIDDEN, INPUTS = 48, 32, 40


@pytest.fixture(scope="module")
def generator():
    return np.random.default_rng(5)


def opened(path):
    return open_session(path, provider="cpu", threads=1)


def saved(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save_model(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture(scope="module")
def product(generator, tmp_path_factory):
    """x · A with a constant A, and x · xᵀ: files in float32 and int8."""
    folder = tmp_path_factory.mktemp("product")
    matrix = generator.normal(size=(DEPTH, COLUMNS)) * generator.uniform(0.1, 2, size=COLUMNS)
    source = saved(
        folder / "float.onnx",
        [
            helper.make_node("MatMul", ["x", "a"], ["y"]),
            helper.make_node("Transpose", ["x"], ["turned"], perm=[1, 0]),
            helper.make_node("MatMul", ["x", "turned"], ["square"]),
        ],
        [("x", TensorProto.FLOAT, ["B", DEPTH])],
        ["y", "square"],
        {"a": matrix.astype(np.float32)},
    )
    scale_blocks(source, folder / "int8.onnx")
    return source, folder / "int8.onnx"


@pytest.fixture(scope="module")
def rows(generator):
    """Rows of very different size, one of them silent."""
    sizes = np.array([1, 100, 0, 0.01, 3])[:, None]
    return (generator.normal(size=(5, DEPTH)) * sizes).astype(np.float32)


def test_products_are_near_those_in_float(product, rows):
    exact, near = (opened(path).run({"x": rows}) for path in product)
    for row in range(len(rows)):
        largest = np.abs(exact["y"][row]).max()
        assert np.abs(near["y"][row] - exact["y"][row]).max() <= 0.04 * largest
    np.testing.assert_array_equal(near["square"], exact["square"])


def test_no_row_depends_on_the_others(product, rows):
    session = opened(product[1])
    together = session.run({"x": rows})["y"]
    for row in range(len(rows)):
        alone = session.run({"x": rows[row : row + 1]})["y"]
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, atol=1e-7)


def test_weights_keep_within_the_steps_that_were_asked_for(product, tmp_path):
    for top in (31, 63):
        scale_blocks(product[0], tmp_path / "int8.onnx", top=top)
        weights = {
            each.name: numpy_helper.to_array(each)
            for each in onnx.load(tmp_path / "int8.onnx").graph.initializer
        }
        assert "a" not in weights
        values = weights["y.int8"].astype(int) - 128
        assert values.shape == (COLUMNS, -(-DEPTH // BLOCK), BLOCK)
        assert np.abs(values).max(axis=2).min() == np.abs(values).max() == top


@pytest.fixture(scope="module")
def network(generator, tmp_path_factory):
    """Two LSTMs, one after the other: files in float32 and int8."""
    folder = tmp_path_factory.mktemp("network")
    constants = {}
    for layer, inputs in enumerate((INPUTS, HIDDEN)):
        sizes = {"w": (1, 4 * HIDDEN, inputs), "r": (1, 4 * HIDDEN, HIDDEN), "b": (1, 8 * HIDDEN)}
        for name, size in sizes.items():
            constants[f"{name}{layer}"] = generator.normal(size=size, scale=0.3).astype(np.float32)
    constants["axis"] = np.array([1])
    nodes = []
    for layer, read in enumerate(("x", "squeezed0")):
        weights = [f"{name}{layer}" for name in "wrb"]
        states, given = [f"h{layer}", f"c{layer}"], [f"y{layer}", f"hn{layer}", f"cn{layer}"]
        nodes.append(
            helper.make_node("LSTM", [read, *weights, "", *states], given, hidden_size=HIDDEN)
        )
        nodes.append(helper.make_node("Squeeze", [f"y{layer}", "axis"], [f"squeezed{layer}"]))
    inputs = [("x", TensorProto.FLOAT, [1, "B", INPUTS])]
    inputs += [
        (f"{state}{n}", TensorProto.FLOAT, [1, "B", HIDDEN]) for n in (0, 1) for state in "hc"
    ]
    outputs = ["squeezed1", "hn0", "cn0", "hn1", "cn1"]
    source = saved(folder / "float.onnx", nodes, inputs, outputs, constants)
    scale_blocks(source, folder / "int8.onnx", top=127)
    return source, folder / "int8.onnx"


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_an_lstm_written_out_gives_what_it_gave(network, generator, batch):
    feeds = {"x": generator.normal(size=(1, batch, INPUTS)).astype(np.float32)}
    for state in ("h0", "c0", "h1", "c1"):
        feeds[state] = generator.uniform(-0.9, 0.9, size=(1, batch, HIDDEN)).astype(np.float32)
    exact, near = (opened(path).run(feeds) for path in network)
    assert exact.keys() == near.keys()
    for name, values in exact.items():
        assert near[name].shape == values.shape
        np.testing.assert_allclose(near[name], values, atol=0.05)


def test_nothing_of_an_lstm_is_left_in_float(network):
    graph = onnx.load(network[1]).graph
    assert "LSTM" not in {node.op_type for node in graph.node}
    floats = [each for each in graph.initializer if each.data_type == TensorProto.FLOAT]
    assert max(np.prod(each.dims) for each in floats) <= 4 * HIDDEN * 4
