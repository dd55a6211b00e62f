"""Samples of one thread in, tokens for another thread out: where the classic API is used.

Rules of this file:

1. `push` and `pop` never block. Only iterating the consumer waits, on an event. (Tokens of a live
   stream are moved under a lock, which is held only while they are moved.)
2. Closing or dropping the producer ends the stream; closing the consumer stops the engine.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Protocol, Self

from numpy.typing import ArrayLike

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.ring import SampleWriter, ValueReader, ValueWriter
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.results import Event, Final, Partial, Token, TokenResult
from parakeet_streaming.timeline import FRAME_SAMPLES, SAMPLE_RATE_HZ


class AudioProducer:
    """Takes the samples of one thread. Never blocks."""

    def __init__(self, writer: SampleWriter, arrived: threading.Event) -> None:
        self._writer = writer
        self._arrived = arrived

    def push(self, samples: ArrayLike) -> int:
        """Puts a sample, or (n,) or (n, channels) samples, at the context's sample rate.

        Returns:
            How many were taken; fewer than given when the ring is full, 0 when the engine stopped.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        taken = self._writer.write(as_mono(samples))
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
    """Gives tokens to one thread."""

    def __init__(
        self,
        reader: ValueReader[TokenResult],
        recognised: threading.Event,
        room: RoomSignal,
    ) -> None:
        self._reader = reader
        self._recognised = recognised
        self._room = room

    def pop(self) -> TokenResult | None:
        """The next token, or None when there is none now. Never blocks."""
        token = self._reader.read()
        if token is not None:
            self._room.set()  # an engine that a full ring held back may go on
        return token

    @property
    def ended(self) -> bool:
        """Whether the stream has ended and every token was taken."""
        return self._reader.closed and self._reader.occupancy == 0

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


class TokenDelivery:
    """Moves the tokens of a live stream into a ring; tokens wait here while it is full."""

    def __init__(
        self, writer: ValueWriter[TokenResult], recognised: threading.Event, rate_hz: int
    ) -> None:
        """`rate_hz`: of the samples that are pushed."""
        self._writer = writer
        self._recognised = recognised
        self._rate_hz = rate_hz
        self._waiting: deque[TokenResult] = deque()
        self._ended = False
        self._moving = threading.RLock()

    def take(self, event: Event) -> None:
        """Takes an event of the stream.

        Raises:
            StreamClosedError: the consumer of the tokens was closed.
        """
        if self._writer.closed:
            raise StreamClosedError("the consumer of this stream's tokens was closed")
        with self._moving:
            self._waiting.extend(token_results(event, self._rate_hz))
            self._ended = isinstance(event, Final) and event.reason == "end"
        self.set()

    def set(self) -> None:
        """Moves tokens into the ring while there is room; closes it after the last one."""
        with self._moving:
            while self._waiting and self._writer.write(self._waiting[0]):
                self._waiting.popleft()
            if self._ended and not self._waiting:
                self._writer.close()
        self._recognised.set()


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
