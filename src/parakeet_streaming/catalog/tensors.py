"""An ONNX model in; its nodes and tensors, also of graphs inside of nodes, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import onnx

_Message = Any  # protobuf's own package has no types
_Descriptor = Any


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
    """Every tensor in a model, wherever a message can hold one.

    That is: initialisers, also sparse ones, and attributes; of the graph, of graphs inside nodes,
    of functions and their defaults, and of what is there for training.
    """
    yield from _tensors_in(model)


def _tensors_in(message: _Message) -> Iterator[onnx.TensorProto]:
    if isinstance(message, onnx.TensorProto):
        yield message
        return
    leading = _LEADING[message.DESCRIPTOR.full_name]
    for field, value in message.ListFields():
        if field.name in leading:
            for each in (value,) if hasattr(value, "DESCRIPTOR") else value:
                yield from _tensors_in(each)


def outside(tensor: onnx.TensorProto) -> Stretch | None:
    """Where a tensor's values lie; None if they are in the graph's own file.

    Raises:
        ValueError: a place that cannot be.
    """
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    entry = {item.key: item.value for item in tensor.external_data}
    if len(entry) < len(tensor.external_data):
        raise ValueError(f"{tensor.name} says twice where its values are")
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


def _fields_that_lead_to(target: _Descriptor, start: _Descriptor) -> dict[str, frozenset[str]]:
    """By message: its fields through which a message of the type `target` can be reached.

    Taken from the format's own description, so that no place is forgotten.
    """
    fields: dict[str, dict[str, str]] = {}
    left = [start]
    while left:
        message = left.pop()
        inner = [each for each in message.fields if each.message_type is not None]
        fields[message.full_name] = {each.name: each.message_type.full_name for each in inner}
        left += [each.message_type for each in inner if each.message_type.full_name not in fields]
    reaching = {target.full_name}
    while True:
        more = {name for name, inner in fields.items() if reaching.intersection(inner.values())}
        if more <= reaching:
            break
        reaching |= more
    return {
        name: frozenset(field for field, kind in inner.items() if kind in reaching)
        for name, inner in fields.items()
    }


_LEADING: Final = _fields_that_lead_to(onnx.TensorProto.DESCRIPTOR, onnx.ModelProto.DESCRIPTOR)
