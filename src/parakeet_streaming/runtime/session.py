"""A graph and a runtime's name in; a session that runs it out.

Rules of this file:

1. A runtime that is asked for is used, or it is an error.
2. `auto` is ONNX Runtime, which runs everywhere; for bfloat16 it is OpenVINO, the only one that
   computes in it on a processor. `choice.py` decides which one is faster for an encoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from numpy.typing import NDArray

from parakeet_streaming.catalog.graph import TensorSpec
from parakeet_streaming.errors import ModelPartMissingError, OptionError
from parakeet_streaming.runtime.cores import check_threads, usable_cores
from parakeet_streaming.runtime.gpu_choice import TORCH
from parakeet_streaming.runtime.onnx_runtime import open_onnx_runtime
from parakeet_streaming.runtime.openvino_runtime import open_openvino

Array = NDArray[Any]

ONNX_RUNTIME: Final = "onnxruntime"
OPENVINO: Final = "openvino"
RUNTIMES: Final = ("auto", ONNX_RUNTIME, OPENVINO, TORCH)


class Session(Protocol):
    """One graph, ready to run, from any number of threads."""

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """By name, in the graph's order."""
        ...

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """By name, in the graph's order."""
        ...

    @property
    def providers(self) -> tuple[str, ...]:
        """The runtime's names of what really runs it, the preferred one first."""
        ...

    @property
    def threads(self) -> int: ...

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name, in the graph's order; valid until the same thread's next call.

        A caller that needs an output longer copies it: a copy of all outputs would take as long as
        a tenth of a call.
        Integers are cast to the integer type that the graph declares, floats to its float type;
        float16 outputs come back as float32.

        Raises:
            ComputeError: the runtime could not run the call; the message has its reason.
        """
        ...


def choose_runtime(runtime: str = "auto", *, bfloat16: bool = False, provider: str = "auto") -> str:
    """The runtime that `auto` stands for.

    Raises:
        OptionError: no such runtime, or one that cannot do what else is asked.
    """
    if runtime not in RUNTIMES:
        raise OptionError(f"{runtime!r} is no runtime; use {', '.join(RUNTIMES)}")
    if runtime == TORCH:
        raise OptionError(
            "the runtime torch runs whole models, not single graphs; use onnxruntime or openvino"
        )
    if bfloat16 and runtime == ONNX_RUNTIME:
        raise OptionError(
            "ONNX Runtime does not compute in bf16 on a processor; use the runtime openvino, or "
            "another precision"
        )
    chosen = (OPENVINO if bfloat16 else ONNX_RUNTIME) if runtime == "auto" else runtime
    if chosen == OPENVINO and provider.lower() not in ("auto", "cpu"):
        raise OptionError(
            f"provider {provider} belongs to ONNX Runtime; OpenVINO runs on the processor here: "
            "leave the provider or the runtime out"
        )
    return chosen


def open_session(
    source: str | Path | bytes,
    *,
    runtime: str = "auto",
    provider: str = "auto",
    threads: int | None = None,
    name: str | None = None,
    bfloat16: bool = False,
    float16: bool = False,
) -> Session:
    """A session for a graph.

    Args:
        source: path of an .onnx file, or the bytes of one whose weights are inside.
        runtime: one of `RUNTIMES`.
        provider: of ONNX Runtime; see `resolve_providers`.
        threads: of one call, 1 or more; None for one per usable physical core. Calls of a
            fraction of a millisecond, as of a prediction network, are fastest with 1.
        name: what messages call the graph; the path where there is one.
        bfloat16: compute in bfloat16, whatever the weights are stored in.
        float16: whether TensorRT may compute in float16, as where the weights are.

    Raises:
        OptionError: no such runtime or provider, or an impossible number of threads.
        ExtraMissingError: OpenVINO is not installed.
        ProviderMissingError: the provider is not offered, or could not start.
        ModelPartMissingError: no such file.
        ModelFormatError: the runtime refuses the graph.
    """
    chosen = choose_runtime(runtime, bfloat16=bfloat16, provider=provider)
    check_threads(threads)
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise ModelPartMissingError(f"{source} is missing; fetch the model again")
    graph = source if isinstance(source, bytes) else str(source)
    called = name or ("the graph" if isinstance(source, bytes) else str(source))
    count = int(threads or usable_cores())
    if chosen == OPENVINO:
        return open_openvino(graph, threads=count, name=called, bfloat16=bfloat16)
    return open_onnx_runtime(graph, provider=provider, threads=count, name=called, float16=float16)
