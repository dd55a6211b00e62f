"""An .onnx file in; a description out: inputs, outputs, operators, external files and tables.

Rules of this file:

1. Weights are never read (`skeleton.py`).
2. The only error here is a file that is no whole ONNX. `roles.py` decides what a graph is for.
3. A file comes from outside: what it names is text, what it counts is bounded, and every walk over
   it is linear, whatever its nodes read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from parakeet_streaming.catalog.file_reading import (
    reading,
    refuse_pointer,
)
from parakeet_streaming.catalog.limits import (
    MOST_GRAPH_BYTES,
    MOST_NAME_CHARACTERS,
    MOST_RANK,
    MOST_TENSORS,
    refuse_beyond,
)
from parakeet_streaming.catalog.skeleton import without_weights
from parakeet_streaming.catalog.tensors import nodes_of, outside, tensors_of
from parakeet_streaming.plain_text import shown

_SAME_VALUE: Final = frozenset({"Identity", "Cast", "DequantizeLinear"})
_MOST_BITS: Final = 64
_MOST_FACE_CHARACTERS: Final = 2_000


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
        face = f"({inputs}) → ({outputs})"
        return face if len(face) <= _MOST_FACE_CHARACTERS else f"{face[:_MOST_FACE_CHARACTERS]}..."


def read_graph(path: Path) -> Graph:
    """The description of one .onnx file.

    Raises:
        ModelFormatError: a truncated file, one that is no ONNX, or a Git LFS pointer.
        ModelPartMissingError, FileAccessError: it is not there, or may not be read.
    """
    refuse_pointer(path)
    with reading(path, "is no whole ONNX file"):
        if path.stat().st_size > MOST_GRAPH_BYTES:
            raise ValueError(f"larger than {MOST_GRAPH_BYTES} bytes: weights must lie beside it")
        model = onnx.ModelProto.FromString(without_weights(path))
        if not model.opset_import or not model.graph.output:
            raise ValueError("it holds no graph")
        return _face_of(path, model)


def _face_of(path: Path, model: onnx.ModelProto) -> Graph:
    graph = model.graph
    nodes = nodes_of(model)
    weights = {tensor.name for tensor in graph.initializer}
    inputs = tuple(_spec(value) for value in graph.input if value.name not in weights)
    for count in (len(inputs), len(graph.output)):
        refuse_beyond(f"{path}: its number of inputs or outputs", count, MOST_TENSORS, least=0)
    tensors = list(tensors_of(model))
    constants = _Constants(graph)
    return Graph(
        path=path,
        inputs=inputs,
        outputs=tuple(_spec(value) for value in graph.output),
        operators=frozenset(_name(node.op_type) for node in nodes),
        float16_weights=any(each.data_type == onnx.TensorProto.FLOAT16 for each in tensors),
        block_bits=frozenset(_bits(node) for node in nodes if node.op_type == "MatMulNBits"),
        external_files=_external_files(tensors),
        metadata={_text(entry.key): _text(entry.value) for entry in model.metadata_props},
        sliced_tables=tuple(constants.sliced()),
        embedding_rows=constants.embedding_rows({spec.name for spec in inputs if spec.rank == 2}),
    )


def _spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor = value.type.tensor_type
    if len(tensor.shape.dim) > MOST_RANK:
        raise ValueError(f"{shown(value.name)} has {len(tensor.shape.dim)} dimensions")
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    except KeyError:
        dtype = np.dtype(object)
    shape = tuple(
        size.dim_value if size.HasField("dim_value") else _name(size.dim_param) or "?"
        for size in tensor.shape.dim
    )
    return TensorSpec(_name(value.name), dtype, shape)


def _text(text: str) -> str:
    """A text of the file; protobuf gives bytes where one is no UTF-8."""
    if not isinstance(text, str):
        raise ValueError(f"{shown(text)} is no text in UTF-8")  # noqa: TRY004  it is the file's
    return text


def _name(name: str) -> str:
    if len(_text(name)) > MOST_NAME_CHARACTERS:
        raise ValueError(f"the name {shown(name)} has {len(name)} characters")
    return name


def _bits(node: onnx.NodeProto) -> int:
    for attribute in node.attribute:
        if attribute.name == "bits":
            whole = attribute.type in (onnx.AttributeProto.INT, onnx.AttributeProto.UNDEFINED)
            if not whole or not 1 <= attribute.i <= _MOST_BITS:
                raise ValueError("a weight of no possible number of bits")
            return int(attribute.i)
    return 4


def _external_files(tensors: Iterable[onnx.TensorProto]) -> dict[str, int]:
    files: dict[str, int] = {}
    for tensor in tensors:
        place = outside(tensor)
        if place is not None:
            files[_text(place.location)] = max(files.get(place.location, 0), place.end)
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
                self._origin[_at(node, node.output)] = _at(node, node.input)
            for attribute in node.attribute:
                if node.op_type == "Constant" and attribute.HasField("t"):
                    self._shapes[_at(node, node.output)] = tuple(attribute.t.dims)

    def sliced(self) -> Iterator[tuple[int, int]]:
        """Rows and width of tables (rows, width) or (1, rows, width) that a Slice reads."""
        for node in self._nodes:
            if node.op_type == "Slice":
                shape = self._shapes.get(self._source(_at(node, node.input)), ())
                if len(shape) == 2 or (len(shape) == 3 and shape[0] == 1):
                    yield shape[-2], shape[-1]

    def embedding_rows(self, inputs: set[str]) -> int | None:
        """Rows of the first two-dimensional constant that a Gather reads by one of `inputs`."""
        for node in self._nodes:
            if node.op_type == "Gather" and self._source(_at(node, node.input, 1)) in inputs:
                shape = self._shapes.get(self._source(_at(node, node.input)), ())
                if len(shape) == 2:
                    return shape[0]
        return None

    def _source(self, name: str) -> str:
        """Where a value comes from. What was looked through is remembered, so each step is one."""
        way: dict[str, None] = {}
        while name in self._origin:
            if name in way:
                raise ValueError(f"its nodes read each other in a circle: {shown(name)}")
            way[name] = None
            name = self._origin[name]
        self._origin.update(dict.fromkeys(way, name))
        return name


def _at(node: onnx.NodeProto, names: Sequence[str], place: int = 0) -> str:
    """One of a node's inputs or outputs."""
    if place >= len(names):
        raise ValueError(f"a node {shown(node.op_type)} lacks an input or an output")
    return names[place]
