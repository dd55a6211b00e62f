"""What the I/O processes of one server ask of each other in; the answers out.

All of it goes by way of the engine's process.

Rules of this file:

1. Any of them may be asked for what all count, and any may be shown a key that another has made.
2. What one key or address may have at once, it may have of all processes together. The places of
   one that is gone are free.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, Protocol

from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import Link
from parakeet_streaming.processes.values import plain, value_of
from parakeet_streaming.server.access import Secret
from parakeet_streaming.server.limits import Places
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings as Session

_HOLDS: Final = count(1)


class Siblings:
    """All I/O processes of this server, as one of them sees them (`service.Replicas`)."""

    label: Final = "process"
    takes_calls: Final = True

    def __init__(self, link: Link) -> None:
        self._link = link

    async def metrics(self) -> Mapping[str, str]:
        """What each counts, and the engine's process, in Prometheus's text."""
        told = await self._ask("all metrics")
        return {str(name): str(text) for name, text in told.items()}

    async def sockets(self) -> Mapping[str, int]:
        """How many sockets each has."""
        told = await self._ask("all sockets")
        return {str(name): int(number) for name, number in told.items()}

    async def share(self, secret: Secret, lasts_s: float) -> None:
        """Tells all others of a short-lived key."""
        await self._ask("share", packed_secret(secret, lasts_s))

    async def end_call(self, name: str, owner: str) -> bool:
        """Has the one that has that call end it."""
        return bool(await self._ask("end call", [name, owner]))

    async def _ask(self, name: str, value: Any = None) -> Any:  # noqa: ANN401
        told, _ = await asyncio.to_thread(self._link.ask, name, value)
        return told


class SharedPlaces(Places):
    """How many of something each key and each address has, in all processes together."""

    def __init__(self, what: str, link: Link) -> None:
        super().__init__(what, 0)
        self._name, self._link = what, link

    @contextmanager
    def hold(self, key: str, address: str) -> Iterator[None]:
        """Holds one.

        Raises:
            TooManyError: the key, or the address, has as many as it may have.
        """
        number = next(_HOLDS)
        self._link.ask("hold", [number, self._name, key, address])
        try:
            yield
        finally:
            self._link.tell(Frame(Kind.FREE, number))


class Sharing(Protocol):
    """What takes short-lived keys, as `Access` does."""

    def know(self, secret: Secret) -> None: ...


def packed_secret(secret: Secret, lasts_s: float) -> list[Any]:
    """A short-lived key as JSON's own types. Its end is on the clock that all processes share."""
    session = plain(secret.session) if isinstance(secret.session, Session) else None
    return [secret.value, secret.owner, session, time.monotonic() + lasts_s]


def unpacked_secret(told: Any, now_s: float) -> Secret:  # noqa: ANN401  JSON is anything
    """The key again; `now_s` is on the clock of who takes it.

    Raises:
        FrameError: it is none.
    """
    value, owner, session, until_s = told
    left_s = float(until_s) - time.monotonic()
    known = None if session is None else value_of(Session, session)
    return Secret(str(value), str(owner), now_s + left_s, known)
