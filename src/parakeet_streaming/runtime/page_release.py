"""Files in; while a runtime maps them into memory, pages of them that it has read are released.

A runtime maps a file of weights and packs a copy of them in its own layout. Until the file is
unmapped, memory holds both: two models. The pages of the file can be released at any time, because
the system can read them again. What the runtime frees while it compiles stays in the heap, in
pieces too small for weights.

Rules of this file:

1. Only mappings of the named files are touched, and of these only shared ones that can neither be
   written to nor executed. They hold what the file holds: the system reads a page again when
   somebody uses it. A private mapping may hold what is in no file: the linker writes addresses into
   pages of libraries before it makes them read-only, and a page that is released loses them.
2. Only Linux lists its mappings. On other systems nothing is done, and more memory is held.
3. Free pages of the heap are returned to the system where the C library can do it (glibc).
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MAPPINGS: Final = Path("/proc/self/maps")
_READ_AND_SHARED: Final = "r--s"
_EVERY_S: Final = 0.005
_DONT_NEED: Final = 4  # MADV_DONTNEED


@contextmanager
def releasing_pages(files: Sequence[Path], mappings: Path = MAPPINGS) -> Iterator[None]:
    """Releases the pages of mapped files every few milliseconds while the body runs.

    Before and after the body, free pages of the heap are returned too.

    Args:
        files: by their real paths.
        mappings: where Linux lists the mappings of this process.
    """
    if not mappings.is_file():
        yield
        return
    _trim_heap()
    done = threading.Event()
    names = frozenset(_as_listed(file) for file in files)

    def sweep() -> None:
        while not done.wait(_EVERY_S):
            _release_pages(names, mappings)

    sweeper = threading.Thread(target=sweep, name="release pages", daemon=True)
    sweeper.start()
    try:
        yield
    finally:
        done.set()
        sweeper.join()
        _release_pages(names, mappings)
        _trim_heap()


def release_pages(files: Sequence[Path], mappings: Path = MAPPINGS) -> int:
    """Releases the mapped pages of files; gives the number of mapped bytes."""
    return _release_pages(frozenset(_as_listed(file) for file in files), mappings)


def _release_pages(names: Collection[str], mappings: Path) -> int:
    total_bytes = 0
    for start, size_bytes in _unchanging(mappings.read_text(errors="surrogateescape"), names):
        _release(start, size_bytes)
        total_bytes += size_bytes
    return total_bytes


def _unchanging(listing: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    """Addresses and sizes of the mappings that rule 1 allows."""
    for line in listing.split("\n"):
        # 7f1b85000000-7f1b852c2000 r--s 00000000 fe:00 2723422    /the/file
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1] == _READ_AND_SHARED and fields[5] in names:
            start, end = (int(edge, 16) for edge in fields[0].split("-"))
            yield start, end - start


def _as_listed(file: Path) -> str:
    """A file's path as the system lists it."""
    return str(file.absolute()).replace("\n", r"\012")


def _release(start: int, size_bytes: int) -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    madvise(start, size_bytes, _DONT_NEED)


def _trim_heap() -> None:
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "malloc_trim"):
        c_library.malloc_trim(0)
