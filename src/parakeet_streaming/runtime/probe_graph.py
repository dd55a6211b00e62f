"""A form of weights in; a small graph of such weights, whose speed stands for an encoder's, out.

```
x (rows, 1024) ─► · A (1024, 4096) ─► SiLU ─► · B (4096, 1024) ─► y       a feed-forward block
```

Most of a FastConformer's work is such products, of just these sizes in the models of 0.6 B.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

FP32: Final = "fp32"
INT8_CALL: Final = "int8, scaled by the call"
INT8_ROW: Final = "int8, scaled by the row"
FORMS: Final = (FP32, INT8_CALL, INT8_ROW)
"""Weights as they are stored, and how activations are brought to them."""

ROWS: Final = 200
"""Frames: four windows of 4 s."""
WIDTH: Final = 1024
INNER: Final = 4096
OPERATIONS: Final = 2 * 2 * ROWS * WIDTH * INNER

_STEP: Final = 1 / 127


def probe_graph(form: str) -> bytes:
    """A graph of one of `FORMS`: x (`ROWS`, `WIDTH`) float32 to y of the same shape."""
    random = np.random.default_rng(0)
    constants: list[TensorProto] = []
    nodes: list[NodeProto] = []
    for name, rows, shape in (("a", "x", (WIDTH, INNER)), ("b", "silu", (INNER, WIDTH))):
        weights = random.integers(-63, 64, shape, dtype=np.int8)
        output = "wide" if name == "a" else "y"
        nodes += _PRODUCTS[form](name, rows, output, weights, constants)
        if name == "a":
            nodes.append(helper.make_node("Sigmoid", ["wide"], ["gate"]))
            nodes.append(helper.make_node("Mul", ["wide", "gate"], ["silu"]))
    graph = helper.make_graph(
        nodes,
        "probe",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", WIDTH])],
        constants,
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    whole: bytes = model.SerializeToString()
    return whole


def form_of(operators: frozenset[str]) -> str | None:
    """The form of a graph with these operators; None where it is another one."""
    if any(name.startswith("DynamicQuantize") for name in operators):
        return INT8_CALL
    if {"QuantizeLinear", "DequantizeLinear"} <= operators:
        return INT8_ROW
    known = operators.isdisjoint({"DequantizeLinear", "MatMulNBits", "QLinearMatMul"})
    return FP32 if known else None


def _float_product(
    name: str, rows: str, output: str, weights: NDArray[np.int8], constants: list[TensorProto]
) -> list[NodeProto]:
    constants.append(numpy_helper.from_array(weights * np.float32(_STEP), name))
    return [helper.make_node("MatMul", [rows, name], [output])]


def _call_product(
    name: str, rows: str, output: str, weights: NDArray[np.int8], constants: list[TensorProto]
) -> list[NodeProto]:
    own = {each: f"{name}.{each}" for each in ("int8", "scale", "zero", "sum", "float", "scales")}
    constants += [
        numpy_helper.from_array(weights, name),
        numpy_helper.from_array(np.full(weights.shape[1], _STEP, np.float32), own["scales"]),
    ]
    quantised = [own[each] for each in ("int8", "scale", "zero")]
    return [
        helper.make_node("DynamicQuantizeLinear", [rows], quantised),
        helper.make_node("MatMulInteger", [own["int8"], name, own["zero"]], [own["sum"]]),
        helper.make_node("Cast", [own["sum"]], [own["float"]], to=TensorProto.FLOAT),
        helper.make_node("Mul", [own["scale"], own["scales"]], [f"{name}.both"]),
        helper.make_node("Mul", [own["float"], f"{name}.both"], [output]),
    ]


def _row_product(
    name: str, rows: str, output: str, weights: NDArray[np.int8], constants: list[TensorProto]
) -> list[NodeProto]:
    """As `parakeet export --scale row` writes it."""
    step, zero, tiny, scales = (f"{name}.{each}" for each in ("step", "zero", "tiny", "scales"))
    constants += [
        numpy_helper.from_array(weights, name),
        numpy_helper.from_array(np.full(weights.shape[1], _STEP, np.float32), scales),
        numpy_helper.from_array(np.array(_STEP, np.float32), step),
        numpy_helper.from_array(np.array(128, np.uint8), zero),
        numpy_helper.from_array(np.array(1e-9, np.float32), tiny),
    ]
    chain = (
        ("Abs", [rows], "size"),
        ("ReduceMax", [f"{name}.size"], "peak"),
        ("Max", [f"{name}.peak", tiny], "peaks"),
        ("Div", [rows, f"{name}.peaks"], "ratio"),
        ("QuantizeLinear", [f"{name}.ratio", step, zero], "int8"),
        ("DequantizeLinear", [f"{name}.int8", step, zero], "left"),
        ("DequantizeLinear", [name, scales], "right"),
        ("MatMul", [f"{name}.left", f"{name}.right"], "product"),
    )
    nodes = [helper.make_node(kind, inputs, [f"{name}.{told}"]) for kind, inputs, told in chain]
    nodes[1].attribute.append(helper.make_attribute("axes", [-1]))
    nodes[6].attribute.append(helper.make_attribute("axis", 1))
    return [*nodes, helper.make_node("Mul", [f"{name}.product", f"{name}.peaks"], [output])]


_PRODUCTS: Final = {FP32: _float_product, INT8_CALL: _call_product, INT8_ROW: _row_product}
