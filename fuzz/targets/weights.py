"""An .onnx file: its weights, inside it and beside it."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from fuzz.scratch import scratch_file
from fuzz.small_model import Sizes, decoder_joint
from parakeet_streaming.catalog.broken_weights import refuse_broken_weights
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.weight_files import check_weights, load_whole
from parakeet_streaming.errors import ParakeetError


def run(data: bytes) -> None:
    path = scratch_file("decoder.onnx", data, "weights")
    scratch_file("weights.bin", bytes(64), "weights")
    for look in (refuse_broken_weights, load_whole):
        with suppress(ParakeetError):
            look(path)
    with suppress(ParakeetError):
        check_weights(read_graph(path))


def seeds() -> Iterator[bytes]:
    inside = numpy_helper.from_array(np.array([1.0, np.inf, np.nan], np.float32), "inside")
    large = numpy_helper.from_array(np.zeros(2000, np.float32), "large")
    for place in ("weights.bin", "../weights.bin", "none.bin", ""):
        yield _with_tensors(inside, _outside(place, "16"))
    yield _with_tensors(large, _outside("weights.bin", "-1"))
    yield _with_tensors(TensorProto(name="typed", data_type=10, dims=[3], int32_data=[1, 2, 3]))
    nested = helper.make_graph([], "nested", [], [], [inside])
    yield _with_tensors(branch=helper.make_attribute("then_branch", nested))


def _with_tensors(*tensors: TensorProto, branch: object = None) -> bytes:
    model = ModelProto.FromString(decoder_joint(Sizes()))
    model.graph.initializer.extend(tensors)
    if branch is not None:
        model.graph.node.add(op_type="If", attribute=[branch])
    whole: bytes = model.SerializeToString()
    return whole


def _outside(location: str, length: str) -> TensorProto:
    tensor = TensorProto(name="outside", data_type=1, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "8"), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return tensor
