"""An ONNX model in; its nodes and tensors, also of graphs inside of nodes, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import onnx


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where the values of a tensor lie outside the graph's file."""

    location: str
    """As the graph names the file."""
    offset: int
    length: int | None
    """Bytes; None for the rest of the file."""

    @property
    def end(self) -> int:
        """What the file must have at least, in bytes."""
        return self.offset + (self.length or 0)


def nodes_of(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Every node, those of nested graphs and of functions included."""
    functions = (node for each in model.functions for node in _nested(each.node))
    return [*_nested(model.graph.node), *functions]


def tensors_of(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every constant tensor of a model."""
    yield from model.graph.initializer
    for node in nodes_of(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for graph in (attribute.g, *attribute.graphs):
                yield from graph.initializer


def outside(tensor: onnx.TensorProto) -> Stretch | None:
    """Where a tensor's values lie; None if they are in the graph's own file.

    Raises:
        ValueError: a place that cannot be.
    """
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    entry = {item.key: item.value for item in tensor.external_data}
    length = int(entry["length"]) if "length" in entry else None
    stretch = Stretch(entry.get("location", ""), int(entry.get("offset", 0)), length)
    if stretch.offset < 0 or (length or 0) < 0:
        raise ValueError(f"{tensor.name} has its values at a negative place")
    return stretch


def _nested(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Nodes and, after each, those of the graphs inside it."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nested(graph.node)
