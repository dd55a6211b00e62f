"""A window that is ready, and when, in; when its events are due out.

A window is due a chunk after it is complete; one that ends an utterance at once, since somebody
waits for it, though its stream may have had a window a moment ago. The next one counts from a chunk
later in any case: a source that hands over much at once, or commits all the time, may not keep out
those that come in real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.ends import SampleSource
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


@dataclass(slots=True)
class Due:
    """A window that waits for its step."""

    lookahead_end: int
    """Position after its last sample."""
    complete_s: float
    """When that sample had arrived, on the producer's clock."""
    deadline_s: float
    """When its events are due."""
    next_s: float
    """When the next window is complete, a chunk later."""
    audio_s: float
    """What its step encodes."""
    ends: bool
    """Whether the end of an utterance waits for it."""
    known_s: float = 0.0
    """When it was known that it is not the last, by the sample after it; where more than a chunk
    waits after it, when it was complete."""

    @classmethod
    def of(
        cls,
        *,
        lookahead_end: int,
        complete_s: float,
        begin_s: float,
        chunk_s: float,
        audio_s: float,
        ends: bool,
        known_s: float = 0.0,
    ) -> Self:
        """A window that counts from `begin_s` on, when it was complete or later."""
        next_s = begin_s + chunk_s
        deadline_s = max(complete_s, begin_s - chunk_s) if ends else next_s
        return cls(lookahead_end, complete_s, deadline_s, next_s, audio_s, ends, known_s)


class DueWindow:
    """The window that waits for its step, of one stream."""

    def __init__(self, stream: WindowedStream, queue: SampleSource) -> None:
        """`queue`: where the audio of the stream comes from."""
        self.found: Due | None = None
        """While nothing has come since it was found."""
        self._stream = stream
        self._window = stream.window
        self._queue = queue
        options = stream.options
        self._cached = options.cached
        self._next_s = 0.0

    def of(self, span: Span, *, ends: bool) -> Due:
        """The window of that span, as it is by now; `ends`: whether it ends an utterance."""
        window, audio_end, queue = self._window, self._stream.audio_end, self._queue
        chunk, lookahead_end = span.chunk_samples, span.lookahead_end
        end = lookahead_end if audio_end is None else min(lookahead_end, audio_end)
        end = end if window.cut_at is None else min(end, window.cut_at)
        complete_s = known_s = queue.arrived_s(end)
        if window.fed_samples - lookahead_end <= chunk:
            known_s = max(known_s, queue.written_at_s)
        left = 0 if self._cached else span.left_samples
        self.found = due = Due.of(
            lookahead_end=end,
            complete_s=complete_s,
            begin_s=max(complete_s, self._next_s),
            chunk_s=chunk / SAMPLE_RATE_HZ,
            audio_s=(left + chunk + span.right_samples) / SAMPLE_RATE_HZ,
            ends=ends or span.is_last,
            known_s=known_s,
        )
        return due

    def stepped(self, due: Due) -> None:
        """It has had its step."""
        self.found, self._next_s = None, due.next_s
