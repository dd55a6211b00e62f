"""A graph with weights in files of their own in; the same graph with all of them in one file out.

Above 2 GB, which protobuf cannot hold, torch leaves every weight in a file beside the graph. The
field has them in one, `encoder-model.onnx.data`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import onnx
from onnx import TensorProto

# Of a page, so that a runtime can map each weight where it stands.
_ALIGNED_BYTES: Final = 4096
_INSIDE_BYTES: Final = 1024


def data_file(graph: Path) -> Path:
    """Where the weights of a graph stand that is too large to hold them."""
    return graph.with_name(f"{graph.name}.data")


def gather_weights(graph: Path) -> None:
    """Moves weights that stand beside `graph` in files of their own into `data_file(graph)`.

    A graph that holds its weights is left as it is. Weights are never all in memory.
    """
    model = onnx.load(graph, load_external_data=False)
    apart = [tensor for tensor in _tensors(model) if tensor.data_location == TensorProto.EXTERNAL]
    if not apart:
        return
    gathered = data_file(graph)
    left_behind = set()
    with gathered.open("wb") as file:
        for tensor in apart:
            told = {entry.key: entry.value for entry in tensor.external_data}
            source = graph.parent / told["location"]
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
