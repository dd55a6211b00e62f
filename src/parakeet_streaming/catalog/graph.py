"""An .onnx file in; a description out: inputs, outputs, operators, external files and tables.

Rules of this file:

1. Weights are never read. An .onnx file is one protobuf message with hundreds of MB of weights in
   it. The file is mapped and walked field by field; what is larger than 4 KiB in a tensor is
   skipped, so a 650 MB encoder costs a few MB of memory.
2. The only error here is a file that is no whole ONNX. `roles.py` decides what a graph is for.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from parakeet_streaming.catalog.tensors import nodes_of, outside, tensors_of
from parakeet_streaming.errors import ModelFormatError

_LFS_POINTER: Final = b"version https://git-lfs"
_SAME_VALUE: Final = frozenset({"Identity", "Cast", "DequantizeLinear"})

_KEPT_BYTES: Final = 4096

# Field numbers of onnx.proto: which fields of a message lead to weights, and which are weights.
_INNER: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
}
_WEIGHT_FIELDS: Final = frozenset({4, 5, 6, 7, 9, 10, 11})


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a graph."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]
    """Fixed dimensions as numbers, open ones by name; empty where the graph declares no shape."""

    @property
    def rank(self) -> int:
        return len(self.shape)

    def fixed(self, axis: int) -> int | None:
        """The size of one axis, or None where it is open."""
        size = self.shape[axis]
        return size if isinstance(size, int) else None

    def cast(self, value: NDArray[Any]) -> NDArray[Any]:
        """A value in the type declared here, if both are integers or both are floats."""
        kinds = {value.dtype.kind, self.dtype.kind}
        alike = kinds <= {"i", "u"} or kinds == {"f"}
        return value.astype(self.dtype, copy=False) if alike else value

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}[{', '.join(str(size) for size in self.shape)}]"


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything of an .onnx file that can be known without its weights."""

    path: Path
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    operators: frozenset[str]
    """Operator types, those of nested graphs and functions included."""
    float16_weights: bool
    block_bits: frozenset[int]
    """Bits of each weight that has a scale for its block (MatMulNBits); empty where none has."""
    external_files: Mapping[str, int]
    """Files with weights, as the graph names them, and the bytes each must have at least."""
    metadata: Mapping[str, str]
    sliced_tables: tuple[tuple[int, int], ...]
    """Rows and width of every constant table that a Slice reads: position tables among them."""
    embedding_rows: int | None
    """Rows of the table in which an integer input looks up, None where there is none."""

    @property
    def face(self) -> str:
        """Inputs and outputs in one line, for messages."""
        inputs = ", ".join(str(spec) for spec in self.inputs)
        outputs = ", ".join(str(spec) for spec in self.outputs)
        return f"({inputs}) → ({outputs})"


def read_graph(path: Path) -> Graph:
    """The description of one .onnx file.

    Raises:
        ModelFormatError: a truncated file, one that is no ONNX, or a Git LFS pointer.
    """
    refuse_pointer(path)
    broken = f"{path} is no whole ONNX file; fetch it again"
    try:
        model = onnx.ModelProto.FromString(without_weights(path))
    except Exception as error:  # protobuf has an error of its own, in a package without types
        raise ModelFormatError(f"{broken} ({error})") from error
    if not model.opset_import or not model.graph.output:
        raise ModelFormatError(f"{broken} (it holds no graph)")
    try:
        return _face_of(path, model)
    except (ValueError, IndexError) as error:
        raise ModelFormatError(f"{broken} ({error})") from error


def refuse_pointer(path: Path) -> None:
    """Refuses a file that Git LFS has left as a pointer to the real one.

    Raises:
        ModelFormatError: it is such a pointer.
    """
    with path.open("rb") as file:
        if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise ModelFormatError(
                f"{path} is a Git LFS pointer, not the file itself; run `git lfs pull` in its "
                "repository"
            )


def _face_of(path: Path, model: onnx.ModelProto) -> Graph:
    graph = model.graph
    nodes = nodes_of(model)
    weights = {tensor.name for tensor in graph.initializer}
    inputs = tuple(_spec(value) for value in graph.input if value.name not in weights)
    tensors = list(tensors_of(model))
    constants = _Constants(graph)
    return Graph(
        path=path,
        inputs=inputs,
        outputs=tuple(_spec(value) for value in graph.output),
        operators=frozenset(node.op_type for node in nodes),
        float16_weights=any(each.data_type == onnx.TensorProto.FLOAT16 for each in tensors),
        block_bits=frozenset(_bits(node) for node in nodes if node.op_type == "MatMulNBits"),
        external_files=_external_files(tensors),
        metadata={entry.key: entry.value for entry in model.metadata_props},
        sliced_tables=tuple(constants.sliced()),
        embedding_rows=constants.embedding_rows({spec.name for spec in inputs if spec.rank == 2}),
    )


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor = value.type.tensor_type
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    except KeyError:
        dtype = np.dtype(object)
    shape = tuple(
        size.dim_value if size.HasField("dim_value") else size.dim_param or "?"
        for size in tensor.shape.dim
    )
    return TensorSpec(value.name, dtype, shape)


def _bits(node: onnx.NodeProto) -> int:
    named = (attribute.i for attribute in node.attribute if attribute.name == "bits")
    return next(named, 4)


def _external_files(tensors: Iterable[onnx.TensorProto]) -> dict[str, int]:
    files: dict[str, int] = {}
    for tensor in tensors:
        place = outside(tensor)
        if place is not None:
            files[place.location] = max(files.get(place.location, 0), place.end)
    return files


class _Constants:
    """Which node reads which constant, looking through casts and copies."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = graph.node
        self._shapes: dict[str, tuple[int, ...]] = {
            tensor.name: tuple(tensor.dims) for tensor in graph.initializer
        }
        self._origin: dict[str, str] = {}
        for node in graph.node:
            if node.op_type in _SAME_VALUE:
                self._origin[node.output[0]] = node.input[0]
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.HasField("t"):
                    self._shapes[node.output[0]] = tuple(attribute.t.dims)

    def sliced(self) -> Iterator[tuple[int, int]]:
        """Rows and width of tables (rows, width) or (1, rows, width) that a Slice reads."""
        for node in self._nodes:
            if node.op_type == "Slice":
                shape = self._shapes.get(self._source(node.input[0]), ())
                if len(shape) == 2 or (len(shape) == 3 and shape[0] == 1):
                    yield shape[-2], shape[-1]

    def embedding_rows(self, inputs: set[str]) -> int | None:
        """Rows of the first two-dimensional constant that a Gather reads by one of `inputs`."""
        for node in self._nodes:
            if node.op_type == "Gather" and self._source(node.input[1]) in inputs:
                shape = self._shapes.get(self._source(node.input[0]), ())
                if len(shape) == 2:
                    return shape[0]
        return None

    def _source(self, name: str) -> str:
        while name in self._origin:
            name = self._origin[name]
        return name


def without_weights(path: Path) -> bytes:
    """The bytes of an ONNX model without the values of its large tensors.

    Raises:
        ValueError: not whole, or no protobuf message at all.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return _kept(mapped, 0, len(mapped), "model")


def _kept(mapped: mmap.mmap, start: int, stop: int, kind: str) -> bytes:
    """The message of `kind` at [start, stop), its large weights left out."""
    kept = bytearray()
    at = start
    while at < stop:
        tag, body = _varint(mapped, at)
        payload, end = _field_end(mapped, body, tag & 7)
        if end > stop:
            raise ValueError("it ends too early")
        large = end - at > _KEPT_BYTES
        inner = _INNER[kind].get(tag >> 3)
        if large and inner is not None and tag & 7 == 2:
            message = _kept(mapped, payload, end, inner)
            kept += mapped[at:body] + _as_varint(len(message)) + message
        elif not (kind == "tensor" and tag >> 3 in _WEIGHT_FIELDS):
            kept += mapped[at:end]
        at = end
    return bytes(kept)


def _field_end(mapped: mmap.mmap, at: int, wire_type: int) -> tuple[int, int]:
    """Where the payload of the field whose value begins at `at` begins and ends."""
    if wire_type == 0:
        return at, _varint(mapped, at)[1]
    if wire_type == 2:
        length, payload = _varint(mapped, at)
        return payload, payload + length
    if wire_type in (1, 5):
        return at, at + (8 if wire_type == 1 else 4)
    raise ValueError(f"unknown wire type {wire_type}")


def _varint(mapped: mmap.mmap, at: int) -> tuple[int, int]:
    """A protobuf variable-length number, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(mapped):
            raise ValueError("it ends too early")
        byte = mapped[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")


def _as_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
