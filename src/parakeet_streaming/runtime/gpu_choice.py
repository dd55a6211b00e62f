"""Options of `load` in; whether torch runs the model, and on which device, out.

Rules of this file:

1. A device belongs to torch: asking for a GPU by that name asks for torch.
2. `auto` takes torch where it finds a CUDA GPU, and only there. Torch takes seconds to import, so
   it is imported only where a driver of NVIDIA's is there.
3. Everything else that is asked for, such as a provider, decides against torch on `auto`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.plain_text import shown

TORCH: Final = "torch"
"""The runtime that runs whole models, not graphs: the room `torch_runtime`."""
AUTO: Final = "auto"
INT8: Final = "int8"
"""Of keys and values that are kept in 8 bits."""
NEEDED: Final = ("torch", "sentencepiece", "yaml", "safetensors")
"""What the extra `torch` installs, by the names that are imported."""
_NAME: Final = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")
_DRIVERS: Final = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""Of Linux, and of Linux inside Windows."""


def wants_torch(
    runtime: str,
    device: str,
    gpu_is_there: Callable[[], bool],
    *,
    provider: str = AUTO,
    precision: str = AUTO,
    measured: bool = False,
) -> bool:
    """Whether torch runs a model; the options are those of `load`.

    Args:
        runtime: as in `load`.
        device: as in `load`.
        gpu_is_there: asks torch; called only where `may_find_gpu`, and if it decides.
        provider: as in `load`.
        precision: as in `load`.
        measured: whether sessions are wrapped, which torch has none of.

    Raises:
        OptionError: options that do not go together.
        ExtraMissingError: torch is asked for and is not installed.
    """
    check_device(device)
    if runtime == TORCH or (runtime == AUTO and device.startswith("cuda")):
        _check(provider, measured)
        return True
    if AUTO not in (runtime, device):
        raise OptionError(
            f"the device {device} belongs to the runtime torch; leave it or {runtime} out"
        )
    plain = provider.lower() == AUTO and precision in (AUTO, "fp32") and not measured
    free = runtime == device == AUTO and plain
    return free and may_find_gpu() and gpu_is_there()


def names_gpu(runs_on: str) -> bool:
    """Whether a model that says so of itself computes on a GPU, in torch."""
    return runs_on.startswith(f"{TORCH} (cuda")


def check_device(device: object) -> None:
    """Refuses what is no name of a device.

    Raises:
        OptionError: neither `auto`, `cpu`, `cuda` nor `cuda:N`.
    """
    if not isinstance(device, str) or not _NAME.fullmatch(device):
        raise OptionError(f"{shown(device)} is no device; use auto, cpu, cuda or cuda:N")


def check_kv_cache(kv_cache: object) -> None:
    """Refuses what is no way to keep keys and values.

    Raises:
        OptionError: neither `auto` nor `int8`.
    """
    if kv_cache not in (AUTO, INT8):
        raise OptionError(f"{shown(kv_cache)} is no kv_cache; use auto or int8")


def _check(provider: str, measured: bool) -> None:
    if provider.lower() != AUTO:
        raise OptionError(
            f"provider {provider} belongs to ONNX Runtime; with torch give a device: cpu or cuda"
        )
    if measured:
        raise OptionError("torch runs no sessions that could be wrapped; use another runtime")
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"the runtime torch needs {', '.join(missing)}; pip install 'parakeet-streaming[torch]'"
        )


def may_find_gpu() -> bool:
    """Whether torch is installed and a driver of NVIDIA's is there: then it is worth a look."""
    driver = sys.platform == "win32" or any(path.exists() for path in _DRIVERS)
    return driver and all(find_spec(name) is not None for name in NEEDED)
