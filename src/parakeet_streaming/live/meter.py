"""When things happened to a stream, or to all, in; its own percentiles, and all metrics, out.

Rules of this file:

1. The worker's thread writes; any thread may read. No clock: times are handed in.
2. When a sound was made follows from the window that it was decoded with: it lies so much before
   the window's last sample, and it is known when that arrived. A source that hands over much at
   once is taken as one that had spoken in real time until then.
3. A machine that slept, or a clock that was set, makes times that nothing took. Where much more
   time went by than audio may wait, it is not recorded: percentiles would have it for good.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from parakeet_streaming.engine.words import begins_word, ends_word
from parakeet_streaming.live.due import Due
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.timed_step import StepTimes
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import ContextChanged, Event, Partial, StepTiming, Token
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

MOST_S: Final = 600.0
"""Longer than audio may wait (`most_ring_s`) and its steps take; above it, the clock has leapt."""
_FORGETTING: Final = 0.98
_LONGEST_FORGETTING: Final = 0.9
_MEASURED_EVERY_S: Final = 0.1


@dataclass(slots=True)
class Counts:
    """What one stream has come to, for whoever measures."""

    steps: int = 0
    skipped: int = 0
    """Chunks passed over without a step."""
    tokens: int = 0
    utterances: int = 0


class StreamMeter:
    """The times of one stream."""

    def __init__(self, metrics: LiveMetrics, chunk_s: float, audio_s: float = 0.0) -> None:
        """`chunk_s`: of the stream's first context; `audio_s`: decoded before, where it resumes."""
        self.queue_wait = Histogram()
        self.emission_delay = Histogram()
        self.finalization = Histogram()
        self.first_partial_s: float | None = None
        """From the start of the first word to its text."""
        self.lag_s = 0.0
        """From the last window being complete to its text."""
        self.computing_s = 0.0
        """Its share of all steps it was in."""
        self._commits_at_s: deque[float] = deque()
        self.finished_at_s: float | None = None
        """When the caller said that no more audio will come."""
        self._metrics = metrics
        self._chunk_s = chunk_s
        self._due: Due | None = None
        self._counted = (seconds_to_samples(audio_s), 0, 0, 0)

    def commit_asked(self, now_s: float) -> None:
        """The caller has asked for a commit. Any thread."""
        self._commits_at_s.append(now_s)

    def step_done(self, due: Due, timing: StepTiming) -> None:
        """A step of this stream."""
        self._due = due
        waited_s, took_s = timing.waited_s, timing.encode_s + timing.decode_s
        self.lag_s = waited_s + took_s
        computing_s = timing.share * took_s
        if computing_s <= MOST_S:
            self.computing_s += computing_s
        if waited_s <= MOST_S:
            self.queue_wait.record(waited_s)

    def reported(self, event: Event, now_s: float) -> None:
        """An event is handed out."""
        if isinstance(event, Partial):
            if event.tokens or event.tentative:
                self._record_partial(event, now_s)
        elif isinstance(event, FinalEvent):
            self._record_final(event, now_s)
        elif isinstance(event, ContextChanged):
            before_s, context = self._chunk_s, event.context
            self._chunk_s = context.chunk
            longer = context.chunk > before_s
            self._metrics.context_changes_total["longer" if longer else "shorter"].add()

    def counted(self, decoded: int, speech: int, tokens: int, refused: int) -> int:
        """Takes what the stream has come to, in samples; gives those decoded that are new."""
        before, counted = self._counted, (decoded, speech, tokens, refused)
        if counted == before:
            return 0
        self._counted, metrics = counted, self._metrics
        metrics.audio_seconds_total.add(samples_to_seconds(decoded - before[0]))
        if counted[1:] != before[1:]:
            metrics.speech_seconds_total.add(samples_to_seconds(speech - before[1]))
            metrics.tokens_total.add(tokens - before[2])
            metrics.samples_refused_total.add(refused - before[3])
        return decoded - before[0]

    def _record_partial(self, partial: Partial, now_s: float) -> None:
        if self._due is None:
            return
        if self.first_partial_s is None:
            first = (partial.tokens or partial.tentative)[0]
            self.first_partial_s = self._since(first.start, now_s)
            _record(self.first_partial_s, self._metrics.first_partial_latency_seconds)
        for end_s in _word_ends(partial.tokens):
            delay_s = self._since(end_s, now_s)
            _record(delay_s, self.emission_delay, self._metrics.emission_delay_seconds)

    def _record_final(self, final: FinalEvent, now_s: float) -> None:
        self._metrics.utterances_total[final.reason].add()
        transcript = final.transcript
        words = transcript.words
        if words:
            self._metrics.utterance_duration_seconds.record(words[-1].end - words[0].start)
        since_s: float | None = None
        if final.reason == "commit" and self._commits_at_s:
            since_s = now_s - self._commits_at_s.popleft()
        elif final.reason == "end" and self.finished_at_s is not None:
            since_s = now_s - self.finished_at_s
        elif final.reason == "silence" and words:
            since_s = self._since(words[-1].end, now_s)
        if since_s is not None:
            _record(since_s, self.finalization, self._metrics.finalization_latency_seconds)

    def _since(self, position_s: float, now_s: float) -> float:
        """Seconds since the sound at `position_s` was made."""
        if self._due is None:
            return 0.0
        before_s = samples_to_seconds(self._due.lookahead_end) - position_s
        return max(0.0, now_s - self._due.complete_s + before_s)


class EngineMeter:
    """The times of all streams together."""

    def __init__(self, metrics: LiveMetrics) -> None:
        self.steps = 0
        self.longest_step_s = 0.0
        """Of the last steps: older ones count less and less."""
        self._metrics = metrics
        self._busy_s = self._decoded_s = self._backlog_s = 0.0
        self._measured_s = -math.inf

    def step_done(self, streams: int, times: StepTimes) -> None:
        """A step of so many streams."""
        self.steps += 1
        self._metrics.batch_size.record(streams)
        if times.took_s <= MOST_S:
            self.longest_step_s = max(_LONGEST_FORGETTING * self.longest_step_s, times.took_s)
        _record(times.encoded_s - times.began_s, self._metrics.encoder_step_seconds)
        _record(times.done_s - times.encoded_s, self._metrics.decoder_step_seconds)

    def decoded(self, audio_s: float) -> None:
        """A stream has decoded that much more audio."""
        self._decoded_s += audio_s

    def streams_stepped(self, waited_s: Sequence[float], backlogs_s: Sequence[float]) -> None:
        """How long the streams of a step waited for it, and what they still have after it."""
        metrics = self._metrics
        metrics.chunk_queue_wait_seconds.record_all([each for each in waited_s if each <= MOST_S])
        metrics.backlog_seconds.record_all(backlogs_s)
        self._backlog_s = max(self._backlog_s, *backlogs_s)

    def turned(self, began_s: float, now_s: float) -> None:
        """A turn with a step; gauges are set from time to time."""
        if now_s - began_s <= MOST_S:
            self._busy_s += now_s - began_s
        if now_s < self._measured_s + _MEASURED_EVERY_S:
            return
        self._measured_s = now_s
        if self._decoded_s > 0:
            self._metrics.rtf_recent.set(self._busy_s / self._decoded_s)
        self._metrics.longest_backlog_seconds.set(self._backlog_s)
        self._busy_s *= _FORGETTING
        self._decoded_s *= _FORGETTING
        self._backlog_s = 0.0


def _record(seconds: float, *histograms: Histogram) -> None:
    """Records a time that something took; rule 3."""
    if seconds <= MOST_S:
        for histogram in histograms:
            histogram.record(seconds)


def _word_ends(tokens: Sequence[Token]) -> list[float]:
    """Seconds at which words of one step end; one that goes on in the next step counts twice."""
    ends = [
        token.end
        for token, following in pairwise(tokens)
        if begins_word(following.text) or ends_word(token.text)
    ]
    return [*ends, *(token.end for token in tokens[-1:])]
