"""The classic API: an audio producer and a token consumer with an engine between them.

Samples of any thread go in through a lock-free ring, tokens come out of another; the engine runs in
whichever thread calls it. Without threads, `add_audio` and `process_available` do the same by hand.

Rules of this file:

1. The rings never block and never overwrite. A full audio ring takes fewer samples and says so; a
   full token ring holds the engine back, so that no token is ever lost.
2. Closing or dropping the producer ends the stream: everything left is decoded, then the consumer
   ends. Closing the consumer stops the engine.
3. Only `run` and iterating the consumer wait, on an event that `push` sets.
4. Calls of the engine from several threads take turns. `finalize` in one thread ends `run` in
   another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Self

from numpy.typing import ArrayLike

from parakeet_streaming.audio.ring import (
    SampleReader,
    ValueReader,
    ValueWriter,
    sample_ring,
    value_ring,
)
from parakeet_streaming.classic.debug_view import DebugView
from parakeet_streaming.classic.producer_consumer import (
    AudioProducer,
    TokenConsumer,
    TokenDelivery,
    TokenOutlet,
    token_result,
    token_results,
)
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.limits import MOST_RING_S, MOST_RING_SLOTS, check_number, check_whole
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.load import ParakeetTDTModel
from parakeet_streaming.results import Event, TokenResult
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig

AUDIO_RING_S = 30.0
TOKEN_RING_SLOTS = 4096


class StreamingParakeetTDT:
    """The engine between a producer and a consumer. Any thread may call it; calls take turns."""

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        audio: SampleReader,
        tokens: TokenOutlet,
        arrived: threading.Event,
    ) -> None:
        self._open_stream = open_stream
        self._stream = open_stream()
        self._audio = audio
        self._out = tokens
        self._arrived = arrived
        self._inside = threading.RLock()

    @classmethod
    def new(
        cls,
        model: ParakeetTDTModel,
        context: ContextConfig | None = None,
        *,
        audio_ring_s: float = AUDIO_RING_S,
        token_ring_slots: int = TOKEN_RING_SLOTS,
        stall_guard: StallGuard | None = None,
        cached: bool = False,
    ) -> tuple[Self, AudioProducer, TokenConsumer]:
        """An engine, the producer of its audio, and the consumer of its tokens.

        Args:
            model: shared with other engines.
            context: left-chunk-right and the sample rate of what will be pushed.
            audio_ring_s: seconds of audio the ring holds, at least one whole window.
            token_ring_slots: tokens the ring holds.
            stall_guard: as in `Recognizer.stream`.
            cached: as in `Recognizer.stream`.

        Raises:
            ContextError: the window is longer than the model can take.
            OptionError: a ring without room, or larger than any should be.
        """
        context = context or ContextConfig.balanced()
        check_number("audio_ring_s", audio_ring_s, 0, MOST_RING_S, "seconds")
        token_ring_slots = check_whole("token_ring_slots", token_ring_slots, 1, MOST_RING_SLOTS)
        model.recognizer.check_context(context)

        def open_stream() -> Stream:
            return model.recognizer.stream(context, stall_guard=stall_guard, cached=cached)

        window_s = context.samples.window / SAMPLE_RATE_HZ
        capacity = round(max(audio_ring_s, window_s) * context.sample_rate)
        writer, reader = sample_ring(capacity)
        token_writer: ValueWriter[TokenResult]
        token_reader: ValueReader[TokenResult]
        token_writer, token_reader = value_ring(token_ring_slots)
        arrived, recognised = threading.Event(), threading.Event()
        outlet = TokenOutlet(token_writer, recognised, arrived)
        return (
            cls(open_stream, reader, outlet, arrived),
            AudioProducer(writer, arrived),
            TokenConsumer(token_reader, recognised, outlet, outlet.dropped),
        )

    @property
    def context(self) -> ContextConfig:
        return self._stream.context

    @property
    def ended(self) -> bool:
        """Whether everything has been decoded and handed over, or the consumer was closed."""
        return self._out.closed

    @property
    def buffer_size(self) -> int:
        """Samples waiting to be decoded, in samples of the pushed rate."""
        return self._audio.occupancy + self._at_pushed_rate(
            self._stream.windowed.window.buffered_samples
        )

    def process_audio(self) -> int:
        """Runs every chunk that is ready and hands its tokens to the consumer.

        Returns:
            How many tokens were recognised.
        """
        count = 0
        with self._inside:
            self._out.move()
            while not self._out.waiting and not self._out.closed:
                ended = self._audio.closed
                samples = self._audio.read()
                events = self._stream.feed(samples) if samples.shape[0] else []
                if ended and not samples.shape[0]:
                    events = self._stream.finish()
                results = self._results(events)
                self._out.put(results, last=self._stream.closed)
                count += len(results)
                if not samples.shape[0]:
                    break
            if self._out.closed:
                self._audio.close()
                self._arrived.set()
        return count

    def run(self) -> None:
        """Processes audio as it arrives until the stream has ended. Call it in a thread.

        An error while recognising ends the stream at both ends and is raised.
        """
        try:
            while not self.ended:
                self._arrived.clear()
                self.process_audio()
                if not self.ended and not self._busy:
                    self._arrived.wait()
        finally:
            self._audio.close()
            self._out.close()
            self._arrived.set()  # `run` in another thread may be about to wait

    def add_audio(self, samples: ArrayLike) -> None:
        """Takes samples directly, without the ring; decodes nothing yet.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
            StreamClosedError: the stream has ended.
        """
        with self._inside:
            self._stream.push(samples)

    def process_available(self) -> list[TokenResult]:
        """Runs every chunk of added audio that is ready; returns its tokens."""
        with self._inside:
            return self._results(self._stream.feed([]))

    def finalize(self) -> list[TokenResult]:
        """Ends the stream by hand: decodes everything left and returns its tokens.

        Tokens that were recognised before, and wait because the ring is full, are not among them:
        the consumer gets them as it makes room. `run` in another thread ends after the last one.
        """
        with self._inside:
            if self._stream.closed:
                return []
            # Closed first: what a producer was told is taken is decoded.
            self._audio.close()
            results = self._results(
                [*self._stream.feed(self._audio.read()), *self._stream.finish()]
            )
            self._out.put((), last=True)
        self._arrived.set()
        return results

    def get_tokens(self) -> list[TokenResult]:
        """Every token committed since the start or the last `reset`."""
        return [token_result(token, self.context.sample_rate) for token in self._stream.tokens]

    def reset(self) -> None:
        """Starts a new stream at time 0; audio and tokens still waiting are dropped.

        Raises:
            StreamClosedError: the stream has ended; make a new engine.
        """
        with self._inside:
            if self._stream.closed or self._out.closed:
                raise StreamClosedError("this engine's stream has ended; make a new engine")
            self._audio.read()
            self._out.drop()
            self._stream = self._open_stream()
        self._arrived.set()

    def debug_view(self) -> DebugView:
        """Buffer, context and tokens at this moment; `str()` of it is for people."""
        return DebugView(
            context=self.context,
            ring_samples=self._audio.occupancy,
            window_samples=self._stream.windowed.window.buffered_samples,
            decoded_samples=self._stream.windowed.window.decoded_samples,
            refused_samples=self._audio.refused,
            tokens=tuple(self.get_tokens()),
            tentative_text="".join(token.text for token in self._stream.windowed.tentative),
        )

    @property
    def _busy(self) -> bool:
        return self._audio.occupancy > 0 and not self._out.waiting

    def _results(self, events: Sequence[Event]) -> list[TokenResult]:
        rate_hz = self.context.sample_rate
        return [result for event in events for result in token_results(event, rate_hz)]

    def _at_pushed_rate(self, samples: int) -> int:
        return samples * self.context.sample_rate // SAMPLE_RATE_HZ


def live_tokens(
    engine: LiveEngine,
    options: LiveOptions | None = None,
    *,
    token_ring_slots: int = TOKEN_RING_SLOTS,
) -> tuple[LiveStream, TokenConsumer]:
    """A live stream whose tokens come out of a ring, as those of `StreamingParakeetTDT` do.

    A full ring holds tokens back, not the engine; none is lost. Closing the consumer ends the
    stream.

    Returns:
        The stream that takes audio, and the consumer of its tokens.

    Raises:
        CapacityError: the engine is full; and as in `LiveEngine.open`.
        OptionError: a ring without room.
    """
    check_whole("token_ring_slots", token_ring_slots, 1, MOST_RING_SLOTS)
    options = options or LiveOptions()
    writer: ValueWriter[TokenResult]
    reader: ValueReader[TokenResult]
    writer, reader = value_ring(token_ring_slots)
    recognised = threading.Event()
    delivery = TokenDelivery(writer, recognised, options.delay.context.sample_rate)
    return engine.open(options, delivery.take), TokenConsumer(reader, recognised, delivery)
