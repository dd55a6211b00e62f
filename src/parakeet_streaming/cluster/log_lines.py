"""Lines of the replicas' logs in; the same lines on the standard error of the one who started them.

Ray passes on what processes write with a prefix, late, and with lines of its own between, which no
reader of JSON can use.

Rules of this file:

1. What is written at once is no longer than a pipe takes whole, so lines of several do not mix.
2. A replica does not wait for whoever reads: a line that finds no room is dropped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from parakeet_streaming.server.logs import Lines

_WHOLE_BYTES: Final = 4_096
"""A pipe takes so many whole or not at all (POSIX asks for 512 at least; Linux has these)."""
_ROOM_BYTES: Final = 1 << 20
_END: Final = b"\0\n"
"""Nobody else writes it: control characters of clients are escaped."""


class SentLines:
    """Where a replica writes."""

    def __init__(self, path: str) -> None:
        self._pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)

    def write(self, text: str) -> None:
        """Sends lines, each of which is cut to what a pipe takes whole."""
        for line in text.encode(errors="backslashreplace").splitlines():
            with suppress(OSError):
                os.write(self._pipe, line[: _WHOLE_BYTES - 1] + b"\n")

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Writes nothing more."""
        os.close(self._pipe)


@contextmanager
def received_lines(path: str, to: Lines) -> Iterator[None]:
    """While the body runs, lines that are sent to `path` are written."""
    os.mkfifo(path, 0o600)
    # Open for both, so that it does not end when the last replica ends.
    pipe = os.open(path, os.O_RDWR)
    _widen(pipe)

    def write_all() -> None:
        with open(pipe, "rb", closefd=False) as reader:
            for line in iter(reader.readline, _END):
                # A disk that is full now may have room later, and nobody else reads the pipe.
                with suppress(OSError):
                    to.write(line.decode(errors="replace"))
                    to.flush()

    writer = threading.Thread(target=write_all, name="log of the replicas", daemon=True)
    writer.start()
    try:
        yield
    finally:
        os.write(pipe, _END)
        writer.join()
        os.close(pipe)


def _widen(pipe: int) -> None:
    """So that a burst finds room."""
    import fcntl

    with suppress(AttributeError, OSError):  # another system, or not so much
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _ROOM_BYTES)
