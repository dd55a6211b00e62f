"""Samples of one thread in, tokens for another thread out: where the classic API is used.

Rules of this file:

1. `push` never waits for the engine, and `pop` never waits for a token. Only iterating the consumer
   waits, on an event.
2. A ring has one writer and one reader. Where several threads push, or pop, they take turns, and
   each waits only while another is inside the same call.
3. Closing or dropping the producer ends the stream; closing the consumer stops the engine.
4. Tokens that a full ring does not take wait in the outlet; none is lost. While an engine runs it
   hands them over itself. Once nothing more will be recognised, each `pop` makes room for them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.ring import SampleWriter, ValueReader, ValueWriter
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.results import Event, Final, Partial, Token, TokenResult
from parakeet_streaming.timeline import FRAME_SAMPLES, SAMPLE_RATE_HZ


class AudioProducer:
    """Takes samples. Never waits for the engine."""

    def __init__(self, writer: SampleWriter, arrived: threading.Event) -> None:
        self._writer = writer
        self._arrived = arrived
        self._pushing = threading.Lock()

    def push(self, samples: ArrayLike) -> int:
        """Puts a sample, or (n,) or (n, channels) samples, at the context's sample rate.

        Returns:
            How many were taken; fewer than given when the ring is full, 0 when the engine stopped.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        mono = as_mono(samples)
        with self._pushing:
            taken = self._writer.write(mono)
        self._arrived.set()
        return taken

    @property
    def refused_samples(self) -> int:
        """Samples that a full ring did not take."""
        return self._writer.refused

    def close(self) -> None:
        """Ends the stream: no more samples will come."""
        self._writer.close()
        self._arrived.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class RoomSignal(Protocol):
    """Is set each time the consumer has taken a token, so that the ring has room again."""

    def set(self) -> None: ...


class TokenConsumer:
    """Gives tokens, each once."""

    def __init__(
        self,
        reader: ValueReader[TokenResult],
        recognised: threading.Event,
        room: RoomSignal,
        dropped: Callable[[], int] = lambda: 0,
    ) -> None:
        """`dropped`: how many tokens, from the first that the ring took on, are not wanted."""
        self._reader = reader
        self._recognised = recognised
        self._room = room
        self._dropped = dropped
        self._read = 0
        self._popping = threading.Lock()

    def pop(self) -> TokenResult | None:
        """The next token, or None when there is none now. Never waits for one."""
        with self._popping:
            token = self._next()
            while token is not None and self._read <= self._dropped():
                token = self._next()
        return token

    @property
    def ended(self) -> bool:
        """Whether the stream has ended and every token was taken."""
        return self._reader.closed and self._reader.taken <= max(self._read, self._dropped())

    def close(self) -> None:
        """Takes no more tokens; the engine stops."""
        self._reader.close()
        self._recognised.set()
        self._room.set()

    def __iter__(self) -> Iterator[TokenResult]:
        """Waits for tokens; ends when the stream has ended. Needs an engine in another thread."""
        while True:
            self._recognised.clear()
            closed = self._reader.closed
            if closed:
                self._recognised.set()  # another thread may be about to wait
            token = self.pop()
            if token is not None:
                yield token
            elif closed:
                return
            else:
                self._recognised.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self) -> TokenResult | None:
        token = self._reader.read()
        if token is not None:
            self._read += 1
            self._room.set()  # an engine that a full ring held back may go on
        return token


class TokenOutlet:
    """Moves tokens into a ring; they wait here while it is full."""

    def __init__(
        self,
        writer: ValueWriter[TokenResult],
        recognised: threading.Event,
        arrived: threading.Event | None = None,
    ) -> None:
        """`arrived` wakes an engine that hands its tokens over itself; None for no such engine."""
        self._writer = writer
        self._recognised = recognised
        self._arrived = arrived
        self._waiting: deque[TokenResult] = deque()
        self._last_is_here = False
        self._dropped = 0
        self._moving = threading.RLock()

    @property
    def waiting(self) -> int:
        """Tokens that a full ring did not take yet."""
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether every token was handed over after the last one came, or none is wanted."""
        return self._writer.closed

    def dropped(self) -> int:
        """How many of the tokens that the ring has taken are not wanted any more."""
        return self._dropped

    def put(self, tokens: Sequence[TokenResult], *, last: bool = False) -> None:
        """Takes tokens; `last`: none will come after them."""
        with self._moving:
            self._waiting.extend(tokens)
            self._last_is_here = self._last_is_here or last
        self.move()

    def move(self) -> None:
        """Moves tokens into the ring while there is room; closes it after the last one."""
        with self._moving:
            while self._waiting and self._writer.write(self._waiting[0]):
                self._waiting.popleft()
            if self._last_is_here and not self._waiting:
                self._writer.close()
        self._recognised.set()

    def set(self) -> None:
        """The ring has room again."""
        if self._arrived is None or self._last_is_here:
            self.move()
        if self._arrived is not None:
            self._arrived.set()

    def drop(self) -> None:
        """No token until now is wanted any more, in the ring or here."""
        with self._moving:
            self._waiting.clear()
            self._dropped = self._writer.taken

    def close(self) -> None:
        """No token is taken any more."""
        self._writer.close()
        self._recognised.set()


class TokenDelivery(TokenOutlet):
    """The same for the events of a live stream."""

    def __init__(
        self, writer: ValueWriter[TokenResult], recognised: threading.Event, rate_hz: int
    ) -> None:
        """`rate_hz`: of the samples that are pushed."""
        super().__init__(writer, recognised)
        self._rate_hz = rate_hz

    def take(self, event: Event) -> None:
        """Takes an event of the stream.

        Raises:
            StreamClosedError: the consumer of the tokens was closed.
        """
        if self.closed:
            raise StreamClosedError("the consumer of this stream's tokens was closed")
        last = isinstance(event, Final) and event.reason == "end"
        self.put(token_results(event, self._rate_hz), last=last)


def token_results(event: Event, rate_hz: int) -> list[TokenResult]:
    """The tokens that an event commits, in samples at `rate_hz`."""
    tokens = event.tokens if isinstance(event, Partial) else ()
    return [token_result(token, rate_hz) for token in tokens]


def token_result(token: Token, rate_hz: int) -> TokenResult:
    """A token in samples at `rate_hz`."""
    start_frame, end_frame = token.start_frame, token.start_frame + token.duration_frames
    start, end = (
        frame * FRAME_SAMPLES * rate_hz // SAMPLE_RATE_HZ for frame in (start_frame, end_frame)
    )
    return TokenResult(token.id, token.text, start, end - start, token.confidence)
