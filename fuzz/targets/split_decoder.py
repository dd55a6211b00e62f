"""A decoder_joint beside an encoder that is right: found, understood and cut in two."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from onnx import ModelProto, helper

from fuzz.scratch import scratch_folder
from fuzz.small_model import Sizes, write_model
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.model.split_decoder import cut

NAME = "decoder_joint-model.onnx"


def run(data: bytes) -> None:
    folder = _model()
    (folder / NAME).write_bytes(data)
    with suppress(ParakeetError):
        parts = find_parts(folder)
        cut(parts.decoder.path, read_spec(parts).names)


@cache
def _model() -> Path:
    folder = scratch_folder("split")
    write_model(folder, Sizes(), {})
    return folder


def seeds() -> Iterator[bytes]:
    write_model(scratch_folder("split"), Sizes(), {})
    whole = (scratch_folder("split") / NAME).read_bytes()
    yield whole
    yield _with_nodes(whole, [(["encoder_outputs", "p"], "outputs"), (["targets"], "p")])
    yield _with_nodes(whole, [(["p"], "outputs"), (["outputs", "encoder_outputs"], "p")])


def _with_nodes(whole: bytes, edges: list[tuple[list[str], str]]) -> bytes:
    model = ModelProto.FromString(whole)
    model.graph.node.extend(helper.make_node("Sum", inputs, [output]) for inputs, output in edges)
    written: bytes = model.SerializeToString()
    return written
