"""One stream: audio in, events out, for `asyncio`.

Rules of this file:

1. At the end of a block the stream is finished, and the block waits until all was told; where an
   error leaves the block, the stream is closed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any, Self

from parakeet_streaming.client.async_sender import AsyncSender
from parakeet_streaming.client.events import ChannelStats, Event
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.messages import command
from parakeet_streaming.client.request import StreamOptions
from parakeet_streaming.client.resuming import Resuming
from parakeet_streaming.errors import ServerError

if TYPE_CHECKING:
    from parakeet_streaming.client.address import Address


class AsyncStream(AsyncSender):
    """One speaker's audio, on its way to a server, and what the server hears."""

    def __init__(self, address: Address, options: StreamOptions, resuming: Resuming | None) -> None:
        """`AsyncClient.stream` makes it."""
        super().__init__(options, resuming)
        self._address = address
        self._asking = asyncio.Lock()

    @property
    def heard(self) -> Heard:
        """All that was told so far; it stays, whatever becomes of the connection."""
        return self._conversation.heard

    async def stats(self) -> tuple[ChannelStats, ...]:
        """How it goes, of each channel that is recognised for itself.

        Raises:
            ServerError: no answer.
        """
        async with self._asking:
            link = self._open_link()
            self._spoken.command("aside", command("stats"))
            await self._sent(link)
            try:
                async with asyncio.timeout(self._address.way.timeout_s), link.changed:
                    while (told := self._conversation.next_stats()) is None:
                        self._check_goes_on()
                        await link.changed.wait()
            except TimeoutError:
                error = ServerError(f"the server did not answer for {self._timeout}")
                if not self._spoken.keeps:
                    await link.give_up(error)
                raise error from None
            return told

    async def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when all was told.

        Raises:
            TimeoutError: nothing came for so long.
            ParakeetError: the stream has ended before its time; what came before was given.
        """
        event = self._conversation.next()
        if event is not None or self._conversation.is_over:
            return event
        _ = self.ready
        assert self._link is not None, "a stream that is ready is open"
        async with asyncio.timeout(timeout_s), self._link.changed:
            while True:
                event = self._conversation.next()
                if event is not None or self._conversation.is_over:
                    return event
                await self._link.changed.wait()

    async def close(self) -> None:
        """Ends it at once; what was not told is lost."""
        self._conversation.finished = True
        self._conversation.ended(None)
        if self._link is not None:
            await self._link.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.get()) is not None:
            yield event

    def __await__(self) -> Generator[Any, None, Self]:
        return self._open().__await__()

    async def __aenter__(self) -> Self:
        return await self._open()

    async def __aexit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        try:
            if exc_type is None and not self._conversation.is_over:
                await self.finish()
                await self._until_told()
            if exc_type is None:
                self._conversation.raise_error()
        finally:
            await self.close()

    @property
    def _timeout(self) -> str:
        return f"{self._address.way.timeout_s:g} s"

    async def _open(self) -> Self:
        from parakeet_streaming.client.link import Link

        if self._link is None:
            link = Link(self._address, self._conversation, self._spoken, self._resuming)
            await link.open()
            self._link = link
            if not self._options.phrases_fit:
                await self.use_phrases(self._options.phrases, self._options.boost)
        return self

    async def _until_told(self) -> None:
        """Waits for the end, as long as something comes now and then."""
        link = self._link
        assert link is not None, "a stream that is ready is open"
        while not self._conversation.is_over:
            try:
                async with asyncio.timeout(self._address.way.timeout_s), link.changed:
                    if not self._conversation.is_over:
                        await link.changed.wait()
            except TimeoutError:
                if link.is_away:
                    continue
                error = ServerError(f"the server told nothing more for {self._timeout}")
                await link.give_up(error)
                self._conversation.raise_error()
                raise error from None
