"""Lines of the replicas' logs in; the same lines on the standard error of the one who started them.

Ray passes on what processes write with a prefix, late, and with lines of its own between, which no
reader of JSON can use.

Rules of this file:

1. One line is one datagram, so lines of several replicas do not mix.
2. A replica does not wait for whoever reads: a line that finds no room is dropped.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from parakeet_streaming.server.logs import Lines

_MOST_BYTES: Final = 65_536
_ROOM_BYTES: Final = 1 << 20
_END: Final = b""


class SentLines:
    """Where a replica writes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def write(self, text: str) -> None:
        """Sends a line."""
        with suppress(OSError):
            self._socket.sendto(text.encode(errors="backslashreplace")[:_MOST_BYTES], self._path)

    def flush(self) -> None:
        """Nothing waits."""


@contextmanager
def received_lines(path: str, to: Lines) -> Iterator[None]:
    """While the body runs, lines that are sent to `path` are written."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
        receiver.bind(path)

        def write_all() -> None:
            while (line := receiver.recv(_MOST_BYTES)) != _END:
                to.write(line.decode(errors="replace"))
                to.flush()

        writer = threading.Thread(target=write_all, name="log of the replicas", daemon=True)
        writer.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.sendto(_END, path)
            writer.join()
