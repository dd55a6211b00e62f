"""Other phrases for one live stream in; the decoder's biases, from the right chunk on, out.

Rules of this file:

1. A change is made at a position of the audio, that of the next sample to be pushed. The windows
   that the audio before it completes are decoded as before, all others with the change. So what is
   told depends on the audio alone, not on when the worker comes to it.
2. What is to be computed of phrases was computed before: by whoever asked, not by the worker.
3. Everything here belongs to the worker's thread, but for `put`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from parakeet_streaming.engine.biases import Biased
from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.stream_state import WaitingChange
from parakeet_streaming.engine.windowed_stream import WindowedStream


@dataclass(frozen=True, slots=True)
class PhraseChange:
    """What is boosted from a position on."""

    position: int
    biased: Biased

    @property
    def state(self) -> WaitingChange:
        """The same without what was computed."""
        biased = self.biased
        return WaitingChange(self.position, biased.boosting)


class PhraseChanges:
    """Changes of one stream that wait for their audio."""

    def __init__(self, stream: WindowedStream) -> None:
        self._stream = stream
        self._window = stream.window
        self._waiting: deque[PhraseChange] = deque()

    @property
    def waiting(self) -> bool:
        """Whether there are any."""
        return bool(self._waiting)

    def put(self, change: PhraseChange) -> None:
        """Wants that. Any thread; positions must not fall."""
        self._waiting.append(change)

    def state(self) -> tuple[WaitingChange, ...]:
        """Those that wait, as a value."""
        return tuple(each.state for each in self._waiting)

    def take(self, span: Span | None) -> None:
        """Makes the changes that come before the step of that window."""
        while self._waiting and span is not None:
            if not self._comes_before(self._waiting[0], span):
                return
            change = self._waiting.popleft()
            self._stream.use(biased=change.biased)

    def _comes_before(self, change: PhraseChange, span: Span) -> bool:
        # The last window of all is complete when the end is known, which comes after the change.
        at_end = span.is_last and self._window.cut_at is None
        return at_end or change.position < span.needed_to
