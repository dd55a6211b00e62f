"""A decoder_joint in float32 in; the same graph with int8 weights out, a scale for every 64.

The time for a token is the time to read the weights of the prediction network and the joint. A
quarter of the bytes takes a quarter of the time.

```
x ─┐
h ─┴► Concat ► MatMulNBits ► Add ► Split ─► gates ─► h', c'      one step of an LSTM
                    x ► MatMulNBits ► x · W                      any other product
```

Rules of this file:

1. ONNX Runtime's operator scales activations by blocks of each row, so no row depends on another.
2. An LSTM is written out for one token: a prediction network gets one token per call.
3. A matrix that is no constant, or that the operator cannot take, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from parakeet_streaming.ports import Floats

BLOCK: Final = 64
"""Weights of a column that share a scale."""

_CONTRIBUTED: Final = "com.microsoft"
_ZERO: Final = 128
"""Stored for a weight of zero; the operator's own default."""
_INT8_ACTIVATIONS: Final = 4
"""The operator's `accuracy_level` that multiplies in int8."""
_FIRST_AXIS, _BOTH_AXES = "block_scales.first_axis", "block_scales.both_axes"


def scale_blocks(source: Path, target: Path, *, top: int = 63) -> None:
    """Writes the graph in `source` to `target`, its products and LSTMs with int8 weights.

    Args:
        source: a float32 graph of opset 13 or later, its weights inside or beside it.
        target: gets its weights inside.
        top: the largest weight in steps of its scale; above 63, processors without VNNI overflow
            where they add pairs of products.
    """
    model = onnx.load(source)
    graph = model.graph
    weights = {each.name: each for each in graph.initializer}
    made = [
        numpy_helper.from_array(np.array([0], np.int64), _FIRST_AXIS),
        numpy_helper.from_array(np.array([0, 1], np.int64), _BOTH_AXES),
    ]
    nodes: list[NodeProto] = []
    for node in graph.node:
        constants = {
            name: numpy_helper.to_array(weights[name]) for name in _constants(node, weights)
        }
        if node.op_type == "MatMul" and node.input[1] in constants:
            matrix = constants[node.input[1]]
            nodes.append(_product(node.input[0], matrix, node.output[0], top, made))
        elif node.op_type == "LSTM" and set(node.input[1:4]) <= constants.keys():
            nodes += _written_out(node, constants, top, made)
        else:
            nodes.append(node)
    read = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in read]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *made])
    model.opset_import.append(helper.make_opsetid(_CONTRIBUTED, 1))
    onnx.save_model(model, target)


def _constants(node: NodeProto, weights: dict[str, TensorProto]) -> Iterator[str]:
    """The inputs of a node that are constant matrices or, for an LSTM, its weights and biases."""
    ranks = {"MatMul": (2,), "LSTM": (2, 3)}.get(node.op_type, ())
    for name in node.input:
        if name in weights and len(weights[name].dims) in ranks:
            yield name


def _product(
    rows: str, matrix: Floats, output: str, top: int, made: list[TensorProto]
) -> NodeProto:
    """The product of rows and a matrix (K, N); its values and scales go to `made`."""
    depth, columns = matrix.shape
    blocks = -(-depth // BLOCK)
    padded = np.zeros((columns, blocks * BLOCK), np.float32)
    padded[:, :depth] = matrix.T
    padded = padded.reshape(columns, blocks, BLOCK)
    scales = np.maximum(np.abs(padded).max(axis=2) / np.float32(top), np.finfo(np.float32).tiny)
    values = (np.round(padded / scales[:, :, None]) + _ZERO).astype(np.uint8)
    names = [f"{output}.int8", f"{output}.scales"]
    made += [
        numpy_helper.from_array(values, names[0]),
        numpy_helper.from_array(scales.reshape(-1), names[1]),
    ]
    return helper.make_node(
        "MatMulNBits",
        [rows, *names],
        [output],
        domain=_CONTRIBUTED,
        K=depth,
        N=columns,
        bits=8,
        block_size=BLOCK,
        accuracy_level=_INT8_ACTIVATIONS,
    )


def _written_out(
    node: NodeProto, constants: dict[str, NDArray[np.generic]], top: int, made: list[TensorProto]
) -> list[NodeProto]:
    """One step of an LSTM of inputs (1, B, I) and states (1, B, H).

    ONNX's gates are in the order input, output, forget, candidate.
    """
    rows, weight, recurrence, bias, _, hidden, cell = node.input[:7]
    outputs, next_hidden, next_cell = node.output
    both = np.concatenate((constants[weight][0], constants[recurrence][0]), axis=1)
    own, recurrent = np.split(constants[bias][0], 2)

    def name(part: str) -> str:
        return f"{outputs}.{part}"

    def step(operator: str, read: list[str], given: str) -> NodeProto:
        return helper.make_node(operator, read, [given])

    widths = np.full(4, own.shape[0] // 4, np.int64)
    made += [
        numpy_helper.from_array((own + recurrent).astype(np.float32), name("bias")),
        numpy_helper.from_array(widths, name("widths")),
    ]
    gates = [name(each) for each in ("in", "out", "forget", "candidate")]
    opened_in, opened_out, opened_forget = (f"{gate}.open" for gate in gates[:3])
    candidate = gates[3]
    return [
        step("Squeeze", [rows, _FIRST_AXIS], name("row")),
        step("Squeeze", [hidden, _FIRST_AXIS], name("hidden")),
        step("Squeeze", [cell, _FIRST_AXIS], name("cell")),
        helper.make_node("Concat", [name("row"), name("hidden")], [name("both")], axis=1),
        _product(name("both"), both.T, name("product"), top, made),
        step("Add", [name("product"), name("bias")], name("gates")),
        helper.make_node("Split", [name("gates"), name("widths")], gates, axis=1),
        *(step("Sigmoid", [gate], f"{gate}.open") for gate in gates[:3]),
        step("Tanh", [candidate], name("fresh")),
        step("Mul", [opened_forget, name("cell")], name("kept")),
        step("Mul", [opened_in, name("fresh")], name("added")),
        step("Add", [name("kept"), name("added")], name("next_cell")),
        step("Tanh", [name("next_cell")], name("shown")),
        step("Mul", [opened_out, name("shown")], name("next_hidden")),
        step("Unsqueeze", [name("next_hidden"), _BOTH_AXES], outputs),
        step("Unsqueeze", [name("next_hidden"), _FIRST_AXIS], next_hidden),
        step("Unsqueeze", [name("next_cell"), _FIRST_AXIS], next_cell),
    ]
