"""A graph with each weight in its own file in; the same graph with all weights in one file out.

Protobuf holds at most 2 GB. For larger models torch writes every weight to a file of its own, but
published models have them in one file, `encoder-model.onnx.data`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import onnx
from onnx import TensorProto

# The size of a page: a runtime can then map each weight.
_ALIGNED_BYTES: Final = 4096
_INSIDE_BYTES: Final = 1024


def data_file(graph: Path) -> Path:
    """The file with the weights of a graph that is too large to hold them."""
    return graph.with_name(f"{graph.name}.data")


def gather_weights(graph: Path) -> None:
    """Moves weights from their own files beside `graph` into `data_file(graph)`.

    A graph that holds its weights stays as it is. Memory never holds all weights.
    """
    model = onnx.load(graph, load_external_data=False)
    apart = [tensor for tensor in _tensors(model) if tensor.data_location == TensorProto.EXTERNAL]
    if not apart:
        return
    gathered = data_file(graph)
    left_behind = set()
    with gathered.open("wb") as file:
        for tensor in apart:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            source = graph.parent / entries["location"]
            left_behind.add(source)
            if source.stat().st_size <= _INSIDE_BYTES:
                _hold(tensor, source.read_bytes())
                continue
            file.write(bytes(-file.tell() % _ALIGNED_BYTES))
            offset = file.tell()
            with source.open("rb") as weights:
                shutil.copyfileobj(weights, file)
            _point(tensor, gathered.name, offset, file.tell() - offset)
    onnx.save(model, graph)
    for source in left_behind:
        source.unlink()


def _tensors(model: onnx.ModelProto) -> list[TensorProto]:
    constants = [
        attribute.t
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.HasField("t")
    ]
    return [*model.graph.initializer, *constants]


def _hold(tensor: TensorProto, values: bytes) -> None:
    """Puts values into the graph: runtimes read shapes and axes before they read any file."""
    del tensor.external_data[:]
    tensor.data_location = TensorProto.DEFAULT
    tensor.raw_data = values


def _point(tensor: TensorProto, location: str, offset: int, length: int) -> None:
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
