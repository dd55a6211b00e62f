"""One stream: audio in, events out, for `asyncio`.

Rules of this file:

1. A task reads the connection all the time, so that the server never waits for a slow reader.
2. What is said takes its turn: two tasks that send do not mix their messages.
3. At the end of a block the stream is finished, and the block waits until all was told; where an
   error leaves the block, the stream is closed at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from parakeet_streaming.client.conversation import Conversation
from parakeet_streaming.client.events import ChannelStats, Event, Ready
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.messages import command
from parakeet_streaming.client.request import StreamOptions
from parakeet_streaming.client.samples import Audio, pieces
from parakeet_streaming.errors import ParakeetError, ServerError, StreamClosedError

if TYPE_CHECKING:
    from parakeet_streaming.client.sockets import Connection, Way


class AsyncStream:
    """One speaker's audio, on its way to a server, and what the server hears."""

    def __init__(self, url: str, shown: dict[str, str], way: Way, options: StreamOptions) -> None:
        """`AsyncClient.stream` makes it; `shown` are headers."""
        self._url, self._shown, self._way, self._options = url, shown, way, options
        self._conversation = Conversation()
        self._connection: Connection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._news = asyncio.Condition()
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

        Args:
            audio: bytes of the stream's encoding, cut anywhere, or samples (n,) or (n, channels):
                floats from -1 to 1, or integers of 16 bits.

        Raises:
            AudioInputError: samples that cannot be sent; nothing was.
            StreamClosedError: the stream was finished.
            ServerError: the server does not take it, or is gone.
        """
        for piece in pieces(audio, self._options.encoding, self._options.channels):
            await self._say(piece)

    async def gap(self, samples: int) -> None:
        """Says that so many samples (of each channel) were lost here; later times stay true."""
        await self._say(command("gap", samples=samples))

    async def commit(self) -> None:
        """Ends the utterance with all that was sent: a `Final` with the reason "commit"."""
        await self._say(command("commit"))

    async def clear(self) -> None:
        """Forgets what was sent and has not ended as an utterance: `Cleared`."""
        await self._say(command("clear"))

    async def marker(self, id: str) -> None:
        """Asks for a `Marker` once all that was sent is decoded and told."""
        await self._say(command("marker", id=id))

    async def keep_alive(self) -> None:
        """Says that more will come; a server closes where it hears nothing for `ready.idle_s`."""
        await self._say(command("keep_alive"))

    async def finish(self) -> None:
        """Says that no more audio comes. The events end when all was told."""
        _ = self.ready
        if not self._conversation.finished:
            self._check_goes_on()
            self._conversation.finished = True
            await self._put(command("finish"))

    async def stats(self) -> tuple[ChannelStats, ...]:
        """How it goes, of each channel that is recognised for itself.

        Raises:
            ServerError: no answer.
        """
        async with self._asking:
            await self._say(command("stats"))
            try:
                async with asyncio.timeout(self._way.timeout_s), self._news:
                    while (told := self._conversation.next_stats()) is None:
                        self._check_goes_on()
                        await self._news.wait()
            except TimeoutError:
                await self._give_up("did not answer")
            assert told is not None
            return told

    async def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when all was told.

        Raises:
            TimeoutError: nothing came for so long.
            ParakeetError: the stream has ended before its time; what came before was given.
        """
        async with asyncio.timeout(timeout_s), self._news:
            while True:
                event = self._conversation.next()
                if event is not None or self._conversation.is_over:
                    return event
                _ = self.ready
                await self._news.wait()

    async def close(self) -> None:
        """Ends it at once; what was not told is lost."""
        self._conversation.finished = True
        self._conversation.ended(None)
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(self._reading, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        await self._wake()

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

    async def _open(self) -> Self:
        from parakeet_streaming.client.sockets import ClosedError, Connection

        if self._connection is not None:
            return self
        connection = await Connection.open(self._url, self._shown, self._way)
        try:
            async with asyncio.timeout(self._way.timeout_s):
                while self._conversation.ready is None:
                    self._conversation.take(await connection.receive())
        except TimeoutError:
            connection.abort()
            raise ServerError(
                f"the server opened no stream within {self._way.timeout_s:g} s"
            ) from None
        except ClosedError as closed:
            self._conversation.closed(closed.code, closed.reason)
            self._conversation.raise_error()
        except BaseException:
            connection.abort()
            raise
        self._connection = connection
        self._reading = asyncio.create_task(self._read(connection))
        return self

    async def _read(self, connection: Connection) -> None:
        from parakeet_streaming.client.sockets import ClosedError

        try:
            while True:
                self._conversation.take(await connection.receive())
                await self._wake()
        except ClosedError as closed:
            self._conversation.closed(closed.code, closed.reason)
        except ParakeetError as error:
            self._conversation.ended(error)
            connection.abort()
        finally:
            await self._wake()

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _say(self, message: str | bytes) -> None:
        _ = self.ready
        if self._conversation.finished:
            raise StreamClosedError("the stream was finished; open another one")
        if self._conversation.going_away and not self._conversation.is_over:
            return  # nothing is taken any more, which the end of the events will tell
        self._check_goes_on()
        await self._put(message)

    async def _put(self, message: str | bytes) -> None:
        from parakeet_streaming.client.sockets import ClosedError

        assert self._connection is not None
        assert self._reading is not None
        try:
            async with asyncio.timeout(self._way.timeout_s), self._sending:
                await self._connection.send(message)
        except TimeoutError:
            await self._give_up("took nothing")
        except ClosedError:
            # The one who reads knows why.
            await asyncio.wait({self._reading})
            if not self._conversation.finished:
                self._check_goes_on()

    def _check_goes_on(self) -> None:
        if self._conversation.is_over:
            self._conversation.raise_error()
            raise StreamClosedError("the stream has ended; open another one")

    async def _give_up(self, what: str) -> None:
        assert self._connection is not None
        self._connection.abort()
        error = ServerError(f"the server {what} for {self._way.timeout_s:g} s")
        self._conversation.ended(error)
        await self._wake()
        self._conversation.raise_error()
        raise error

    async def _until_told(self) -> None:
        """Waits for the end, as long as something comes now and then."""
        try:
            while not self._conversation.is_over:
                async with asyncio.timeout(self._way.timeout_s), self._news:
                    if not self._conversation.is_over:
                        await self._news.wait()
        except TimeoutError:
            await self._give_up("told nothing more")
