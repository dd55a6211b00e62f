"""Other phrases for one live stream in; the decoder's biases, from the right chunk on, out.

Rules of this file:

1. A change is made at a position of the audio, that of the next sample to be pushed. The windows
   that the audio before it completes are decoded as before, all others with the change. So what is
   told depends on the audio alone, not on when the worker comes to it.
2. What is to be computed of phrases was computed before: by whoever asked, not by the worker.
3. A stream that goes on from a snapshot without its audio is told the changes again that came with
   that audio. Those up to the last one that was made are in the snapshot; they are left out.
4. Everything here belongs to the worker's thread, but for `put`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from parakeet_streaming.engine.biases import Biased
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

    def __init__(self, stream: WindowedStream, made_at: int = -1) -> None:
        """`made_at`: position of the last change of a stream that goes on; -1 for none."""
        self._stream = stream
        self.waiting: deque[PhraseChange] = deque()
        self._known_to = made_at
        self.made_at = made_at
        """Position of the last change that was made."""

    def put(self, change: PhraseChange) -> None:
        """Wants that. Any thread; positions must not fall."""
        if change.position > self._known_to:
            self.waiting.append(change)

    def state(self) -> tuple[WaitingChange, ...]:
        """Those that wait, as a value."""
        return tuple(each.state for each in self.waiting)

    def take(self, complete_at: int) -> None:
        """Makes the changes that come before the step of a window that is complete there."""
        while self.waiting and self.waiting[0].position < complete_at:
            change = self.waiting.popleft()
            self._stream.use(biased=change.biased)
            self.made_at = change.position
