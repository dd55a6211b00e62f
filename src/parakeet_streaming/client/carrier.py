"""One connection and what is to be said in; messages of the server, or that it is gone, out."""

from __future__ import annotations

import asyncio
from typing import Final

from parakeet_streaming.client.sockets import ClosedError, Connection
from parakeet_streaming.client.spoken import Spoken

_LOOKS: Final = 4
"""How often within the time of silence it is looked whether that has come."""


class Carrier:
    """One connection. One task sends, and one reads."""

    def __init__(
        self, connection: Connection, spoken: Spoken, timeout_s: float, silent_s: float | None
    ) -> None:
        """Carries what is said.

        Args:
            connection: is open.
            spoken: gives what is to be sent.
            timeout_s: within which each message must be taken.
            silent_s: after which a server that answers nothing is gone; None for never.
        """
        self.connection = connection
        self.more = asyncio.Event()
        """Is set when there may be something to send."""
        self._spoken, self._timeout_s, self._silent_s = spoken, timeout_s, silent_s
        self._said_s = self._clock()
        self._unanswered_s: float | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since something was sent."""
        return self._clock() - self._said_s

    async def send_next(self) -> None:
        """Sends the next message, as soon as there is one; or nothing, where all is sent.

        Raises:
            ClosedError: the connection has ended.
            TimeoutError: the server does not take it.
        """
        said = self._spoken.next()
        if said is None:
            self.more.clear()
            await self.more.wait()
            return
        self._said_s = self._clock()
        if self._unanswered_s is None and said.kind != "aside":
            # That more will come is no question.
            self._unanswered_s = self._said_s
        async with asyncio.timeout(self._timeout_s):
            await self.connection.send(said.message)

    async def next(self) -> str | bytes:
        """The next message of the server.

        Raises:
            ClosedError: the connection has ended, or the server is silent for too long.
        """
        silent_s = self._silent_s
        while True:
            try:
                async with asyncio.timeout(None if silent_s is None else silent_s / _LOOKS):
                    message = await self.connection.receive()
            except TimeoutError:
                asked_s = self._unanswered_s
                late = asked_s is not None and silent_s is not None
                if late and self._clock() - (asked_s or 0.0) >= (silent_s or 0.0):
                    self.connection.abort()
                    raise ClosedError(1006, "it did not answer any more") from None
            else:
                self._unanswered_s = None
                return message

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()
