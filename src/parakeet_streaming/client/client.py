"""Audio in, events out, for programs without an event loop: `AsyncClient` in a thread of its own.

```python
with Client("http://127.0.0.1:8000") as client, client.stream(sample_rate=16_000) as stream:
    stream.send(samples)
    stream.finish()
    for event in stream: ...
```

Any thread may call it; one may send while another reads.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

from parakeet_streaming.client.async_client import TIMEOUT_S, AsyncClient
from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.events import ChannelStats, Event
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.loop_thread import LoopThread
from parakeet_streaming.client.sender import Sender


class Client:
    """A server, and how it is reached."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        proxy: str | bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """As `AsyncClient`."""
        self._client = AsyncClient(url, key, timeout_s=timeout_s, proxy=proxy, tls=tls)
        self._loop: LoopThread | None = None
        self._streams: set[AsyncStream] = set()
        """Those that were not closed, also where nobody holds them any more."""
        self._starting = threading.Lock()

    def stream(self, **options: Any) -> Stream:  # noqa: ANN401
        """Opens a stream; options as of `AsyncClient.stream`.

        Raises:
            AccessError: the server wants another key.
            CapacityError: it has no room; `retry_after_s` says when to ask again.
            OptionError: options that it does not take.
            ServerError: it cannot be reached, is about to stop, or does not answer in time.
        """
        with self._starting:
            loop = self._loop = self._loop or LoopThread()
        stream = loop.call(self._opened(options))
        return Stream(loop, stream, self._streams.discard)

    def close(self) -> None:
        """Ends all streams at once."""
        with self._starting:
            if self._loop is not None and self._loop.runs:
                self._loop.call(self._closed())
                self._loop.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _opened(self, options: dict[str, Any]) -> AsyncStream:
        stream = self._client.stream(**options)
        self._streams.add(stream)
        return await stream

    async def _closed(self) -> None:
        closing = (stream.close() for stream in list(self._streams))
        await asyncio.gather(*closing, return_exceptions=True)


class Stream(Sender):
    """As `AsyncStream`, without `await`. It is open; at the end of a block it is finished."""

    def __init__(
        self, loop: LoopThread, stream: AsyncStream, closed: Callable[[AsyncStream], None]
    ) -> None:
        """`Client.stream` opens it, and is told when it is closed."""
        super().__init__(loop, stream)
        self._closed = closed

    @property
    def heard(self) -> Heard:
        """All that was told so far; it stays, whatever becomes of the connection."""
        return self._stream.heard

    def stats(self) -> tuple[ChannelStats, ...]:
        """How it goes, of each channel that is recognised for itself."""
        return self._loop.call(self._stream.stats())

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None when all was told.

        Raises:
            TimeoutError: nothing came for so long.
            ParakeetError: the stream has ended before its time; what came before was given.
        """
        return self._loop.call(self._stream.get(timeout_s))

    def close(self) -> None:
        """Ends it at once; what was not told is lost."""
        self._loop.call(self._stream.close())
        self._closed(self._stream)

    def __iter__(self) -> Iterator[Event]:
        while (event := self.get()) is not None:
            yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *rest: object) -> None:
        try:
            self._loop.call(self._stream.__aexit__(exc_type, *rest))
        finally:
            self._closed(self._stream)
