"""Nothing in; how many physical cores this process may use, by affinity and quota, out.

A runtime that starts a thread for each logical CPU of the host is slow in a container of two cores,
and two threads on one physical core slow each other down.
"""

from __future__ import annotations

import math
import os
from numbers import Integral
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.runtime.control_groups import granted_cpus

_ALWAYS_ALLOWED: Final = 16


def usable_cores(system: Path = Path("/sys"), process: Path = Path("/proc/self")) -> int:
    """Physical cores in this process's affinity, capped by the quota of its groups; at least 1.

    Args:
        system: where Linux shows its topology and control groups.
        process: where Linux describes this process.
    """
    cores = len({_siblings(system, cpu) for cpu in _allowed_cpus()})
    granted = granted_cpus(system, process)
    return max(1, cores if granted is None else min(cores, math.ceil(granted)))


def check_threads(threads: int | None) -> None:
    """Refuses a number of threads with which a call would take minutes.

    Raises:
        OptionError: no whole number, less than 1, or more than twice the logical CPUs (16 of them
            are allowed on any machine).
    """
    if threads is None:
        return
    if isinstance(threads, bool) or not isinstance(threads, Integral) or threads < 1:
        raise OptionError(f"threads must be a whole number, 1 or more, not {threads!r}")
    most = max(_ALWAYS_ALLOWED, 2 * (os.cpu_count() or 1))
    if threads > most:
        raise OptionError(
            f"{threads} threads would only wait for each other on this machine, of which "
            f"{usable_cores()} cores are usable; give {most} at most, or leave threads out"
        )


def _allowed_cpus() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _siblings(system: Path, cpu: int) -> str:
    """Which logical CPUs share the core of `cpu`; `cpu` alone where the system does not say."""
    path = system / f"devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
    try:
        return path.read_text().strip()
    except OSError:
        return str(cpu)
