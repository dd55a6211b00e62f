"""Silero VAD's .onnx file in; the same network as two graphs out: frames to features, and a step.

```
frames   windows (n, 576) ─► spectrum ─► 4 convolutions ─► features (n, 128)     of any streams
step     features, hidden, cell (1, B, 128) ─► LSTM ─► probability (1, B, 1), next hidden and cell
```

Only the step depends on the frame before, and it is a small part of the work. So the frames of many
streams, and several of each stream, share one call of the first graph.

Rules of this file:

1. Weights are those of the file. Answers differ from the file's graph by rounding alone.
2. A convolution is written as one product of all rows. The file's own convolutions have one to four
   positions per row; a runtime takes four times as long for these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from parakeet_streaming.catalog.file_reading import read_bytes, reading
from parakeet_streaming.ports import VAD_FRAME_SAMPLES, Floats

CONTEXT_SAMPLES: Final = 64
"""Samples before a frame that belong to its window."""
WINDOW_SAMPLES: Final = CONTEXT_SAMPLES + VAD_FRAME_SAMPLES
WIDTH: Final = 128
"""Of features, hidden and cell."""

_HOP_SAMPLES: Final = 128
_HOPS: Final = 5
"""Of a window and the 64 samples that are mirrored at its end."""
_BINS: Final = 129
_STRIDES: Final = (1, 2, 2, 1)
_OPSET: Final = 15
_MOST_BYTES: Final = 64 * 2**20
"""Of the file: 1.3 MB."""


@dataclass(frozen=True, slots=True)
class SileroGraphs:
    """Two serialised ONNX models."""

    frames: bytes
    """`windows` to `features`."""
    step: bytes
    """`features`, `hidden` and `cell` to `probability`, `next_hidden` and `next_cell`."""


def read_silero(path: Path) -> SileroGraphs:
    """The two graphs of the network in a `silero_vad_16k_op15.onnx`.

    Raises:
        ModelFormatError: another file, or a broken one.
        ModelPartMissingError, FileAccessError: it is not there, or may not be read.
    """
    content = read_bytes(path, _MOST_BYTES)
    with reading(path, "is no Silero VAD"):
        tensors = onnx.ModelProto.FromString(content).graph.initializer
        weights = {each.name.removeprefix("model."): _array(each) for each in tensors}
        return SileroGraphs(_frames_graph(weights), _step_graph(weights))


def _array(tensor: TensorProto) -> NDArray[Any]:
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ValueError("its weights must be in the file itself")
    return numpy_helper.to_array(tensor)


@dataclass(slots=True)
class _GraphWriter:
    """Collects the nodes and constants of a graph."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, values: NDArray[Any]) -> str:
        """The name of a constant with these values."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        """The name of a constant with these integers."""
        return self.constant(np.array(values, dtype=np.int64))

    def add(
        self, kind: str, *inputs: str, output: str | None = None, **attributes: int | str
    ) -> str:
        """Adds a node with one output, and gives the name of that."""
        name = output or f"{kind}{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [name])
        node.attribute.extend(helper.make_attribute(*each) for each in attributes.items())
        self.nodes.append(node)
        return name

    def model(self, inputs: Mapping[str, list[Any]], outputs: Mapping[str, list[Any]]) -> bytes:
        """The serialised graph; `inputs` and `outputs` by name, with their shapes, float32."""
        graph = helper.make_graph(
            self.nodes, "silero", _declared(inputs), _declared(outputs), self.constants
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        whole: bytes = model.SerializeToString()
        return whole


def _declared(shapes: Mapping[str, list[Any]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]


def _frames_graph(weights: Mapping[str, Floats]) -> bytes:
    graph = _GraphWriter()
    mirror = graph.integers(0, 0, 0, _HOPS * _HOP_SAMPLES - WINDOW_SAMPLES)
    padded = graph.add("Pad", "windows", mirror, mode="reflect")
    hops = graph.add("Reshape", padded, graph.integers(-1, _HOPS, _HOP_SAMPLES))
    basis = weights["stft.forward_basis_buffer"].reshape(2 * _BINS, 2, _HOP_SAMPLES)
    positions = _HOPS - 1
    last = _magnitude(graph, _convolved(graph, hops, basis.transpose(0, 2, 1), positions))
    for layer, stride in enumerate(_STRIDES):
        weight, bias = (
            weights[f"encoder.{layer}.reparam_conv.{each}"] for each in ("weight", "bias")
        )
        positions = (positions - 1) // stride + 1
        padded = graph.add("Pad", last, graph.integers(0, 1, 0, 0, 1, 0))
        product = _convolved(graph, padded, weight, positions, stride)
        last = graph.add("Relu", graph.add("Add", product, graph.constant(bias)))
    graph.add("Reshape", last, graph.integers(-1, WIDTH), output="features")
    return graph.model({"windows": ["n", WINDOW_SAMPLES]}, {"features": ["n", WIDTH]})


def _convolved(
    graph: _GraphWriter, rows: str, weight: Floats, positions: int, stride: int = 1
) -> str:
    """Rows (n, p, inputs) convolved with (outputs, inputs, taps): (n, `positions`, outputs)."""
    outputs, inputs, taps = weight.shape
    shifted = []
    for tap in range(taps):
        end = tap + (positions - 1) * stride + 1
        edges = [graph.integers(at) for at in (tap, end, 1, stride)]
        shifted.append(graph.add("Slice", rows, *edges))
    side_by_side = graph.add("Concat", *shifted, axis=2)
    matrix = weight.transpose(2, 1, 0).reshape(taps * inputs, outputs)
    return graph.add("MatMul", side_by_side, graph.constant(matrix))


def _magnitude(graph: _GraphWriter, spectrum: str) -> str:
    """(n, p, 129) of real and imaginary parts (n, p, 258)."""
    squares = []
    for start in (0, _BINS):
        edges = [graph.integers(at) for at in (start, start + _BINS, 2)]
        part = graph.add("Slice", spectrum, *edges)
        squares.append(graph.add("Mul", part, part))
    return graph.add("Sqrt", graph.add("Add", *squares))


def _step_graph(weights: Mapping[str, Floats]) -> bytes:
    graph = _GraphWriter()
    of_input, of_hidden, input_bias, hidden_bias = (
        _gates(weights[f"decoder.rnn.{each}"])
        for each in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    bias = np.concatenate([input_bias, hidden_bias])
    constants = [graph.constant(each[None]) for each in (of_input, of_hidden, bias)]
    inputs = ["features", *constants, "", "hidden", "cell"]
    outputs = ["", "next_hidden", "next_cell"]
    graph.nodes.append(helper.make_node("LSTM", inputs, outputs, hidden_size=WIDTH))
    positive = graph.add("Relu", "next_hidden")
    product = graph.add("MatMul", positive, graph.constant(weights["decoder.decoder.2.weight"][0]))
    biased = graph.add("Add", product, graph.constant(weights["decoder.decoder.2.bias"]))
    graph.add("Sigmoid", biased, output="probability")
    shape = [1, "b", WIDTH]
    return graph.model(
        {"features": shape, "hidden": shape, "cell": shape},
        {"probability": [1, "b", 1], "next_hidden": shape, "next_cell": shape},
    )


def _gates(weight: Floats) -> Floats:
    """Rows of four gates in ONNX's order (input, output, forget, cell), given in that of torch."""
    entry, forget, cell, out = np.split(weight, 4)
    return np.concatenate([entry, out, forget, cell])
