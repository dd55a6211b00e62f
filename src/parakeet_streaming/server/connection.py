"""Audio and commands of one client's channel in, into a live stream; what it is told, out.

```python
connection = Connection(engine, channel_options)
await connection.push(data)          # waits while the engine has no room
connection.commit()
async for event in connection: ...   # session events, joined where the client reads slowly
```

Rules of this file:

1. It belongs to one event loop. Nothing here computes but the conversion of the samples.
2. The stream's events are taken as they come, whether the client reads or not: the outbox joins
   them. A client for which too much waits gets `SlowReaderError`.
3. Whatever ends the connection, `close` frees the stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Final, Self

from parakeet_streaming.audio.pcm_decoder import PcmDecoder
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Event, SnapshotTaken
from parakeet_streaming.server.connection_options import ChannelOptions, ChannelStart
from parakeet_streaming.server.engine_port import Engine, EngineStream
from parakeet_streaming.server.logs import SAID
from parakeet_streaming.server.outbox import Outbox
from parakeet_streaming.server.replies import SlowReaderError
from parakeet_streaming.server.session import Session
from parakeet_streaming.server.session_events import Ended, Kept, SessionEvent
from parakeet_streaming.writing.written_stream import WrittenStream

_SAID: Final = logging.getLogger(SAID)
_LOOKED_AT_EVERY_S: Final = 0.03
"""How often the stream is asked how far it has come, while a marker or a cough waits for that."""


class Connection:
    """One channel: a live stream with its session."""

    def __init__(
        self,
        engine: Engine,
        options: ChannelOptions,
        *,
        instead_of: Connection | None = None,
        start: ChannelStart | None = None,
    ) -> None:
        """Opens the stream; call it in the event loop.

        Args:
            engine: what the stream runs in.
            options: how its audio comes.
            instead_of: a connection of the same client, which gives its place to this one and is
                to be finished or closed.
            start: where it goes on; None for the beginning.

        Raises:
            CapacityError: there is no room, and what `LiveEngine.open` raises besides.
        """
        live = options.live
        endpoint, voice = live.endpoint, live.vad
        spoken = endpoint is not None and voice is not None
        self._decoder = PcmDecoder(options.encoding, options.channels)
        before = None if instead_of is None else instead_of._stream
        self._stream: EngineStream = engine.open(
            live,
            id=options.stream_id,
            instead_of=before,
            resume=None if start is None else start.snapshot,
            filters=() if start is None else start.filters,
        )
        self.id: Final = self._stream.id
        """The stream's name in logs."""
        self.ask_state: Final = self._stream.ask_snapshot
        """Asks for a `Kept` among the events."""
        self._session = Session(
            silence_s=endpoint.min_silence_ms / 1000 if endpoint and spoken else None,
            most_utterance_s=None if endpoint is None else endpoint.max_utterance_s,
        )
        self._text = WrittenStream(options.writing)
        self._rate_hz = options.rate_hz
        self._pushed = self._unneeded = self._repeated = 0
        if start is not None:
            # What is written depends on nothing before the utterance, so this is where it was.
            said = self._text.feed(self._stream.transcript().tokens)
            self._session.go_on(start.session, said)
            self._pushed, self._repeated = start.first_sample, start.repeated
            self._unneeded = options.needed_from(start) - start.first_sample
        self._outbox = Outbox(options.most_waiting)
        self._news = asyncio.Event()
        self._over = False
        self._error: BaseException | None = None
        self._reading = asyncio.create_task(self._read())
        self._looking: asyncio.Task[None] | None = None

    @property
    def pushed_s(self) -> float:
        """Seconds of audio that were pushed."""
        return self._pushed / self._rate_hz

    @property
    def quiet_s(self) -> float | None:
        """Seconds that are decoded or passed over; None while an utterance is told."""
        return None if self._session.is_open else self._stream.told_s

    async def push(self, data: bytes | bytearray | memoryview) -> int:
        """Takes bytes of audio, cut anywhere; waits while there is no room.

        Returns:
            How many samples they completed.

        Raises:
            AudioInputError: a sample is NaN or infinite. The samples of the call are missing; a
                `Lost` tells where, and later times stay true.
        """
        try:
            samples = self._decoder.feed(data)
        except AudioInputError:
            # As many bytes that can be decoded, so that the next sample begins where it should.
            self.lose(len(self._decoder.feed(bytes(len(data)))))
            raise
        await self.push_samples(samples)
        return len(samples)

    def lose(self, samples: int) -> None:
        """So many samples are missing before the next ones."""
        self._pushed += samples
        self._stream.push_gap(samples - self._leave_out(samples))

    async def push_samples(self, samples: Floats) -> None:
        """Takes float32 samples (n,); waits while there is no room."""
        self._pushed += len(samples)
        await self._stream.push_async(samples[self._leave_out(len(samples)) :])

    def commit(self) -> None:
        """Ends the utterance with all that was pushed."""
        if not self._is_repeated():
            self._session.commit()
            self._stream.commit()

    def clear(self) -> None:
        """Forgets what was pushed and has not ended as an utterance, part of a sample included."""
        self._decoder.finish()
        if not self._is_repeated():
            self._session.clear()
            self._stream.commit()

    def mark(self, marker: str, at_s: float | None = None) -> None:
        """Wants `Marked` when audio is decoded up to `at_s`, or all that was pushed."""
        self._session.mark(marker, self.pushed_s if at_s is None else at_s)
        self._look()

    def finish(self) -> None:
        """No more audio comes; the events end after the last utterance."""
        self._stream.finish()

    def stats(self) -> StreamStats:
        """How the stream goes."""
        return self._stream.stats()

    async def events(self) -> AsyncIterator[SessionEvent]:
        """What the client is told, until the stream ends.

        Raises:
            SlowReaderError: too much waited.
            BaseException: what ended the stream.
        """
        while True:
            while (event := self._outbox.take()) is not None:
                yield event
            if self._over:
                if self._error is not None:
                    raise self._error
                return
            self._news.clear()
            await self._news.wait()

    async def close(self) -> None:
        """Ends the stream at once, unless it is over; nothing is left of it."""
        self._stream.cancel()
        for task in (self._reading, self._looking):
            if task is not None:
                task.cancel()
        await asyncio.gather(
            *(task for task in (self._reading, self._looking) if task is not None),
            return_exceptions=True,
        )
        # A task that is cancelled before it ran does not say so itself.
        self._over = True
        self._news.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self) -> None:
        """Takes the stream's events until it ends."""
        try:
            async for event in self._stream:
                self._take(event)
                self._check_reader()
                self._look()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # whatever ended the stream is told to the one who reads
            self._error = error
        finally:
            self._over = True
            self._news.set()

    def _check_reader(self) -> None:
        if self._outbox.is_full:
            raise SlowReaderError(f"{len(self._outbox)} events were not read; read faster")

    def _look(self) -> None:
        if self._session.waits and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_until_told())

    async def _look_until_told(self) -> None:
        """Asks how far the stream has come while the session waits for that."""
        while self._session.waits and not self._over:
            told_s = self._stream.told_s
            self._take_all()
            if self._session.waits:
                self._put(self._session.decoded(told_s))
            await asyncio.sleep(_LOOKED_AT_EVERY_S)

    def _take_all(self) -> None:
        """Takes the events that are there; what ends the stream is left to `_read`."""
        with suppress(Exception):
            while (event := self._stream.get(0)) is not None:
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, SnapshotTaken):
            state = self._session.state()
            self._put([Kept(event.position, state, event.write, event.filters)])
        else:
            for told in self._text.take(event):
                self._put(self._session.take(told))

    def _leave_out(self, samples: int) -> int:
        """How many of the next samples the stream had before."""
        unneeded = min(samples, self._unneeded)
        self._unneeded -= unneeded
        return unneeded

    def _is_repeated(self) -> bool:
        """Whether the next commit or clear has been obeyed before."""
        repeated = self._repeated > 0
        self._repeated -= repeated
        return repeated

    def _put(self, events: Iterable[SessionEvent]) -> None:
        events = list(events)
        for event in events:
            # The logger is off unless the server was told to write down what was said.
            if isinstance(event, Ended) and event.text:
                _SAID.info("utterance", extra={"stream": self._stream.id, "said": event.text})
        self._outbox.add(events)
        self._news.set()


def boost_phrases(connection: Connection, boosting: Boosting | None) -> None:
    """Boosts other phrases in what is pushed from now on; they are prepared already.

    Raises:
        OptionError: letters that the model cannot write.
    """
    connection._stream.use_phrases(boosting)
