import onnx
import pytest
from onnx import helper

from parakeet_streaming.catalog import skeleton
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
    with pytest.raises(ValueError, match=r"early|type|end|empty|field 0"):
        without_weights(tmp_path / "m.onnx")


def test_a_small_graph_comes_back_byte_for_byte(tmp_path):
    onnx.save_model(encoder(), tmp_path / "m.onnx")
    assert without_weights(tmp_path / "m.onnx") == (tmp_path / "m.onnx").read_bytes()


@pytest.mark.parametrize("fill", [b"\x00", b"\x00\x00\x01", b"\x02", b"\x05"])
def test_a_field_without_a_number_is_refused_where_it_stands(tmp_path, fill):
    (tmp_path / "m.onnx").write_bytes(fill * 100_000)
    with pytest.raises(ValueError, match="field 0"):
        without_weights(tmp_path / "m.onnx")


@pytest.mark.parametrize("way", ["", "node", "input", "output"])
def test_a_budget_of_fields(tmp_path, monkeypatch, way):
    """Fields of two bytes each: versions, nodes, and dimensions of an input or output."""
    monkeypatch.setattr(skeleton, "MOST_SKELETON_FIELDS", 5_000)
    model = encoder()
    if way == "node":
        model.graph.node.extend([onnx.NodeProto()] * 6_000)
    elif way:
        value = getattr(model.graph, way)[0]
        value.type.tensor_type.shape.dim.extend([onnx.TensorShapeProto.Dimension()] * 6_000)
    (tmp_path / "m.onnx").write_bytes(
        model.SerializeToString() + (b"" if way else b"\x08\x08" * 6_000)
    )
    with pytest.raises(ValueError, match="more than 5000 fields"):
        without_weights(tmp_path / "m.onnx")


@pytest.mark.parametrize("place", ["producer_name", "graph", "metadata", "attribute"])
def test_a_budget_of_bytes(tmp_path, monkeypatch, place):
    monkeypatch.setattr(skeleton, "MOST_SKELETON_BYTES", 50_000)
    model, much = encoder(), "x" * 60_000
    if place == "producer_name":
        model.producer_name = much
    elif place == "graph":
        model.graph.doc_string = much
    elif place == "metadata":
        helper.set_model_props(model, {"much": much})
    else:
        model.graph.node.append(helper.make_node("Identity", ["x"], ["z"], much=much))
    onnx.save_model(model, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="more than 50000 bytes beside its weights"):
        without_weights(tmp_path / "m.onnx")


def test_weights_are_in_no_budget(tmp_path, monkeypatch):
    monkeypatch.setattr(skeleton, "MOST_SKELETON_BYTES", 50_000)
    onnx.save_model(encoder(positions=(999, 999)), tmp_path / "m.onnx")
    assert len(without_weights(tmp_path / "m.onnx")) < 1_000


def test_a_budget_of_depth(tmp_path):
    inside = b"\x0a\x00" * 3_000
    for _ in range(40):  # a graph in an attribute of a node in a graph ...
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            inside = tag + _length(len(inside)) + inside
    (tmp_path / "m.onnx").write_bytes(b"\x3a" + _length(len(inside)) + inside)
    with pytest.raises(ValueError, match="nested more than 100 messages deep"):
        without_weights(tmp_path / "m.onnx")


def _length(value):
    """A length below 2 ** 21, in three bytes."""
    return bytes((value & 127 | 128, value >> 7 & 127 | 128, value >> 14))


@pytest.mark.parametrize(
    "junk", [b"\x08", b"\x08\xff", b"\x12", b"\x09seven", b"\x0dsix", b"\x7a\xff"]
)
def test_a_field_that_is_cut_off_is_noticed(tmp_path, junk):
    (tmp_path / "m.onnx").write_bytes(junk)
    with pytest.raises(ValueError, match="early"):
        without_weights(tmp_path / "m.onnx")
