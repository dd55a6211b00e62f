"""Nothing in; how fast each runtime computes on this machine, by form of the weights, out.

Rules of this file:

1. Speeds are measured once, in a few seconds, and kept on disk until a runtime, the processor or
   the number of cores changes.
2. What is measured is the speed of a small graph of such weights, which stands for an encoder's.
   Most of a FastConformer's work is such products, of these sizes in models of 0.6 B weights:

```
x (rows, 1024) ─► · A (1024, 4096) ─► SiLU ─► · B (4096, 1024) ─► y       a feed-forward block
```
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from parakeet_streaming.catalog.cache_folder import cache_folder, keep_text, kept_text
from parakeet_streaming.runtime import onnx_runtime, openvino_runtime
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.processor import processor
from parakeet_streaming.runtime.session import ONNX_RUNTIME, OPENVINO, Session
from parakeet_streaming.runtime.trial import openvino_computes

FP32: Final = "fp32"
INT8_CALL: Final = "int8, scaled by the call"
INT8_ROW: Final = "int8, scaled by the row"
FORMS: Final = (FP32, INT8_CALL, INT8_ROW)
"""How weights are stored, and how activations are scaled to them."""
BF16: Final = "fp32, computed in bf16"

ROWS: Final = 200
"""Frames: four windows of 4 s."""
WIDTH: Final = 1024
INNER: Final = 4096
OPERATIONS: Final = 2 * 2 * ROWS * WIDTH * INNER

_LOG: Final = logging.getLogger(__name__)
_STEP: Final = 1 / 127
_FILE: Final = "speeds.json"
_RUNS: Final = 7
_MOST_OPERATIONS: Final = 1e18
"""No machine is as fast: a million times as many as a processor of today."""


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed of one runtime with one form of weights."""

    runtime: str
    form: str
    """One of `FORMS`, or `BF16`."""
    operations: float
    """Per second."""


def speeds() -> tuple[Speed, ...]:
    """Of every installed runtime and every form that it computes; from disk if measured before.

    What does not compute on this machine is left out, and is no error.
    """
    folder = cache_folder("machine")
    path = None if folder is None else folder / _FILE
    origin = _origin()
    found = None if path is None else _kept(path, origin)
    if found is None:
        found = _measured()
        if path is not None:
            _keep(path, origin, found)
    return found


def _origin() -> str:
    """What the speeds depend on."""
    versions = f"onnxruntime {onnx_runtime.version()}, openvino {openvino_runtime.version()}"
    return f"{processor()}, {usable_cores()} cores, {versions}"


def _kept(path: Path, origin: str) -> tuple[Speed, ...] | None:
    """What was kept, if it is of this machine and can have been measured; else None."""
    try:
        saved = json.loads(kept_text(path) or "")
        found = tuple(_speed(each) for each in saved["speeds"])
        of_this_machine = saved["origin"] == origin
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    measured = {(each.runtime, each.form) for each in found}
    return found if of_this_machine and 0 < len(measured) == len(found) else None


def _speed(saved: dict[str, object]) -> Speed:
    """A speed as it was kept.

    Raises:
        ValueError, KeyError, TypeError, OverflowError: it is none.
    """
    runtime, form, operations = saved["runtime"], saved["form"], saved["operations"]
    if runtime not in (ONNX_RUNTIME, OPENVINO) or form not in (*FORMS, BF16):
        raise ValueError(f"{runtime!r} has no {form!r}")
    if isinstance(operations, bool) or not isinstance(operations, int | float):
        raise TypeError(f"{operations!r} is no number")
    if not 0 < operations <= _MOST_OPERATIONS:
        raise ValueError(f"{operations!r} is no speed")
    return Speed(str(runtime), str(form), float(operations))


def _keep(path: Path, origin: str, found: tuple[Speed, ...]) -> None:
    listed = [
        {"runtime": each.runtime, "form": each.form, "operations": each.operations}
        for each in found
    ]
    keep_text(path, json.dumps({"origin": origin, "speeds": listed}, indent=1) + "\n")


def _measured() -> tuple[Speed, ...]:
    threads = usable_cores()
    found: list[Speed] = []
    theirs = openvino_runtime.version() is not None and openvino_computes()
    bfloat16 = theirs and openvino_runtime.multiplies_bfloat16()
    for form in FORMS:

        def ours(form: str = form) -> Session:
            return onnx_runtime.open_onnx_runtime(
                probe_graph(form), provider="cpu", threads=threads, name=form
            )

        def other(form: str = form, bfloat16: bool = False) -> Session:
            return openvino_runtime.open_openvino(
                probe_graph(form), threads=threads, name=form, bfloat16=bfloat16, kept=False
            )

        found += _tried(ONNX_RUNTIME, form, ours)
        found += _tried(OPENVINO, form, other) if theirs else []
        if form == FP32 and bfloat16:
            found += _tried(OPENVINO, BF16, partial(other, bfloat16=True))
    return tuple(found)


def _tried(runtime: str, form: str, opened: Callable[[], Session]) -> list[Speed]:
    """The speed, if the runtime computes; a trial decides nothing but which runtime is faster."""
    try:
        return [Speed(runtime, form, _operations(opened()))]
    except Exception as error:  # whatever a runtime raises on a machine that it does not know
        _LOG.warning("%s does not compute %s here: %s", runtime, form, error)
        return []


def _operations(session: Session) -> float:
    """Per second, in the fastest of some runs."""
    rows = np.random.default_rng(1).standard_normal((ROWS, WIDTH), np.float32)
    best_s = float("inf")
    for run in range(1 + _RUNS):
        started_s = time.perf_counter()
        session.run({"x": rows})
        if run:
            best_s = min(best_s, time.perf_counter() - started_s)
    return OPERATIONS / best_s


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
    """The form of weights of a graph with these operators; None if it is none of `FORMS`."""
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
    nodes = [helper.make_node(kind, inputs, [f"{name}.{each}"]) for kind, inputs, each in chain]
    nodes[1].attribute.append(helper.make_attribute("axes", [-1]))
    nodes[6].attribute.append(helper.make_attribute("axis", 1))
    return [*nodes, helper.make_node("Mul", [f"{name}.product", f"{name}.peaks"], [output])]


_PRODUCTS: Final = {FP32: _float_product, INT8_CALL: _call_product, INT8_ROW: _row_product}
