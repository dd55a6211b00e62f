"""The address of a server in; an address that passes everything on, and what clients sent, out.

Rules of this file:

1. Not a byte is changed, in either direction.
2. What a client sends is kept for each of its connections, in the order in which they came.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final

_PIECE_BYTES: Final = 65_536
_JOINS_WITHIN_S: Final = 10.0


class Tap:
    """Stands between clients and a server."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sent: list[bytearray] = []
        self._open: list[socket.socket] = []
        self._threads = [self._thread(self._accept)]

    @property
    def url(self) -> str:
        """What clients are given."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def sent(self) -> list[bytes]:
        """What came over each connection so far."""
        return [bytes(each) for each in self._sent if each]

    def __enter__(self) -> Tap:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in (self._listener, *self._open):
            _end(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_JOINS_WITHIN_S)
        for each in (self._listener, *self._open):
            each.close()

    def _thread(self, run: object, *arguments: object) -> threading.Thread:
        assert callable(run)
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            kept = bytearray()
            self._sent.append(kept)
            self._open += [client, server]
            self._threads += [
                self._thread(_pass_on, client, server, kept),
                self._thread(_pass_on, server, client, None),
            ]


def _pass_on(giver: socket.socket, taker: socket.socket, kept: bytearray | None) -> None:
    with suppress(OSError):
        while piece := giver.recv(_PIECE_BYTES):
            if kept is not None:
                kept += piece
            taker.sendall(piece)
    _end(taker, socket.SHUT_WR)


def _end(connection: socket.socket, how: int) -> None:
    with suppress(OSError):
        connection.shutdown(how)
