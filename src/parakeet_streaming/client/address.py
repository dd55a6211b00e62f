"""Where a stream is opened in; a connection, and what the server answers to it, out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import Ready
from parakeet_streaming.client.messages import NotResumed, told_by
from parakeet_streaming.client.sockets import Connection, Way
from parakeet_streaming.errors import ServerError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream is opened, again and again if need be."""

    url: str
    headers: dict[str, str]
    way: Way

    def again(self, within_s: float) -> Address:
        """The same for a stream that comes back, which must be answered within so many seconds."""
        way = replace(self.way, timeout_s=min(self.way.timeout_s, within_s))
        return Address(f"{self.url}&again=1", self.headers, way)

    async def connect(self) -> Connection:
        """Connects.

        Raises:
            ParakeetError: the server refuses, or cannot be reached.
        """
        return await Connection.open(self.url, self.headers, self.way)

    async def answer(
        self, connection: Connection, conversation: Conversation
    ) -> Ready | NotResumed:
        """The answer to the handshake, or to a checkpoint; what comes before it is taken.

        Raises:
            ClosedError: the connection has ended.
            ServerError: none came in time.
        """
        try:
            async with asyncio.timeout(self.way.timeout_s):
                while True:
                    message = await connection.receive()
                    told = told_by(message)
                    if isinstance(told, Ready | NotResumed):
                        return told
                    conversation.take(message)
        except TimeoutError:
            raise ServerError(
                f"the server opened no stream within {self.way.timeout_s:g} s"
            ) from None
