"""Times at which a stream got audio and rested in; when its utterance ends for want of audio, out.

Rules of this file:

1. A source that is muted may send nothing at all, and the last word would stay tentative. So once
   a stream has rested for long enough, with nothing to compute and no audio, its utterance is ended
   as by a commit, with a reason of its own. How late steps are does not matter.
2. That happens once for each pause, and only where there is an utterance to end: text, speech, or,
   without voice activity, any audio.
3. Commits are asked for by any thread and come back in their order, so their reasons do.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Literal

from parakeet_streaming.live.ends import SampleQueue
from parakeet_streaming.results import Event, Final, Partial, SpeechStarted

CommitReason = Literal["commit", "no_audio"]


class PauseWatch:
    """Of one stream. The worker's, but for `asked`."""

    def __init__(
        self, queue: SampleQueue, limit_s: float | None = None, *, hears: bool = True
    ) -> None:
        """Watches a stream.

        Args:
            queue: where its audio comes in.
            limit_s: seconds without audio after which the utterance ends; None for never.
            hears: whether voice activity tells of speech.
        """
        self._queue = queue
        self._limit_s = limit_s
        self._hears = hears
        self._asked: deque[CommitReason] = deque()
        self._open = False
        """Whether there is an utterance to end."""
        self._ended_at = queue.received
        self._rests_since_s: float | None = None

    def asked(self, reason: CommitReason) -> None:
        """A commit was asked for. Any thread."""
        self._asked.append(reason)
        self._ended_at = self._queue.received
        self._open = False

    def named(self, event: Event) -> Event:
        """An event of the stream, with the reason of the commit that it comes from."""
        if isinstance(event, Partial):
            if event.tokens or event.tentative:
                self._open = True
        elif isinstance(event, SpeechStarted):
            self._open = True
        elif isinstance(event, Final):
            self._open = False
            if event.reason == "commit" and self._asked:
                return replace(event, reason=self._asked.popleft())
        return event

    @property
    def waits_for_audio(self) -> bool:
        """Whether the next audio, however little, begins what no more audio will end."""
        if self._hears or self._limit_s is None:
            return False
        return self._queue.received == self._ended_at

    def works(self) -> None:
        """The stream has something to compute."""
        self._rests_since_s = None

    def rests(self, now_s: float) -> float | None:
        """It has nothing to compute; when its utterance ends if no audio comes, None for never."""
        if self._rests_since_s is None:
            self._rests_since_s = now_s
        # Whether there is an utterance to end: rule 2.
        is_open = self._open or not self._hears
        if self._limit_s is None or not is_open or self._queue.received <= self._ended_at:
            return None
        return max(self._rests_since_s, self._queue.written_at_s) + self._limit_s
