"""Matrix products in int8 of which no row knows the others."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.precision import precision_of
from parakeet_streaming.export.row_scales import scale_rows
from parakeet_streaming.runtime.session import open_session

INPUTS, WIDTH = 48, 80


@pytest.fixture(scope="module")
def generator():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def matrices(generator):
    wide = generator.normal(size=(2, INPUTS, WIDTH)) * generator.uniform(0.1, 2, size=WIDTH)
    return wide.astype(np.float32)


@pytest.fixture(scope="module")
def rows(generator):
    """Rows of very different size, one of them silent."""
    sizes = np.array([1, 100, 0, 0.01])[:, None, None]
    return (generator.normal(size=(4, 5, INPUTS)) * sizes).astype(np.float32)


def written(path, matrices, *, beside=""):
    """x · A, x · B, and x · xᵀ, which has no constant matrix."""
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["y"]),
        helper.make_node("MatMul", ["x", "b"], ["z"]),
        helper.make_node("Transpose", ["x"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "turned"], ["square"]),
    ]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", "U", INPUTS])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", "U", None])
            for name in ("y", "z", "square")
        ],
        [numpy_helper.from_array(each, name) for each, name in zip(matrices, "ab", strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save_model(
        model, path, save_as_external_data=bool(beside), location=beside, size_threshold=0
    )
    return path


@pytest.fixture(scope="module")
def quantised(matrices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    scale_rows(written(folder / "float.onnx", matrices), folder / "int8.onnx")
    return folder / "int8.onnx"


def test_products_are_near(quantised, matrices, rows):
    outputs = open_session(quantised, threads=1).run({"x": rows})
    for name, matrix in zip("yz", matrices, strict=True):
        exact = rows @ matrix
        wrong = np.linalg.norm(outputs[name] - exact, axis=-1)
        assert (wrong <= 0.03 * np.linalg.norm(exact, axis=-1)).all()


def test_a_row_is_what_it_is_alone(quantised, rows):
    session = open_session(quantised, threads=1)
    together = session.run({"x": rows})["y"]
    for row in range(4):
        assert np.array_equal(together[row], session.run({"x": rows[row : row + 1]})["y"][0])
        frame = rows[row : row + 1, 2:3]
        assert np.array_equal(together[row, 2], session.run({"x": frame})["y"][0, 0])


def test_silence_stays_silence(quantised, rows):
    assert not open_session(quantised, threads=1).run({"x": rows})["y"][2].any()


def test_weights_are_int8_and_fewer_bits_where_asked(matrices, tmp_path):
    scale_rows(written(tmp_path / "float.onnx", matrices), tmp_path / "int8.onnx", top=31)
    graph = onnx.load(tmp_path / "int8.onnx").graph
    weights = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    assert weights["a.int8"].dtype == np.int8
    assert np.abs(weights["a.int8"]).max() == 31
    assert {"a", "b"}.isdisjoint(weights)


def test_rows_are_quantised_once_and_only_for_constant_matrices(quantised):
    operators = [node.op_type for node in onnx.load(quantised).graph.node]
    assert operators.count("QuantizeLinear") == 1
    assert operators.count("MatMul") == 3
    assert operators.count("DequantizeLinear") == 4


def test_it_is_known_as_int8(quantised):
    assert precision_of(read_graph(quantised)) == "int8"


@pytest.mark.parametrize("name", ["float.onnx.data", "weights"])
def test_weights_beside_the_graph(matrices, rows, quantised, tmp_path, name):
    source = written(tmp_path / "float.onnx", matrices, beside=name)
    scale_rows(source, tmp_path / "int8.onnx")
    (tmp_path / name).unlink()
    assert (tmp_path / "int8.onnx.data").is_file() == (name == "float.onnx.data")
    feeds = {"x": rows}
    there, here = (
        open_session(each, threads=1).run(feeds) for each in (quantised, tmp_path / "int8.onnx")
    )
    assert np.array_equal(there["y"], here["y"])
