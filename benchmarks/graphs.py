"""Nodes and shapes of weights in; an .onnx file with random weights out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
_OPSET = 17
_IR_VERSION = 8


class GraphBuilder:
    """One graph in the making. Random weights go to a file beside it at once: they may be many."""

    def __init__(self, path: Path, generator: np.random.Generator) -> None:
        self._path = path
        self._data = path.with_name(f"{path.name}.data").open("wb")
        self._generator = generator
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0

    def takes(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Declares an input."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def gives(self, name: str, kind: int, shape: Sequence[int | str]) -> None:
        """Declares an output."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def node(self, operator: str, *inputs: str, output: str | None = None, **how: Any) -> str:
        """Adds a node; the name of its output."""
        name = output or self._name(operator)
        self._nodes.append(helper.make_node(operator, inputs, [name], **how))
        return name

    def split(self, operator: str, *inputs: str, outputs: int, **how: Any) -> list[str]:
        """Adds a node of several outputs; their names."""
        names = [self._name(operator) for _ in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, **how))
        return names

    def random(self, *shape: int, fan_in: int | None = None, name: str | None = None) -> str:
        """A weight that keeps the size of what it multiplies.

        `fan_in` values are summed in every output; as many as `shape` has rows, if not told.
        """
        values = self._generator.standard_normal(math.prod(shape), dtype=np.float32)
        values *= np.float32(1 / math.sqrt(fan_in or shape[0]))
        return self.weight(values.reshape(shape), name)

    def weight(self, values: NDArray[np.float32], name: str | None = None) -> str:
        """A weight of given values."""
        name = name or self._name("weight")
        tensor = TensorProto(name=name, data_type=FLOAT, dims=values.shape)
        tensor.data_location = TensorProto.EXTERNAL
        where = (("location", Path(self._data.name).name), ("offset", self._data.tell()))
        for key, value in (*where, ("length", values.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        self._data.write(values.astype(np.float32, copy=False).tobytes())
        self._weights.append(tensor)
        return name

    def whole(self, *numbers: int) -> str:
        """A constant (n,) of int64."""
        name = self._name("whole")
        self._weights.append(numpy_helper.from_array(np.array(numbers, dtype=np.int64), name))
        return name

    def scalar(self, number: float) -> str:
        """A constant float."""
        name = self._name("scalar")
        self._weights.append(numpy_helper.from_array(np.array(number, dtype=np.float32), name))
        return name

    def save(self, *, weights_inside: bool) -> None:
        """Writes the graph, its weights beside it or inside."""
        self._data.close()
        graph = helper.make_graph(
            self._nodes, "graph", self._inputs, self._outputs, initializer=self._weights
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        if weights_inside:
            onnx.load_external_data_for_model(model, str(self._path.parent))
            Path(self._data.name).unlink()
        onnx.save_model(model, self._path)

    def _name(self, operator: str) -> str:
        self._count += 1
        return f"{operator.lower()}_{self._count}"
