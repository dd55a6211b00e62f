"""Streams and their windows in; one step of all of them, in phases, and their events out.

```
step = prepare(streams)    each stream's next window, if it has one
step.encode()              one encoder call
step.decode()              chunks, and their right contexts for tentative text
step.commit()              the only phase that changes a stream; it cannot fail half-way
```

Rules of this file:

1. A step of many streams is one encoder call; a stream's events are those it would give alone.
   Windows without sound may be taken from earlier steps instead.
2. An error in a phase leaves every stream where it was.
3. There is no clock here: the caller reads its own between the phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parakeet_streaming.engine.equal_windows import EqualWindow, EqualWindows
from parakeet_streaming.engine.spans import Window
from parakeet_streaming.engine.stall import Recovered, StallGuard, recover, speech_frames
from parakeet_streaming.engine.stream_state import Ahead, StreamOptions
from parakeet_streaming.engine.windowed_stream import StepResult, WindowedStream
from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    Encoded,
    EncoderInput,
    Transducer,
)
from parakeet_streaming.results import Event
from parakeet_streaming.timeline import FRAME_SAMPLES


@dataclass(slots=True)
class _Due:
    """A stream and the window that it is due for."""

    stream: WindowedStream
    options: StreamOptions
    window: Window

    def encoder_input(self) -> EncoderInput:
        stream, window = self.stream, self.window
        samples = stream.window
        end = stream.audio_end if samples.cut_at is None else samples.cut_at
        return EncoderInput(
            samples=window.samples,
            left_samples=window.left_samples,
            chunk_samples=window.chunk_samples,
            kept_frames=stream.kept_frames,
            past=stream.past,
            tail_samples=0 if end is None else max(0, window.lookahead_end - end),
        )

    def decoder_input(self, row: int, length: int) -> DecoderInput:
        """The frames of a row of `length` that are its chunk and its look-ahead."""
        stream, window = self.stream, self.window
        start = window.left_frames if stream.past is None else 0
        end = max(length, start)
        if not window.is_last:
            end = start + window.chunk_samples // FRAME_SAMPLES
        lookahead_end = max(length, end) if self.options.tentative else end
        return DecoderInput(row, start, end, lookahead_end, stream.decoder, stream.biases)


class Step:
    """One step of many streams; call its phases in order, each once."""

    def __init__(
        self,
        transducer: Transducer,
        streams: Sequence[WindowedStream],
        equal_windows: EqualWindows | None = None,
    ) -> None:
        """`equal_windows`: those of earlier steps; None encodes each window."""
        self._transducer = transducer
        self._streams = tuple(streams)
        self._due = [
            _Due(stream, stream.options, window)
            for stream in streams
            if (window := stream.window.peek()) is not None
        ]
        self._equal_windows = equal_windows
        self._known: list[tuple[_Due, EqualWindow]] = []
        self._encoded: tuple[Encoded, list[_Due]] | None = None
        self._results: list[StepResult] = []

    def encode(self) -> None:
        """Turns the windows into encoder frames."""
        due = self._due
        if self._equal_windows is not None:
            found = [
                (each, self._equal_windows.find(each.encoder_input(), self._transducer))
                for each in due
            ]
            self._known = [(each, window) for each, window in found if window is not None]
            due = [each for each, window in found if window is None]
        if due:
            encoded = self._transducer.encode([each.encoder_input() for each in due])
            self._encoded = (encoded, due)

    def decode(self) -> None:
        """Turns encoder frames into tokens."""
        assert self._encoded or self._known or not self._due, "decode() comes after encode()"
        if self._encoded is not None and not self._known:
            self._results = self._decoded_results(*self._encoded)
            return
        results: dict[int, StepResult] = {}
        for due, window in self._known:
            encoded = window.encoded
            given = due.decoder_input(0, encoded.lengths[0])
            decoded = window.decoded(given, self._transducer)
            results[id(due)] = self._result(due, given, decoded, encoded.pasts[0], encoded)
        if self._encoded is not None:
            _, called = self._encoded
            for due, result in zip(called, self._decoded_results(*self._encoded), strict=True):
                results[id(due)] = result
        self._results = [results[id(due)] for due in self._due]

    def _decoded_results(self, encoded: Encoded, called: Sequence[_Due]) -> list[StepResult]:
        inputs = [
            due.decoder_input(row, length)
            for row, (due, length) in enumerate(zip(called, encoded.lengths, strict=True))
        ]
        found = self._transducer.decode(encoded, inputs)
        return [
            self._result(due, given, each, past, encoded)
            for due, given, each, past in zip(called, inputs, found, encoded.pasts, strict=True)
        ]

    def commit(self) -> list[tuple[Event, ...]]:
        """Moves the streams on.

        Returns:
            The events of each stream in the order given; none for one that was not ready.
        """
        assert len(self._results) == len(self._due), "commit() comes after decode()"
        due_streams = [due.stream for due in self._due]
        partials = [
            stream.as_partial(result)
            for stream, result in zip(due_streams, self._results, strict=True)
        ]
        for stream, result, partial in zip(due_streams, self._results, partials, strict=True):
            stream.commit(result, partial)
        given = {
            id(due.stream): (partial,) for due, partial in zip(self._due, partials, strict=True)
        }
        return [
            given.get(id(stream), ())
            if stream.audio_end is None
            else (*given.get(id(stream), ()), *stream.close_if_done())
            for stream in self._streams
        ]

    def _result(
        self,
        due: _Due,
        given: DecoderInput,
        decoded: Decoded,
        past: object | None,
        encoded: Encoded,
    ) -> StepResult:
        stream, options, window = due.stream, due.options, due.window
        guard = options.stall_guard
        stall_from = stream.stall_from
        if guard is not None:
            recovered = self._recovered(guard, due, given, decoded, encoded)
            decoded, stall_from = recovered.decoded, recovered.stall_from
        ahead = None
        whole = window.right_samples % FRAME_SAMPLES == 0 and given.lookahead_end > given.chunk_end
        # Of a frame that is not whole it cannot be said where to go on; the guard sees each chunk.
        if decoded.ahead is not None and guard is None and whole:
            ahead = Ahead(decoded.lookahead, decoded.ahead)
        found, lookahead, state = decoded.emissions, decoded.lookahead, decoded.state
        return StepResult(window, found, lookahead, state, stall_from, past, ahead)

    def _recovered(
        self,
        guard: StallGuard,
        due: _Due,
        given: DecoderInput,
        decoded: Decoded,
        encoded: Encoded,
    ) -> Recovered:
        """What the stall guard makes of a decoded chunk."""
        stream, window, before = due.stream, due.window, given.state
        window_frame = before.decoded_frames - given.chunk_start

        def redecode(first: int, last: int) -> Decoded:
            fresh = replace(self._transducer.start(), decoded_frames=window_frame + first)
            again = DecoderInput(given.row, first, last, last, fresh, given.biases)
            return self._decoded_again(encoded, again)

        recovered = recover(
            guard,
            decoded,
            speech_frames(window.samples, guard),
            window_frame=window_frame,
            stall_from=stream.stall_from,
            redecode=redecode,
        )
        found = recovered.decoded
        state = found.state
        if state is decoded.state:
            return recovered
        # The look-ahead goes on from the state that the second decoding left.
        ahead = DecoderInput(
            given.row, given.chunk_end, given.chunk_end, given.lookahead_end, state, given.biases
        )
        lookahead = self._decoded_again(encoded, ahead).lookahead
        return replace(recovered, decoded=replace(found, lookahead=lookahead))

    def _decoded_again(self, encoded: Encoded, given: DecoderInput) -> Decoded:
        (decoded,) = self._transducer.decode(encoded, [given])
        return decoded
