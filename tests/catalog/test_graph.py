import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from parakeet_streaming.catalog.graph import TensorSpec, read_graph, without_weights
from parakeet_streaming.errors import ModelFormatError
from tests.catalog.graphs import (
    FLOAT,
    GOLDEN,
    HALF,
    INT32,
    TINY_EN,
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


def test_everything_but_large_weights_is_kept():
    path = GOLDEN / "encoder-model.onnx"
    bare, whole = onnx.ModelProto.FromString(without_weights(path)), onnx.load(path)
    assert bare.graph.input == whole.graph.input
    assert [node.op_type for node in bare.graph.node] == [node.op_type for node in whole.graph.node]
    for kept, tensor in zip(bare.graph.initializer, whole.graph.initializer, strict=True):
        assert (kept.name, kept.dims) == (tensor.name, tensor.dims)
        assert not kept.HasField("raw_data") or kept.raw_data == tensor.raw_data


@pytest.mark.parametrize("folder", [GOLDEN, TINY_EN])
def test_weights_of_tensors_and_constants_are_stepped_over(folder):
    for path in folder.glob("*.onnx"):
        assert len(without_weights(path)) < 0.1 * path.stat().st_size + 10_000


def test_weights_in_typed_fields_and_nested_graphs_are_stepped_over(tmp_path):
    typed = helper.make_tensor("typed", FLOAT, [10_000], [1.5] * 10_000)
    branch = helper.make_graph([], "branch", [], [], initializer=[floats("inner", (9_000,))])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    model = face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=[node], weights=[typed])
    onnx.save_model(model, tmp_path / "m.onnx")
    bare = without_weights(tmp_path / "m.onnx")
    assert len(bare) < 1_000
    graph = onnx.ModelProto.FromString(bare).graph
    assert graph.node[0].attribute[0].g.initializer[0].dims == [9_000]


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_noticed(tmp_path, share):
    whole = (GOLDEN / "decoder_joint-model.onnx").read_bytes()
    (tmp_path / "m.onnx").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match="too early"):
        without_weights(tmp_path / "m.onnx")


def test_weights_cut_short_at_the_very_end_are_noticed(tmp_path):
    """Fields may stand in any order: here the last bytes of the file are weights."""
    model = encoder()
    head = onnx.ModelProto(ir_version=8, opset_import=model.opset_import).SerializeToString()
    weights = onnx.GraphProto(initializer=[floats("w", (10_000,))]).SerializeToString()
    graph = model.graph.SerializeToString() + weights
    # A length after a tag: 14 bits in two bytes, more in a third.
    length = bytes((len(graph) & 127 | 128, len(graph) >> 7 & 127 | 128, len(graph) >> 14))
    whole = head + b"\x3a" + length + graph
    (tmp_path / "m.onnx").write_bytes(whole)
    assert len(onnx.ModelProto.FromString(without_weights(tmp_path / "m.onnx")).graph.input) == 2
    (tmp_path / "m.onnx").write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="too early"):
        without_weights(tmp_path / "m.onnx")


@pytest.mark.parametrize("junk", [b"", b"\xff" * 40, b"\x07rest", b"\x0f"])
def test_junk_is_noticed(tmp_path, junk):
    (tmp_path / "m.onnx").write_bytes(junk)
    with pytest.raises(ValueError, match=r"early|type|end|empty"):
        without_weights(tmp_path / "m.onnx")


def test_a_small_graph_comes_back_byte_for_byte(tmp_path):
    onnx.save_model(encoder(), tmp_path / "m.onnx")
    assert without_weights(tmp_path / "m.onnx") == (tmp_path / "m.onnx").read_bytes()
