"""A host and a port in; sockets that listen there for several processes, out.

Rules of this file:

1. On Linux each process has a socket of its own on the same port, and the system deals connections
   out among those that listen. Where one socket is shared, whoever wakes first takes them, and some
   processes get most. Other systems do not deal out; there it is one socket.
2. The parent keeps all of them open. What waits in the socket of a process that is gone, its
   successor accepts.
3. A port that another program has is refused, also where that program would share it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from typing import Final

from parakeet_streaming.server.addresses import bind

_DEALS_OUT: Final = sys.platform == "linux"


def bind_each(host: str, port: int, processes: int) -> list[list[socket.socket]]:
    """The sockets of each process.

    Raises:
        OptionError: there is no such host.
        AddressError: the port is in use, or may not be used.
    """
    alone = bind(host, port)
    if not _DEALS_OUT:
        return [alone for _ in range(processes)]
    chosen = int(alone[0].getsockname()[1])
    close([alone])
    bound: list[list[socket.socket]] = []
    try:
        while len(bound) < processes:
            bound += [bind(host, chosen, shared=True)]
    except BaseException:
        close(bound)
        raise
    return bound


def close(sockets: Sequence[Sequence[socket.socket]]) -> None:
    """Closes all of them."""
    for each in sockets:
        for one in each:
            one.close()
