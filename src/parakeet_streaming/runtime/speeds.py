"""Nothing in; how fast each runtime computes on this machine, by form of the weights, out.

Measured once, in about two seconds, and kept on disk until a runtime, the processor or the number
of cores changes.
"""

from __future__ import annotations

import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from parakeet_streaming.runtime import onnx_runtime, openvino_runtime
from parakeet_streaming.runtime.cache import cache_folder
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.probe_graph import FORMS, FP32, OPERATIONS, ROWS, WIDTH, probe_graph
from parakeet_streaming.runtime.session import ONNX_RUNTIME, OPENVINO, Session

BF16: Final = "fp32, computed in bf16"
_FILE: Final = "speeds.json"
_RUNS: Final = 7


@dataclass(frozen=True, slots=True)
class Speed:
    """What one runtime makes of one form."""

    runtime: str
    form: str
    """One of `FORMS`, or `BF16`."""
    operations: float
    """A second."""


def speeds() -> tuple[Speed, ...]:
    """Every runtime that is installed, every form that it computes; from disk where it is known."""
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
    processor = platform.processor() or platform.machine()
    model = [line for line in _processor_lines() if line.startswith(("model name", "flags"))]
    versions = f"onnxruntime {onnx_runtime.version()}, openvino {openvino_runtime.version()}"
    return f"{processor}, {usable_cores()} cores, {versions}, {'; '.join(model[:2])}"


def _processor_lines(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _kept(path: Path, origin: str) -> tuple[Speed, ...] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["origin"] != origin:
            return None
        return tuple(Speed(**each) for each in told["speeds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, origin: str, found: tuple[Speed, ...]) -> None:
    told = [
        {"runtime": each.runtime, "form": each.form, "operations": each.operations}
        for each in found
    ]
    text = json.dumps({"origin": origin, "speeds": told}, indent=1)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError:
        return


def _measured() -> tuple[Speed, ...]:
    threads = usable_cores()
    found = []
    for form in FORMS:
        graph = probe_graph(form)
        ours = onnx_runtime.open_onnx_runtime(graph, provider="cpu", threads=threads, name=form)
        found.append(Speed(ONNX_RUNTIME, form, _operations(ours)))
        if openvino_runtime.version() is None:
            continue
        for bfloat16 in (False, True)[
            : 1 + (form == FP32 and openvino_runtime.multiplies_bfloat16())
        ]:
            theirs = openvino_runtime.open_openvino(
                graph, threads=threads, name=form, bfloat16=bfloat16, kept=False
            )
            found.append(Speed(OPENVINO, BF16 if bfloat16 else form, _operations(theirs)))
    return tuple(found)


def _operations(session: Session) -> float:
    """A second, of the best of some runs."""
    rows = np.random.default_rng(1).standard_normal((ROWS, WIDTH), np.float32)
    best_s = float("inf")
    for run in range(1 + _RUNS):
        started_s = time.perf_counter()
        session.run({"x": rows})
        if run:
            best_s = min(best_s, time.perf_counter() - started_s)
    return OPERATIONS / best_s
