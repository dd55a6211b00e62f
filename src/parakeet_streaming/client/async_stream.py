"""One stream: audio in, events out, for `asyncio`.

Rules of this file:

1. What is said takes its turn: two tasks that send do not mix their messages.
2. At the end of a block the stream is finished, and the block waits until all was told; where an
   error leaves the block, the stream is closed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING, Any, Self

from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import ChannelStats, Event, Ready
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.messages import command
from parakeet_streaming.client.request import StreamOptions
from parakeet_streaming.client.resuming import Resuming
from parakeet_streaming.client.samples import Audio, frame_bytes, pieces
from parakeet_streaming.client.spoken import Kind, Spoken
from parakeet_streaming.errors import ServerError, StreamClosedError

if TYPE_CHECKING:
    from parakeet_streaming.client.address import Address
    from parakeet_streaming.client.link import Link


class AsyncStream:
    """One speaker's audio, on its way to a server, and what the server hears."""

    def __init__(self, address: Address, options: StreamOptions, resuming: Resuming | None) -> None:
        """`AsyncClient.stream` makes it."""
        self._address, self._options, self._resuming = address, options, resuming
        self._conversation = Conversation(tokens=bool(options.tokens))
        self._spoken = Spoken(frame_bytes(options.encoding, options.channels), options.sample_rate)
        self._link: Link | None = None
        self._asking = asyncio.Lock()

    @property
    def ready(self) -> Ready:
        """What the server has made of the request.

        Raises:
            StreamClosedError: the stream was not opened.
        """
        if self._conversation.ready is None:
            raise StreamClosedError("the stream is not open; use `async with`, or await it")
        return self._conversation.ready

    @property
    def heard(self) -> Heard:
        """All that was told so far; it stays, whatever becomes of the connection."""
        return self._conversation.heard

    async def send(self, audio: Audio) -> None:
        """Sends audio; waits while the server has no room for it.

        While the connection is lost, audio is kept, and sent when there is another one.

        Args:
            audio: bytes of the stream's encoding, cut anywhere, or samples (n,) or (n, channels):
                floats from -1 to 1, or integers of 16 bits.

        Raises:
            AudioInputError: samples that cannot be sent; nothing was.
            StreamClosedError: the stream was finished.
            ServerError: the server does not take it, or is gone.
        """
        for piece in pieces(audio, self._options.encoding, self._options.channels):
            link = self._open_link()
            gaps = self._resuming is not None and self._resuming.when_full == "gap"
            self._spoken.audio(piece, left_out=gaps and link.is_full)
            await self._sent(link)

    async def gap(self, samples: int) -> None:
        """Says that so many samples (of each channel) were lost here; later times stay true."""
        link = self._open_link()
        self._spoken.gap(samples)
        await self._sent(link)

    async def commit(self) -> None:
        """Ends the utterance with all that was sent: a `Final` with the reason "commit"."""
        await self._say("commit")

    async def clear(self) -> None:
        """Forgets what was sent and has not ended as an utterance: `Cleared`."""
        await self._say("clear")

    async def marker(self, id: str) -> None:
        """Asks for a `Marker` once all that was sent is decoded and told."""
        link = self._open_link()
        self._spoken.command("marker", command("marker", id=id), id)
        await self._sent(link)

    async def keep_alive(self) -> None:
        """Says that more will come; a server closes where it hears nothing for `ready.idle_s`."""
        link = self._open_link()
        if not link.is_away:
            self._spoken.command("aside", command("keep_alive"))
            await self._sent(link)

    async def finish(self) -> None:
        """Says that no more audio comes. The events end when all was told."""
        _ = self.ready
        if not self._conversation.finished:
            self._check_goes_on()
            link = self._open_link()
            self._conversation.finished = True
            self._spoken.command("finish", command("finish"))
            link.say()
            await link.sent()

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
        return self

    def _open_link(self) -> Link:
        _ = self.ready
        if self._conversation.finished:
            raise StreamClosedError("the stream was finished; open another one")
        assert self._link is not None, "a stream that is ready is open"
        return self._link

    async def _say(self, kind: Kind) -> None:
        link = self._open_link()
        self._spoken.command(kind, command(kind))
        await self._sent(link)

    async def _sent(self, link: Link) -> None:
        if self._conversation.going_away and not self._conversation.is_over:
            return  # nothing is taken any more, which the end of the events will tell
        self._check_goes_on()
        link.say()
        await link.sent()
        if not self._conversation.finished:
            self._check_goes_on()

    def _check_goes_on(self) -> None:
        if self._conversation.is_over:
            self._conversation.raise_error()
            raise StreamClosedError("the stream has ended; open another one")

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
