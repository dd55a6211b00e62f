import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from parakeet_streaming.catalog.graph import TensorSpec, read_graph
from parakeet_streaming.errors import ModelFormatError
from tests.catalog.graphs import (
    FLOAT,
    GOLDEN,
    HALF,
    INT32,
    decoder_joint,
    encoder,
    external,
    face,
    floats,
)


def read(tmp_path, model):
    onnx.save_model(model, tmp_path / "m.onnx")
    return read_graph(tmp_path / "m.onnx")


def test_the_golden_encoder():
    graph = read_graph(GOLDEN / "encoder-model.onnx")
    assert [spec.name for spec in graph.inputs] == ["audio_signal", "length"]
    assert graph.outputs[0].fixed(1) == 96
    assert graph.inputs[1].dtype == np.int64
    assert graph.sliced_tables == ((9999, 96),)
    assert "LayerNormalization" in graph.operators
    assert not graph.external_files
    assert not graph.float16_weights


def test_an_embedding_is_counted_through_a_cast():
    assert read_graph(GOLDEN / "decoder_joint-model.onnx").embedding_rows == 257


def test_dimensions_are_numbers_or_names(tmp_path):
    shapes = [spec.shape for spec in read(tmp_path, encoder("mels")).inputs]
    assert shapes == [("B", "mels", "T"), ("B",)]
    assert str(TensorSpec("x", np.dtype("int32"), ("B", 4))) == "x int32[B, 4]"
    assert TensorSpec("x", np.dtype("int32"), ("B", 4)).fixed(0) is None


def test_weights_listed_as_inputs_are_no_inputs(tmp_path):
    model = face(
        [("x", FLOAT, [1]), ("w", FLOAT, [2])], [("y", FLOAT, [1])], weights=[floats("w", (2,))]
    )
    assert [spec.name for spec in read(tmp_path, model).inputs] == ["x"]


@pytest.mark.parametrize(
    ("shape", "found"), [((1, 99, 8), ((99, 8),)), ((99, 8), ((99, 8),)), ((2, 99, 8), ())]
)
def test_tables_of_two_dimensions_are_found(tmp_path, shape, found):
    assert read(tmp_path, encoder(positions=shape)).sliced_tables == found


def test_a_table_is_found_in_a_constant_behind_copies(tmp_path):
    table = numpy_helper.from_array(np.zeros((1, 31, 8), np.float16))
    nodes = [
        helper.make_node("Constant", [], ["c"], value=table),
        helper.make_node("Identity", ["c"], ["same"]),
        helper.make_node("Cast", ["same"], ["cast"], to=FLOAT),
        helper.make_node("Slice", ["cast", "a", "b"], ["sliced"]),
    ]
    graph = read(tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes))
    assert graph.sliced_tables == ((31, 8),)
    assert graph.float16_weights


def test_operators_of_nested_graphs_and_functions_count(tmp_path):
    branch = helper.make_graph([helper.make_node("Erf", ["x"], ["z"])], "branch", [], [])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    model = face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=[node])
    inside = [helper.make_node("DynamicQuantizeLinear", ["a"], ["b"])]
    model.functions.append(helper.make_function("f", "F", ["a"], ["b"], inside, []))
    assert {"If", "Erf", "DynamicQuantizeLinear"} <= read(tmp_path, model).operators


def test_external_files_of_weights_and_constants(tmp_path):
    constant = helper.make_node("Constant", [], ["c"], value=external("c", "b.data", 80))
    weights = [external("w", "a.data", 400), external("v", "a.data", 40)]
    model = face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=[constant], weights=weights)
    assert read(tmp_path, model).external_files == {"a.data": 400, "b.data": 80}


def test_metadata_and_face(tmp_path):
    graph = read(tmp_path, encoder(metadata={"vocab_size": "1024"}))
    assert graph.metadata == {"vocab_size": "1024"}
    assert graph.face.startswith("(audio_signal float32[B, 128, T], length int64[B]) → (outputs")


def test_an_input_that_is_no_tensor_has_no_type(tmp_path):
    model = encoder()
    model.graph.input[0].type.Clear()
    spec = read(tmp_path, model).inputs[0]
    assert (spec.dtype.kind, spec.rank) == ("O", 0)


def test_half_precision_inputs(tmp_path):
    assert read(tmp_path, encoder(features=HALF)).inputs[0].dtype == np.float16
    assert read(tmp_path, decoder_joint(targets=INT32)).inputs[1].dtype == np.int32


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Not found</html>", b"hello world" * 100, (b"\x08\x08" * 5), b"\x00" * 64],
    ids=["empty", "html", "text", "no graph", "zeros"],
)
def test_what_is_no_onnx_is_refused(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"m\.onnx is no whole ONNX file"):
        read_graph(tmp_path / "m.onnx")


@pytest.mark.parametrize("cut", [1, 100, 1_000_000, 6_800_000])
def test_a_truncated_file_is_refused(tmp_path, cut):
    whole = (GOLDEN / "encoder-model.onnx").read_bytes()
    (tmp_path / "m.onnx").write_bytes(whole[:-cut])
    with pytest.raises(ModelFormatError, match="fetch it again"):
        read_graph(tmp_path / "m.onnx")


def test_a_git_lfs_pointer_is_named_as_such(tmp_path):
    (tmp_path / "m.onnx").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 652183999\n"
    )
    with pytest.raises(ModelFormatError, match="git lfs pull"):
        read_graph(tmp_path / "m.onnx")
