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
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Self, TypeVar

from parakeet_streaming.client.async_client import TIMEOUT_S, AsyncClient
from parakeet_streaming.client.async_stream import AsyncStream
from parakeet_streaming.client.events import ChannelStats, Event, Ready
from parakeet_streaming.client.heard import Heard
from parakeet_streaming.client.samples import Audio
from parakeet_streaming.errors import StreamClosedError

_T = TypeVar("_T")
_STOPPING_S = 5.0


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="parakeet-client", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs it there; waits for what it gives."""
        if not self.runs:
            work.close()
            raise StreamClosedError("the client was closed; make another one")
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result()
        except BaseException:
            # Such as Ctrl-C while it waits.
            asked.cancel()
            raise

    def stop(self) -> None:
        """Ends the thread, and what runs in it."""
        if self.runs:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOPPING_S)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        # A connection lets go of its socket a moment after it was closed.
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()


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
        self._loop: _Loop | None = None
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
            loop = self._loop = self._loop or _Loop()
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


class Stream:
    """As `AsyncStream`, without `await`. It is open; at the end of a block it is finished."""

    def __init__(
        self, loop: _Loop, stream: AsyncStream, closed: Callable[[AsyncStream], None]
    ) -> None:
        """`Client.stream` opens it, and is told when it is closed."""
        self._loop, self._stream, self._closed = loop, stream, closed

    @property
    def ready(self) -> Ready:
        """What the server has made of the request."""
        return self._stream.ready

    @property
    def heard(self) -> Heard:
        """All that was told so far; it stays, whatever becomes of the connection."""
        return self._stream.heard

    def send(self, audio: Audio) -> None:
        """Sends bytes or samples; waits while the server has no room for them."""
        self._loop.call(self._stream.send(audio))

    def gap(self, samples: int) -> None:
        """Says that so many samples were lost here."""
        self._loop.call(self._stream.gap(samples))

    def commit(self) -> None:
        """Ends the utterance with all that was sent."""
        self._loop.call(self._stream.commit())

    def clear(self) -> None:
        """Forgets what was sent and has not ended as an utterance."""
        self._loop.call(self._stream.clear())

    def marker(self, id: str) -> None:
        """Asks for a `Marker` once all that was sent is decoded and told."""
        self._loop.call(self._stream.marker(id))

    def keep_alive(self) -> None:
        """Says that more will come."""
        self._loop.call(self._stream.keep_alive())

    def finish(self) -> None:
        """Says that no more audio comes. The events end when all was told."""
        self._loop.call(self._stream.finish())

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
