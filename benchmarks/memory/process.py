"""Nothing in; the memory of this process out, in MiB: what it has now, and the most it ever had."""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path

import psutil

_MIB = 2**20
_STATUS = Path("/proc/self/status")


def peak_resident_mib() -> float:
    """The most memory that this process has had; on Linux since its program began."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset / _MIB)
    if not _STATUS.exists():
        import resource

        # Bytes on a Mac, kilobytes elsewhere.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB
    # There a process inherits what `getrusage` says from the process that started it.
    found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
    assert found is not None
    return int(found[1]) / 1024


def resident_mib() -> float:
    """The memory that this process has now."""
    gc.collect()
    return float(psutil.Process().memory_info().rss / _MIB)
