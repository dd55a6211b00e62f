"""An .onnx file: its description, without its weights, and what it is in a model."""

from collections.abc import Iterator
from contextlib import suppress

from onnx import ModelProto, NodeProto, TensorProto, helper

from fuzz.scratch import scratch_file
from fuzz.small_model import Sizes, decoder_joint, encoder
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.precision import precision_of
from parakeet_streaming.catalog.roles import role_of
from parakeet_streaming.errors import ParakeetError

KINDS = ("Identity", "Cast", "DequantizeLinear", "Slice", "Constant", "Gather", "MatMulNBits", "If")


def run(data: bytes) -> None:
    with suppress(ParakeetError):
        graph = read_graph(scratch_file("encoder-model.onnx", data))
        role_of(graph)
        precision_of(graph)
        str(graph.face)


def seeds() -> Iterator[bytes]:
    yield encoder(Sizes(), {"feat_dim": "80"}, table_rows=9)
    yield decoder_joint(Sizes())
    for kind in KINDS:
        yield _with_nodes(helper.make_node(kind, ["targets", "a"], ["b"], bits=4))
    circle = (("Identity", ["b"], ["b"]), ("Slice", ["b"], ["c"]))
    yield _with_nodes(*(helper.make_node(*each) for each in circle))
    yield _with_nodes(NodeProto(op_type="Slice"))


def _with_nodes(*nodes: NodeProto) -> bytes:
    model = ModelProto.FromString(decoder_joint(Sizes()))
    model.graph.node.extend(nodes)
    model.graph.initializer.append(TensorProto(name="a", data_type=1, dims=[6, 8]))
    model.graph.initializer.append(_outside())
    whole: bytes = model.SerializeToString()
    return whole


def _outside() -> TensorProto:
    tensor = TensorProto(name="outside", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor
