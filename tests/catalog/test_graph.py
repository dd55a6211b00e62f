import contextlib

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


CIRCLES = {
    "of one Identity": [("Identity", ["q"], ["q"])],
    "of one Cast": [("Cast", ["q"], ["q"])],
    "of two": [("Identity", ["r"], ["q"]), ("DequantizeLinear", ["q"], ["r"])],
    "of three": [("Cast", ["r"], ["q"]), ("Cast", ["s"], ["r"]), ("Identity", ["q"], ["s"])],
    "behind a way in": [("Identity", ["r"], ["q"]), ("Cast", ["r"], ["r"])],
}


@pytest.mark.parametrize("reader", ["Slice", "Gather"])
@pytest.mark.parametrize("circle", CIRCLES)
def test_nodes_that_read_each_other_in_a_circle_are_refused(tmp_path, circle, reader):
    nodes = [helper.make_node(*each) for each in CIRCLES[circle]]
    nodes.append(helper.make_node(reader, ["q", "q"], ["z"]))
    with pytest.raises(ModelFormatError, match=r"in a circle: '[qr]'"):
        read(tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes))


def test_a_circle_that_no_table_is_read_through_does_not_matter(tmp_path):
    nodes = [helper.make_node("Identity", ["q"], ["q"])]
    assert not read(
        tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes)
    ).sliced_tables


def test_what_was_looked_through_is_not_looked_through_again(tmp_path):
    """20,000 readers at the end of 20,000 copies: 400 million steps, if each walked by itself."""
    copies = [helper.make_node("Identity", [f"c{at}"], [f"c{at + 1}"]) for at in range(20_000)]
    readers = [helper.make_node("Slice", ["c20000"], [f"s{at}"]) for at in range(20_000)]
    weights = [floats("c0", (9, 4))]
    model = face(
        [("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=[*copies, *readers], weights=weights
    )
    assert read(tmp_path, model).sliced_tables == ((9, 4),) * 20_000


@pytest.mark.parametrize(
    ("operator", "inputs", "outputs"),
    [
        ("Identity", [], ["a"]),
        ("Identity", ["a"], []),
        ("Cast", [], []),
        ("DequantizeLinear", ["a"], []),
        ("Slice", [], ["a"]),
        ("Gather", [], ["a"]),
        ("Gather", ["a"], ["b"]),
    ],
)
def test_a_node_without_its_inputs_or_outputs_is_refused(tmp_path, operator, inputs, outputs):
    nodes = [helper.make_node(operator, inputs, outputs)]
    with pytest.raises(ModelFormatError, match=f"a node '{operator}' lacks an input or an output"):
        read(tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes))


def test_a_constant_without_an_output_is_refused(tmp_path):
    nodes = [helper.make_node("Constant", [], [], value=floats("c", (2, 2)))]
    with pytest.raises(ModelFormatError, match="'Constant' lacks"):
        read(tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes))


@pytest.mark.parametrize("bits", ["four", 4.0, [4], -1, 0, 65, 2**62])
def test_a_number_of_bits_that_cannot_be(tmp_path, bits):
    nodes = [helper.make_node("MatMulNBits", ["x", "w"], ["z"], bits=bits)]
    with pytest.raises(ModelFormatError, match="no possible number of bits"):
        read(tmp_path, face([("x", FLOAT, [1])], [("y", FLOAT, [1])], nodes=nodes))


@pytest.mark.parametrize(
    "name", [b"audio_signal", b"encoded_lengths", b"Identity", b"vocab_size", b"1024", b"w.data"]
)
def test_names_that_are_no_text_are_refused(tmp_path, name):
    model = encoder(metadata={"vocab_size": "1024"})
    model.graph.initializer.append(external("w", "w.data", 40))
    whole = model.SerializeToString()
    assert name in whole
    (tmp_path / "m.onnx").write_bytes(whole.replace(name, b"\xff" * len(name)))
    with pytest.raises(ModelFormatError, match="no text in UTF-8"):
        read_graph(tmp_path / "m.onnx")


@pytest.mark.parametrize(("key", "value"), [("offset", "far"), ("length", "9" * 5_000)])
def test_a_place_of_weights_that_is_no_number(tmp_path, key, value):
    model = encoder()
    tensor = external("w", "w.data", 40)
    for entry in tensor.external_data:
        entry.value = value if entry.key == key else entry.value
    model.graph.initializer.append(tensor)
    with pytest.raises(ModelFormatError, match="is no whole ONNX file"):
        read(tmp_path, model)


def test_more_inputs_than_any_graph_has(tmp_path):
    inputs = [(f"x{at}", FLOAT, [1]) for at in range(1_001)]
    with pytest.raises(ModelFormatError, match="inputs or outputs is 1001; 0 to 1000 is possible"):
        read(tmp_path, face(inputs, [("y", FLOAT, [1])]))


def test_more_dimensions_than_any_tensor_has(tmp_path):
    with pytest.raises(ModelFormatError, match="'x' has 17 dimensions"):
        read(tmp_path, face([("x", FLOAT, [1] * 17)], [("y", FLOAT, [1])]))


@pytest.mark.parametrize("place", ["input", "operator", "dimension"])
def test_a_name_that_is_too_long(tmp_path, place):
    long = "n" * 2_000
    model = face(
        [(long if place == "input" else "x", FLOAT, [long if place == "dimension" else 1])],
        [("y", FLOAT, [1])],
        operators=[long if place == "operator" else "Identity"],
    )
    with pytest.raises(ModelFormatError, match="has 2000 characters") as raised:
        read(tmp_path, model)
    assert len(str(raised.value)) < 500


def test_a_face_of_many_tensors_is_shortened(tmp_path):
    inputs = [(f"{'x' * 100}{at}", FLOAT, [1]) for at in range(50)]
    assert len(read(tmp_path, face(inputs, [("y", FLOAT, [1])])).face) == 2_003


def test_a_file_larger_than_any_message_is_refused_at_once(tmp_path):
    with (tmp_path / "m.onnx").open("wb") as file:
        file.truncate(8 * 2**30)  # of zeros, none of which is on the disk
    with pytest.raises(ModelFormatError, match="larger than 2147483648 bytes"):
        read_graph(tmp_path / "m.onnx")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_whatever_a_byte_becomes_the_error_is_ours(tmp_path, part):
    """Every eleventh byte of a small graph, set to what makes most parsers stumble."""
    whole = decoder_joint(embedding=5).SerializeToString()
    for at in range(int(part * 10), len(whole), 11):
        for value in (0x00, 0x7F, 0x80, 0xFF):
            (tmp_path / "m.onnx").write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            with contextlib.suppress(ModelFormatError):
                read_graph(tmp_path / "m.onnx")
