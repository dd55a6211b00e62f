"""When things happened to a stream, or to all, in; its own percentiles, and all metrics, out.

Rules of this file:

1. The worker's thread writes; any thread may read. No clock: times are handed in.
2. When a sound was made is told by the window it was decoded with: when the window's last sample
   arrived, the sound lay so much before it. A source that hands over much at once is taken as one
   that had spoken in real time until then.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from parakeet_streaming.live.driver import Due
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import ContextChanged, Event, Partial, Token
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.timeline import samples_to_seconds

_FORGETTING: Final = 0.98
_MEASURED_EVERY_S: Final = 0.1


class StreamMeter:
    """The times of one stream."""

    def __init__(self, metrics: LiveMetrics, chunk_s: float) -> None:
        """`chunk_s`: of the stream's first context."""
        self.queue_wait = Histogram()
        self.emission_delay = Histogram()
        self.finalization = Histogram()
        self.first_partial_s: float | None = None
        """From the start of the first word to its text."""
        self.lag_s = 0.0
        """Between the last window being there and its text."""
        self.computing_s = 0.0
        """Its share of all steps it was in."""
        self.commits_at_s: deque[float] = deque()
        """When the caller asked for text; any thread appends."""
        self.finished_at_s: float | None = None
        """When the caller said that no more audio will come."""
        self._metrics = metrics
        self._chunk_s = chunk_s
        self._due: Due | None = None
        self._counted = (0.0, 0.0, 0, 0)

    def stepped(self, due: Due, began_s: float, done_s: float, share: float) -> None:
        """A step of this stream, which took a `share` of the batch."""
        waited_s = max(0.0, began_s - due.complete_s)
        self._due = due
        self.lag_s = done_s - due.complete_s
        self.computing_s += share * (done_s - began_s)
        self.queue_wait.record(waited_s)
        self._metrics.chunk_queue_wait_seconds.record(waited_s)

    def told(self, event: Event, now_s: float) -> None:
        """An event is handed out."""
        if isinstance(event, Partial):
            self._texted(event, now_s)
        elif isinstance(event, FinalEvent):
            self._finalized(event, now_s)
        elif isinstance(event, ContextChanged):
            longer = event.context.chunk > self._chunk_s
            self._chunk_s = event.context.chunk
            self._metrics.context_changes_total["longer" if longer else "shorter"].add()

    def counted(self, audio_s: float, speech_s: float, tokens: int, refused: int) -> float:
        """Takes what the stream has come to; gives the seconds of audio that are new."""
        before, metrics = self._counted, self._metrics
        self._counted = (audio_s, speech_s, tokens, refused)
        metrics.audio_seconds_total.add(audio_s - before[0])
        metrics.speech_seconds_total.add(speech_s - before[1])
        metrics.tokens_total.add(tokens - before[2])
        metrics.samples_dropped_total["ring_full"].add(refused - before[3])
        return audio_s - before[0]

    def _texted(self, partial: Partial, now_s: float) -> None:
        if self._due is None or not (partial.tokens or partial.tentative):
            return
        if self.first_partial_s is None:
            first = (partial.tokens or partial.tentative)[0]
            self.first_partial_s = self._since(first.start, now_s)
            self._metrics.first_partial_latency_seconds.record(self.first_partial_s)
        for end_s in _word_ends(partial.tokens):
            delay_s = self._since(end_s, now_s)
            self.emission_delay.record(delay_s)
            self._metrics.emission_delay_seconds.record(delay_s)

    def _finalized(self, final: FinalEvent, now_s: float) -> None:
        self._metrics.utterances_total[final.reason].add()
        words = final.transcript.words
        if words:
            self._metrics.utterance_duration_seconds.record(words[-1].end - words[0].start)
        since_s: float | None = None
        if final.reason == "commit" and self.commits_at_s:
            since_s = now_s - self.commits_at_s.popleft()
        elif final.reason == "end" and self.finished_at_s is not None:
            since_s = now_s - self.finished_at_s
        elif final.reason == "silence" and words:
            since_s = self._since(words[-1].end, now_s)
        if since_s is not None:
            self.finalization.record(since_s)
            self._metrics.finalization_latency_seconds.record(since_s)

    def _since(self, position_s: float, now_s: float) -> float:
        """Seconds since the sound at `position_s` was made."""
        if self._due is None:
            return 0.0
        before_s = samples_to_seconds(self._due.heard_samples) - position_s
        return max(0.0, now_s - self._due.complete_s + before_s)


class EngineMeter:
    """The times of all streams together."""

    def __init__(self, metrics: LiveMetrics) -> None:
        self.steps = 0
        self.longest_step_s = 0.0
        self._metrics = metrics
        self._busy_s = self._heard_s = 0.0
        self._measured_s = -math.inf

    def stepped(self, streams: int, began_s: float, encoded_s: float, done_s: float) -> None:
        """A step of so many streams."""
        self.steps += 1
        self.longest_step_s = max(self.longest_step_s, done_s - began_s)
        self._metrics.batch_size.record(streams)
        self._metrics.encoder_step_seconds.record(encoded_s - began_s)
        self._metrics.decoder_step_seconds.record(done_s - encoded_s)

    def is_time(self, began_s: float, now_s: float) -> bool:
        """Takes note of a turn with a step; whether it is time to measure all streams again."""
        self._busy_s += now_s - began_s
        due = now_s >= self._measured_s + _MEASURED_EVERY_S
        self._measured_s = now_s if due else self._measured_s
        return due

    def measured(self, heard_s: float, backlog_s: float) -> None:
        """Audio of all streams that is newly decoded, and the greatest backlog."""
        self._heard_s += heard_s
        if self._heard_s > 0:
            self._metrics.rtf_recent.set(self._busy_s / self._heard_s)
        self._busy_s *= _FORGETTING
        self._heard_s *= _FORGETTING
        self._metrics.backlog_audio_seconds.set(backlog_s)


def _word_ends(tokens: Sequence[Token]) -> list[float]:
    """Seconds at which words of one step end; one that goes on in the next step counts twice."""
    ends = [token.end for token, following in pairwise(tokens) if following.text.startswith(" ")]
    return [*ends, *(token.end for token in tokens[-1:])]
