"""`parakeet doctor`: nothing in; what this machine has, and how the built-in model runs, out."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from parakeet_streaming import __version__
from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.cache_folder import cache_in_words
from parakeet_streaming.catalog.resolve import built_in_models
from parakeet_streaming.cli.rows import in_bytes, print_json, print_pairs
from parakeet_streaming.compiled import is_compiled
from parakeet_streaming.dry_run import dry_run
from parakeet_streaming.errors import (
    ComputeError,
    ExtraMissingError,
    InputError,
    MissingError,
    ParakeetError,
    UnavailableError,
)
from parakeet_streaming.load import load
from parakeet_streaming.runtime import openvino_runtime
from parakeet_streaming.runtime.choice import fastest
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.gpu_choice import may_find_gpu
from parakeet_streaming.runtime.onnx_runtime import available_providers, resolve_providers
from parakeet_streaming.runtime.processor import processor
from parakeet_streaming.runtime.session import OPENVINO
from parakeet_streaming.runtime.speeds import (
    BF16,
    FORMS,
    FP32,
    INT8_CALL,
    INT8_ROW,
    Speed,
    speeds,
)
from parakeet_streaming.sources.microphone import input_devices
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_DEPENDENCIES: Final = (
    *("numpy", "onnx", "soundfile", "av", "soxr", "huggingface-hub", "typer", "rich"),
)
_EXTRAS: Final = {
    "sounddevice": "microphones: pip install 'parakeet-streaming[mic]'",
    "uvicorn": "parakeet serve: pip install 'parakeet-streaming[server]'",
}
# `auto` keeps the precision that is stored, so that texts are the same on every machine.
_HOW_TO_GET: Final = {
    FP32: "",
    BF16: ": --precision bf16",
    INT8_CALL: ": parakeet export --precision int8",
    INT8_ROW: ": parakeet export --precision int8 --scale row",
}

Section = dict[str, object]
"""Keys end in their unit where a value has one: `_bytes`, `_ms`."""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    provider: Annotated[str, typer.Option(help="auto, cpu, cuda, ... to try.")] = "auto",
) -> None:
    """Shows what this machine offers and tries the built-in model; fails if that does not run."""
    measured = _measured()
    tried = {name: _tried(folder, provider) for name, folder in built_in_models().items()}
    sections: dict[str, Section] = {
        "system": _system(),
        "packages": _packages(),
        "runtime": _runtime(measured),
        "speeds": _speeds(measured),
        "extras": _optional(_extras),
        "audio": _optional(lambda: {"microphones": _microphones()}),
        "downloads": _optional(_downloads),
        "built_in_models": {**tried},
    }
    if as_json:
        print_json(sections)
    else:
        for title, section in sections.items():
            pairs = [(_key_worded(key), _worded(key, value)) for key, value in section.items()]
            print_pairs(pairs, _key_worded(title))
    if any("error" in each for each in tried.values()):
        raise typer.Exit(1)


def _optional(found: Callable[[], Section]) -> Section:
    """What recognition can do without: what fails there is told, and decides nothing."""
    try:
        return found()
    except Exception as error:  # of any library
        return {"not known": str(error) or type(error).__name__}


def _system() -> Section:
    found = processor()
    return {
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "processor": found.name,
        "instructions": list(found.instructions),
        "logical_cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "memory_bytes": _memory_bytes(),
    }


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _packages() -> Section:
    installed = {each.name: each.version for each in metadata.distributions() if each.name}
    # The runtime comes in several packages that all import as onnxruntime.
    runtimes = sorted(name for name in installed if re.fullmatch(r"onnxruntime([_-]\w+)*", name))
    engine = "compiled" if is_compiled() else "interpreted"
    versions: Section = {"parakeet-streaming": __version__, "live_engine": engine}
    return versions | {name: _version(name) for name in (*_DEPENDENCIES, *runtimes)}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _measured() -> tuple[Speed, ...]:
    """The speeds of this machine; none where they could not be measured."""
    try:
        return speeds()
    except Exception:  # of any runtime
        return ()


def _runtime(measured: tuple[Speed, ...]) -> Section:
    found = _gpus()
    return {
        "providers": list(available_providers()),
        "auto_picks": f"torch on {found[0]}" if found else resolve_providers("auto")[0],
        "openvino": _openvino(measured),
        "torch": _torch(found),
        "threads": usable_cores(),
        "kept_between_starts": cache_in_words("machine"),
    }


def _speeds(measured: tuple[Speed, ...]) -> Section:
    """The speed of each runtime and form of weights, what `auto` takes, and the fastest."""
    if not measured:
        return {"not known": "no runtime could be measured"}
    found: Section = {
        f"{each.runtime}, {each.form}": f"{each.operations / 1e9:.0f} GFLOP/s" for each in measured
    }
    if len({each.runtime for each in measured}) > 1:
        found |= {f"auto takes for {form}": fastest(form, measured).runtime for form in FORMS}
    best = max(measured, key=lambda each: each.operations)
    return found | {"fastest": f"{best.runtime}, {best.form}{_HOW_TO_GET[best.form]}"}


def _openvino(measured: tuple[Speed, ...]) -> str:
    """What the other runtime would be good for here."""
    version = openvino_runtime.version()
    if version is None:
        return "not installed; pip install 'parakeet-streaming[openvino]'"
    if not any(each.runtime == OPENVINO for each in measured):
        return f"{version}; it does not compute on this machine, so ONNX Runtime does"
    if openvino_runtime.multiplies_bfloat16():
        return f"{version}; --precision bf16 takes it: this processor multiplies bfloat16"
    return f"{version}; fp32 only: this processor does not multiply bfloat16"


def _gpus() -> tuple[str, ...]:
    """The CUDA GPUs that torch finds; torch is imported only where there may be one."""
    if not may_find_gpu():
        return ()
    from parakeet_streaming.torch_runtime.devices import gpus

    try:
        return gpus()
    except Exception:  # of a driver
        return ()


def _torch(found: tuple[str, ...]) -> str:
    """What torch would be good for here."""
    version = _version("torch")
    if version is None:
        return "not installed; for a GPU: pip install 'parakeet-streaming[torch]'"
    if not found:
        return f"{version}; it finds no CUDA GPU, so --runtime torch computes on the processor"
    numbered = ", ".join(f"cuda:{at} {name}" for at, name in enumerate(found))
    return f"{version}; {numbered}; {_tried_on_gpu()}"


def _tried_on_gpu() -> str:
    """How the built-in model runs there: a second of silence, not the first."""
    try:
        recognizer = load(runtime="torch", device="cuda")
        silence = np.zeros(SAMPLE_RATE_HZ, np.float32)
        recognizer.transcribe(silence)
        started_s = time.perf_counter()
        recognizer.transcribe(silence)
    except ParakeetError as error:
        return f"the built-in model does not run there: {error}"
    return f"one second of audio in {1000 * (time.perf_counter() - started_s):.1f} ms"


def _extras() -> Section:
    return {
        name: _version(name) if find_spec(name) else f"not installed; {advice}"
        for name, advice in _EXTRAS.items()
    }


def _microphones() -> list[str] | str:
    try:
        devices = input_devices()
    except ExtraMissingError as error:
        return str(error)
    return [
        f"{device.name} ({device.channels} ch, {device.rate_hz} Hz"
        f"{', default' * device.is_default})"
        for device in devices
    ]


def _downloads() -> Section:
    models = hub.cached_models()
    return {
        "cache": str(hub.cache_folder()),
        "models": [model.repo_id + " (broken)" * bool(model.fault) for model in models],
        "size_bytes": sum(model.size_bytes for model in models),
    }


def _tried(folder: Path, provider: str) -> Section:
    try:
        found = dry_run(folder, provider=provider)
    except (ComputeError, InputError, MissingError, UnavailableError) as error:
        return {"error": str(error)}
    return {
        "provider": found.providers[0],
        "threads": found.threads,
        "load_ms": round(found.load_ms, 1),
        "one_second_of_audio_ms": round(found.encode_ms + found.decode_ms, 1),
    }


def _key_worded(key: str) -> str:
    return re.sub(r"_(bytes|ms)$", "", key).replace("_", " ")


def _worded(key: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{_key_worded(name)} {_worded(name, each)}" for name, each in value.items()
        )
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "none"
    if value is None:
        return "unknown"
    if key.endswith("_bytes") and isinstance(value, int):
        return in_bytes(value)
    return f"{value} ms" if key.endswith("_ms") else str(value)
