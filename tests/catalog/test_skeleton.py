import onnx
import pytest
from onnx import helper

from parakeet_streaming.catalog.skeleton import without_weights
from tests.catalog.graphs import FLOAT, GOLDEN, TINY_EN, encoder, face, floats


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
    # A length behind a tag: 14 bits in two bytes, more in a third.
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
