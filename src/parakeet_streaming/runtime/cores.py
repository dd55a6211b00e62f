"""Nothing in; how many physical cores this process may use, by affinity and quota, out.

A runtime that starts a thread for each logical CPU of the host is slow in a container of two cores,
and two threads on one physical core slow each other down.
"""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_cores(system: Path = Path("/sys")) -> int:
    """Physical cores in this process's affinity, capped by the container's quota; at least 1.

    Args:
        system: where Linux shows its topology and control groups.
    """
    cores = {_siblings(system, cpu) for cpu in _allowed_cpus()}
    return max(1, min(len(cores), _quota(system) or len(cores)))


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


def _quota(system: Path) -> int | None:
    """Whole cores that a control group (version 2) grants, None where it sets no limit."""
    try:
        quota, period = (system / "fs/cgroup/cpu.max").read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return None
