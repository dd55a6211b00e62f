"""The name of a model and of a runtime in; a recognizer out, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.models.sizes import CACHED
from parakeet_streaming import Recognizer, load
from parakeet_streaming.catalog.model_folder import ModelParts, find_parts
from parakeet_streaming.catalog.precision import stored_precision
from parakeet_streaming.catalog.resolve import resolve
from parakeet_streaming.catalog.roles import Role, role_of
from parakeet_streaming.errors import ModelPartMissingError, OptionError, ParakeetError
from parakeet_streaming.runtime.openvino_runtime import multiplies_bfloat16
from parakeet_streaming.runtime.session import Session

Wrap = Callable[[Session, str], Session]
"""Puts something that runs like a session around one called `encoder`, `predictor` or `joint`."""


@dataclass(frozen=True)
class Runtime:
    """What computes an encoder; both as in `load`."""

    runtime: str
    precision: str


RUNTIMES: Final = {
    "onnxruntime": Runtime("onnxruntime", "auto"),
    "openvino": Runtime("openvino", "auto"),
    "openvino bf16": Runtime("openvino", "bf16"),
    "onnxruntime int8": Runtime("onnxruntime", "int8"),
    "openvino int8": Runtime("openvino", "int8"),
}
"""What can compute our encoder on a processor; int8 where the model has such an encoder."""


class AbsentError(Exception):
    """A runtime or a program cannot take part; the message says why."""


def form_of(model: str, *, cached: bool) -> str:
    """The model, or the folder `cached` in it, which `make_model --streaming both` writes."""
    folder = Path(model) / CACHED
    return str(folder) if cached and folder.is_dir() else model


def keeps_past(model: str) -> bool:
    """Whether the model, or its folder `cached`, has an encoder that keeps its past."""
    parts = find_parts(resolve(form_of(model, cached=True)))
    return role_of(parts.encoder.graph) is Role.CACHED_ENCODER


def parts_of(model: str, name: str, *, cached: bool = False) -> ModelParts:
    """The files that one of `RUNTIMES` loads.

    Raises:
        AbsentError: this machine cannot run it, or the model has no such encoder.
        OptionError: no such runtime.
    """
    if name not in RUNTIMES:
        raise OptionError(f"{name!r} is no runtime; use {', '.join(RUNTIMES)}")
    if name.startswith("openvino") and find_spec("openvino") is None:
        raise AbsentError("not installed (pip install 'parakeet-streaming[openvino]')")
    if RUNTIMES[name].precision == "bf16" and not multiplies_bfloat16():
        raise AbsentError("this processor does not multiply bfloat16")
    stored = stored_precision(RUNTIMES[name].precision)
    try:
        return find_parts(resolve(form_of(model, cached=cached), precision=stored), stored)
    except ModelPartMissingError as error:
        raise AbsentError(str(error)) from error


def open_model(
    model: str,
    name: str,
    *,
    cached: bool = False,
    threads: int | None = None,
    wrap: Wrap = lambda session, _: session,
) -> Recognizer:
    """Loads a model on one of `RUNTIMES`, as the product loads it.

    Raises:
        AbsentError: this machine cannot run it, or the model does not load.
        OptionError: no such runtime.
    """
    parts_of(model, name, cached=cached)
    runtime = RUNTIMES[name]
    try:
        return load(
            form_of(model, cached=cached),
            runtime=runtime.runtime,
            precision=runtime.precision,
            threads=threads,
            wrap=wrap,
        )
    except ParakeetError as error:
        raise AbsentError(str(error)) from error
