"""Files and folders in; while something maps them into memory, pages it has read are given back.

A runtime that maps a file of weights and packs them its own way holds both at once: two models.
The pages of a file can be given back at any time, for they can be read again. And what it frees
while it compiles stays in the heap, in pieces too small for weights.

Rules of this file:

1. Only mappings that cannot be written to, of the files named, are touched. What they hold does not
   change: the system reads a page again when it is wanted.
2. Only Linux tells what is mapped. Elsewhere nothing is done, and more memory is held.
3. Free pages of the heap are given back where the C library can: glibc's.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MAPPINGS: Final = Path("/proc/self/maps")
_EVERY_S: Final = 0.005
_DONT_NEED: Final = 4  # MADV_DONTNEED


@contextmanager
def given_back(places: Sequence[Path], mappings: Path = MAPPINGS) -> Iterator[None]:
    """Gives back, again and again, the pages of files that are mapped while the body runs.

    Before and behind it the free pages of the heap too.

    Args:
        places: files, and folders whose files are meant.
        mappings: where Linux tells what this process has mapped.
    """
    if not mappings.is_file():
        yield
        return
    _trim_heap()
    done = threading.Event()
    roots = [str(place.absolute()) for place in places]

    def sweep() -> None:
        while not done.wait(_EVERY_S):
            give_back(roots, mappings)

    sweeper = threading.Thread(target=sweep, name="give back pages", daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        done.set()
        sweeper.join()
        give_back(roots, mappings)
        _trim_heap()


def give_back(roots: Sequence[str], mappings: Path = MAPPINGS) -> int:
    """Gives back what is mapped now of the files at or in `roots`; the bytes that are mapped."""
    total_bytes = 0
    for start, size_bytes in _mapped(mappings.read_text(errors="replace"), roots):
        _advise(start, size_bytes)
        total_bytes += size_bytes
    return total_bytes


def _mapped(told: str, roots: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Addresses and sizes of what is mapped of `roots` and cannot be written to."""
    for line in told.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or "w" in fields[1]:
            continue
        if any(fields[5] == root or fields[5].startswith(f"{root}/") for root in roots):
            start, end = (int(edge, 16) for edge in fields[0].split("-"))
            yield start, end - start


def _advise(start: int, size_bytes: int) -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    madvise(start, size_bytes, _DONT_NEED)


def _trim_heap() -> None:
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "malloc_trim"):
        c_library.malloc_trim(0)
