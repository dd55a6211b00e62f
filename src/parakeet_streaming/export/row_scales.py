"""A graph in; the same graph with int8 matrix products out, with a scale per row of activations.

```
x ─┬─────────────────► Div ► QuantizeLinear ► DequantizeLinear ► MatMul ► Mul ► x · W
   └► Abs ► ReduceMax ─┴────────── the peak of each row ──────────────────┘
```

Rules of this file:

1. A row's scale is its own peak, so no row depends on another, bit for bit.
2. Only operators of the ONNX standard are used: runtimes recognise a product of two dequantised
   tensors and compute it in int8.
3. Matrices are read one at a time, from the graph or from the file beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from parakeet_streaming.export.external_weights import data_file

_TINY, _STEP, _ZERO = "row_scales.tiny", "row_scales.step", "row_scales.zero"
_CONSTANTS: Final = (
    # A row of zeros has a scale too.
    numpy_helper.from_array(np.array(1e-9, np.float32), _TINY),
    numpy_helper.from_array(np.array(1 / 127, np.float32), _STEP),
    numpy_helper.from_array(np.array(128, np.uint8), _ZERO),
)


def scale_rows(source: Path, target: Path, *, top: int = 63) -> None:
    """Writes the graph in `source` to `target`, products with a constant matrix in int8.

    Args:
        source: a float32 graph of opset 13 to 17, its weights inside or beside it.
        target: gets its weights inside, or beside it where those of `source` stand beside that:
            runtimes map such a file, where they would copy what is inside.
        top: the largest weight in steps of its column's scale; above 63, processors without VNNI
            overflow where they add pairs of products.
    """
    model = onnx.load(source, load_external_data=False)
    weights = {each.name: each for each in model.graph.initializer if len(each.dims) == 2}
    quantised: dict[str, list[TensorProto]] = {}
    scaled: set[str] = set()
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights:
            nodes.append(node)
            continue
        rows, matrix = node.input
        if rows not in scaled:
            scaled.add(rows)
            nodes += _quantised_rows(rows)
        if matrix not in quantised:
            quantised[matrix] = _quantised_columns(weights[matrix], source.parent, top)
        nodes += _product(rows, matrix, node.output[0])
    _rebuild(model.graph, nodes, [each for pair in quantised.values() for each in pair])
    beside = data_file(source).is_file()
    onnx.load_external_data_for_model(model, str(source.parent))
    onnx.save_model(model, target, save_as_external_data=beside, location=data_file(target).name)
    if beside:  # onnx makes it readable for this user only
        data_file(target).chmod(target.stat().st_mode)


def _quantised_rows(rows: str) -> list[NodeProto]:
    """Nodes that give `rows` over its peaks as int8 values, and the peaks (..., 1)."""
    absolute, peak, peaks, ratio = (f"{rows}.{each}" for each in ("abs", "peak", "peaks", "ratio"))
    return [
        helper.make_node("Abs", [rows], [absolute]),
        helper.make_node("ReduceMax", [absolute], [peak], axes=[-1], keepdims=1),
        helper.make_node("Max", [peak, _TINY], [peaks]),
        helper.make_node("Div", [rows, peaks], [ratio]),
        helper.make_node("QuantizeLinear", [ratio, _STEP, _ZERO], [f"{rows}.int8"]),
    ]


def _quantised_columns(weight: TensorProto, folder: Path, top: int) -> list[TensorProto]:
    """Values (K, N) and scales (N,) of a matrix, one scale per column."""
    matrix = _read(weight, folder)
    scales = np.maximum(np.abs(matrix).max(axis=0) / np.float32(top), np.finfo(np.float32).tiny)
    values = np.round(matrix / scales).astype(np.int8)
    return [
        numpy_helper.from_array(values, f"{weight.name}.int8"),
        numpy_helper.from_array(scales, f"{weight.name}.scales"),
    ]


def _read(weight: TensorProto, folder: Path) -> NDArray[np.float32]:
    """A weight's values, read into a copy, so that the graph does not hold them."""
    copied = TensorProto()
    copied.CopyFrom(weight)
    return numpy_helper.to_array(copied, str(folder)).astype(np.float32, copy=False)


def _product(rows: str, matrix: str, output: str) -> list[NodeProto]:
    left, right, ratio = f"{output}.left", f"{output}.right", f"{output}.ratio"
    columns = [f"{matrix}.int8", f"{matrix}.scales"]
    return [
        helper.make_node("DequantizeLinear", [f"{rows}.int8", _STEP, _ZERO], [left]),
        helper.make_node("DequantizeLinear", columns, [right], axis=1),
        helper.make_node("MatMul", [left, right], [ratio]),
        helper.make_node("Mul", [ratio, f"{rows}.peaks"], [output]),
    ]


def _rebuild(graph: GraphProto, nodes: list[NodeProto], quantised: list[TensorProto]) -> None:
    """Replaces the graph's nodes, and the weights that no node reads any more."""
    read = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in read]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *quantised, *_CONSTANTS])
