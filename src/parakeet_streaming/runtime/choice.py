"""An encoder's graph and options in; the runtime that computes it, and its session, out.

Rules of this file:

1. A runtime that is asked for is used, or it is an error.
2. `auto` never changes the precision, because texts would then differ from machine to machine. Of
   runtimes that give the same answer, it takes the faster one, as measured on this machine.
3. `auto` takes OpenVINO only if it is faster by a tenth: ONNX Runtime starts sooner, and
   measurements are noisy.
4. OpenVINO is optional, so what it cannot do decides nothing on `auto`: ONNX Runtime computes then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.graph import Graph
from parakeet_streaming.errors import ComputeError, MissingError, ModelFormatError
from parakeet_streaming.runtime import openvino_runtime
from parakeet_streaming.runtime.onnx_runtime import resolve_providers
from parakeet_streaming.runtime.session import (
    ONNX_RUNTIME,
    OPENVINO,
    Session,
    choose_runtime,
    open_session,
)
from parakeet_streaming.runtime.speeds import Speed, form_of, speeds

_FASTER: Final = 1.1
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A runtime and the reason."""

    runtime: str
    why: str


def choose(
    graph: Graph,
    *,
    runtime: str = "auto",
    bfloat16: bool = False,
    provider: str = "auto",
    measure: Callable[[], Sequence[Speed]] | None = None,
) -> Chosen:
    """What computes an encoder.

    Args:
        graph: of the encoder.
        runtime: as in `load`.
        bfloat16: compute in bfloat16.
        provider: as in `load`.
        measure: gives the speeds of this machine; called only if they decide. None for `speeds`.

    Raises:
        OptionError: no such runtime, or one that cannot do what else is asked.
        ProviderMissingError: the provider is not offered here.
    """
    settled = choose_runtime(runtime, bfloat16=bfloat16, provider=provider)
    known = "asked for" if runtime != "auto" else _known(graph, bfloat16, provider)
    if known is not None:
        return Chosen(settled, known)
    form = form_of(graph.operators)
    return (
        fastest(form, (measure or speeds)())
        if form
        else Chosen(settled, "such weights are not measured")
    )


def _known(graph: Graph, bfloat16: bool, provider: str) -> str | None:
    """The reason if no measurement is needed; None if one is."""
    if bfloat16:
        return "only OpenVINO computes in bf16 on a processor"
    if provider.lower() != "auto":
        return f"the provider {provider} is ONNX Runtime's"
    first = resolve_providers("auto")[0]
    if first != "CPUExecutionProvider":
        return f"ONNX Runtime offers {first}"
    if openvino_runtime.version() is None:
        return "OpenVINO is not installed"
    return "fp16 weights are not measured" if graph.float16_weights else None


def fastest(form: str, measured: Sequence[Speed]) -> Chosen:
    """The faster runtime for weights of a form, by these measurements."""
    found = {each.runtime: each.operations for each in measured if each.form == form}
    ours, theirs = found.get(ONNX_RUNTIME), found.get(OPENVINO)
    if theirs is None:
        return Chosen(ONNX_RUNTIME, f"{form}: OpenVINO does not compute it here")
    if ours is None:
        return Chosen(ONNX_RUNTIME, f"{form}: ONNX Runtime could not be measured")
    reason = (
        f"{ours / 1e9:.0f} (ONNX Runtime) and {theirs / 1e9:.0f} (OpenVINO) GFLOP/s measured here"
    )
    return Chosen(OPENVINO if theirs > _FASTER * ours else ONNX_RUNTIME, f"{form}: {reason}")


def open_chosen(
    path: Path,
    chosen: Chosen,
    *,
    runtime: str = "auto",
    bfloat16: bool = False,
    provider: str = "auto",
    threads: int | None = None,
    float16: bool = False,
) -> tuple[Session, str]:
    """A session for a graph, and the runtime that it has; the options are those of `choose`.

    `float16`: whether its weights are stored so.

    Raises:
        ParakeetError: as `open_session`. Where `auto` chose OpenVINO and that cannot open the
            graph, ONNX Runtime does.
    """

    def opened(by: str) -> Session:
        return open_session(
            path,
            runtime=by,
            provider=provider,
            threads=threads,
            bfloat16=bfloat16,
            float16=float16,
        )

    free = runtime == "auto" and not bfloat16
    if chosen.runtime != OPENVINO or not free:
        return opened(chosen.runtime), chosen.runtime
    try:
        return opened(OPENVINO), OPENVINO
    except (ModelFormatError, ComputeError, MissingError) as error:
        _LOG.warning("ONNX Runtime runs %s: %s", path, error)
        return opened(ONNX_RUNTIME), ONNX_RUNTIME
