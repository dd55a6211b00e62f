"""Files and folders in; while a runtime maps them into memory, pages that it has read are released.

A runtime maps a file of weights and packs a copy of them in its own layout. Until the file is
unmapped, memory holds both: two models. The pages of the file can be released at any time, because
the system can read them again. What the runtime frees while it compiles stays in the heap, in
pieces too small for weights.

Rules of this file:

1. Only read-only mappings of the named files are touched. Their content does not change: the system
   reads a page again when somebody uses it.
2. Only Linux lists its mappings. On other systems nothing is done, and more memory is held.
3. Free pages of the heap are returned to the system where the C library can do it (glibc).
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
def releasing_pages(places: Sequence[Path], mappings: Path = MAPPINGS) -> Iterator[None]:
    """Releases the pages of mapped files every few milliseconds while the body runs.

    Before and after the body, free pages of the heap are returned too.

    Args:
        places: files, and folders whose files are meant.
        mappings: where Linux lists the mappings of this process.
    """
    if not mappings.is_file():
        yield
        return
    _trim_heap()
    done = threading.Event()
    roots = [str(place.absolute()) for place in places]

    def sweep() -> None:
        while not done.wait(_EVERY_S):
            release_pages(roots, mappings)

    sweeper = threading.Thread(target=sweep, name="release pages", daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        done.set()
        sweeper.join()
        release_pages(roots, mappings)
        _trim_heap()


def release_pages(roots: Sequence[str], mappings: Path = MAPPINGS) -> int:
    """Releases the mapped pages of files at or in `roots`; gives the number of mapped bytes."""
    total_bytes = 0
    for start, size_bytes in _read_only_mappings(
        mappings.read_text(errors="surrogateescape"), roots
    ):
        _release(start, size_bytes)
        total_bytes += size_bytes
    return total_bytes


def _read_only_mappings(listing: str, roots: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Addresses and sizes of the read-only mappings of files at or in `roots`."""
    for line in listing.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or "w" in fields[1]:
            continue
        if any(fields[5] == root or fields[5].startswith(f"{root}/") for root in roots):
            start, end = (int(edge, 16) for edge in fields[0].split("-"))
            yield start, end - start


def _release(start: int, size_bytes: int) -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    madvise(start, size_bytes, _DONT_NEED)


def _trim_heap() -> None:
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "malloc_trim"):
        c_library.malloc_trim(0)
