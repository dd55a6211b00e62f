"""Memory of two processes: a file without a name, of pages that exist once they were written to.

Rules of this file:

1. It has no name, so nothing of it is left when both processes are gone, however they ended.
2. On Linux it is no file of any disk and of no `/dev/shm`, whose size containers limit. Elsewhere
   it is a temporary file that was removed when it was made.
3. Memory has no order between processes but the one that is made: `fence`.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from parakeet_streaming.errors import UnavailableError

_ORDER = threading.Lock()


def make(size: int) -> int:
    """A descriptor of `size` bytes, all zero, for this process and a child.

    Raises:
        UnavailableError: the system gives none.
    """
    descriptor = -1
    try:
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("parakeet-audio", os.MFD_CLOEXEC)
        else:
            descriptor, path = tempfile.mkstemp(prefix="parakeet-audio-")
            Path(path).unlink()
        os.ftruncate(descriptor, size)
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise UnavailableError(
            f"there is no shared memory for an I/O process: {error.strerror or error}; start the "
            "server without --io-processes"
        ) from error
    return descriptor


def mapped(descriptor: int) -> mmap.mmap:
    """All of it, in this process; the descriptor is closed."""
    try:
        found = mmap.mmap(descriptor, 0)
    finally:
        os.close(descriptor)
    with suppress(AttributeError, OSError):
        # A process that is forked, as one that runs a program, needs none of it; nor does a dump.
        found.madvise(mmap.MADV_DONTFORK)
        found.madvise(mmap.MADV_DONTDUMP)
    return found


def fence() -> None:
    """What was stored before it is seen, by others, before what is stored after it; so with loads.

    To take a lock is an atomic exchange, before which and after which no processor moves a load or
    a store; where a lock only keeps things in, as on ARM, its end and the next beginning keep both.
    """
    _ORDER.acquire()
    _ORDER.release()
    _ORDER.acquire()
    _ORDER.release()
