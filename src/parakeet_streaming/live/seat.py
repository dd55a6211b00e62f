"""One stream at the worker's table: audio from its wire in; what is due, and events, out.

Rules of this file:

1. Everything here belongs to the worker's thread. There is no clock: times are handed in.
2. Speech is judged before anything is decoded. A chunk that is surely quiet, or lies in a gap, is
   passed over and costs nothing; what comes after it still hears it as left context.
3. A gap is silence of its length, so all times behind it stay true.
4. An utterance ends when the audio its endpoint names is committed, not before.
5. Behind live audio comes half a second of silence, which no time counts: these models may keep
   their last word until they hear that nothing follows. No utterance ends by that silence.
6. Deadlines follow each other by a chunk at least: who hands over much at once may not keep out
   those who speak as they go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.endpoint import Endpoint, Endpointer
from parakeet_streaming.engine.ports import Floats
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.window import Span
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.wire import Missing, Outlet
from parakeet_streaming.results import ContextChanged, Event, Gap, Partial
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    milliseconds_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)

TAIL_S: Final = 0.5
_SLACK_S: Final = 0.5
"""Taken beyond a window and a chunk, so that voice activity can run ahead of decoding."""
_FRAMES_TOGETHER: Final = 2
"""Frames that voice activity waits for; each of a call of its own would cost more than it tells."""


@dataclass(frozen=True, slots=True)
class Due:
    """A window that waits for its step."""

    heard_samples: int
    """Position at 16 kHz behind its last sample."""
    complete_s: float
    """When that sample had arrived, on the producer's clock."""
    deadline_s: float
    """A chunk later, when the next window is complete."""
    audio_s: float
    """What its step encodes."""


@dataclass(slots=True)
class Counts:
    """What one stream has come to, for whoever measures."""

    steps: int = 0
    skipped: int = 0
    """Chunks passed over as quiet."""
    tokens: int = 0
    utterances: int = 0
    speech_samples: int = 0
    """At 16 kHz, as far as voice activity has judged."""
    gap_samples: int = 0
    """At the pushed rate."""


class Seat:
    """The worker's side of one stream."""

    def __init__(
        self,
        stream: Stream,
        outlet: Outlet,
        adapter: Adapter,
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
    ) -> None:
        self.stream = stream
        self.outlet = outlet
        self.adapter = adapter
        self.detector = detector
        self.counts = Counts()
        self.vad_state: object | None = None
        """What the network knows of the last frame; None where it begins, or begins anew."""
        self.commits: deque[int] = deque()
        """Positions at the pushed rate up to which text is wanted now; any thread appends."""
        self._endpointer = endpointer
        self._endpoint: Endpoint | None = None
        self._gaps: deque[tuple[int, int]] = deque()
        self._gap_left = 0
        self._ended = False
        self._deadline_s = 0.0
        self._events: list[Event] = []
        padding_ms = 0.0 if detector is None else detector.options.prefix_padding_ms
        self._slack = seconds_to_samples(_SLACK_S) + milliseconds_to_samples(padding_ms)

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that were pushed and not decoded as chunk yet. Any thread may ask."""
        waiting = samples_to_seconds(self.outlet.waiting + self._gap_left, self._rate_hz)
        return waiting + samples_to_seconds(self.stream.buffered_samples)

    @property
    def heard_samples(self) -> int:
        """Samples of audio at 16 kHz that were decoded or passed over."""
        return self._within_audio(self.stream.window.decoded_samples)

    def take(self) -> bool:
        """Moves audio from the wire into the stream: a window, a chunk and a little at most.

        More would only be copied about while it waits for its steps. What was heard before a gap is
        judged before the gap is taken.

        Returns:
            Whether anything has come, the end of the stream included.
        """
        before = self.stream.window.fed_samples, self._ended
        context = self.stream.context
        enough = context.window_samples + context.chunk_samples + self._slack
        most = self._at_pushed_rate(max(0, enough - self.stream.buffered_samples))
        while most > 0 and not self._ended:
            if self._gap_left:
                if self.frame_to_judge() is not None:
                    break
                most -= self._fill_gap(most)
                continue
            piece = self.outlet.take(most)
            if piece is None:
                break
            if isinstance(piece, Missing):
                self._begin_gap(piece)
            else:
                self.stream.push(piece)
                most -= int(piece.shape[0])
        if self.is_to_end and not self.commits and self._endpoint is None:
            self._ended = True
            self.stream.end(TAIL_S)
        return before != (self.stream.window.fed_samples, self._ended)

    @property
    def is_to_end(self) -> bool:
        """Whether all audio was taken and the stream does not know yet that it is over."""
        return self.outlet.ended and not self._gap_left and not self._ended

    def frame_to_judge(self) -> Floats | None:
        """The next frame for voice activity, float32 (n,); None where there is none."""
        if self.detector is None or self.detector.finished:
            return None
        start, fed = self.detector.known_to, self.stream.window.fed_samples
        stop = start + self.detector.frame_samples
        if stop <= fed:
            return self.stream.window.samples(start, stop)
        if self._ended and start < fed:
            frame = np.zeros(stop - start, np.float32)
            frame[: fed - start] = self.stream.window.samples(start, fed)
            return frame
        return None

    def judged(self, probability: float, state: object) -> None:
        """Takes the probability of speech in that frame."""
        assert self.detector is not None
        self.vad_state = state
        transition = self.detector.feed(probability)
        if self.detector.silence_from is None:
            self.counts.speech_samples += self.detector.frame_samples
        self._tell_judged(transition)

    def plan(self) -> Due | None:
        """Passes over what is quiet, looks for the end of the utterance; what is due, if anything.

        It stays due until it was stepped.
        """
        self._finish_judging()
        while not self.stream.closed:
            self._look_for_endpoint()
            span = self.stream.window.next_span()
            if self._closes_utterance(span):
                continue
            quiet = None if span is None else self._quiet(span)
            if span is None or quiet is None:
                return None
            if not quiet:
                return self.due()
            self.counts.skipped += 1
            cleared = bool(self.stream.tentative)
            self._told(self.stream.skip(), stepped=False, cleared=cleared)
        return None

    def due(self) -> Due:
        """The window that `plan` found, as it is by now: more may have come behind it."""
        span = self.stream.window.next_span()
        assert span is not None, "a window that was due stays due until it was stepped"
        heard = self._within_audio(span.heard_end)
        complete_s = self.outlet.arrived_s(self._at_pushed_rate(heard))
        begin_s = max(complete_s, self._deadline_s)
        left = 0 if self.stream.options.cached else span.left_samples
        return Due(
            heard_samples=heard,
            complete_s=complete_s,
            deadline_s=begin_s + samples_to_seconds(span.chunk_samples),
            audio_s=samples_to_seconds(left + span.heard_end - span.chunk_start),
        )

    def stepped(
        self, due: Due, events: Sequence[Event], waited_s: float, lower_load: float
    ) -> None:
        """Takes what a step gave; the context may change behind it.

        Args:
            due: what was stepped.
            events: what came of it.
            waited_s: between the moment it was due and the moment its step began.
            lower_load: part of the time that all steps would take with this stream's next smaller
                chunk.
        """
        self.counts.steps += 1
        self._deadline_s = due.deadline_s
        self._told(events)
        context = self.adapter.stepped(waited_s, lower_load)
        if context is not None and not self.stream.closed:
            self.stream.use(context)
            at_s = samples_to_seconds(self.stream.window.decoded_samples)
            self._events.append(ContextChanged(context, at_s))

    def events(self) -> list[Event]:
        """What is to be told, once."""
        events, self._events = self._events, []
        return events

    def give_up(self) -> None:
        """Ends the stream before its time: what was committed is told as its last utterance."""
        self.outlet.refuse()
        if not self.stream.closed:
            self.counts.utterances += 1
            self._events.append(self.stream.end_utterance("end"))

    def needed_samples(self) -> int:
        """Samples at the pushed rate without which nothing can happen here; at least 1."""
        window, context = self.stream.window, self.stream.context
        needed = context.chunk_samples + context.right_samples + 1 - window.buffered_samples
        if self.detector is not None:
            ahead = self.detector.known_to + _FRAMES_TOGETHER * self.detector.frame_samples
            needed = min(needed, ahead - window.fed_samples)
        return max(1, self._at_pushed_rate(needed))

    @property
    def _rate_hz(self) -> int:
        return self.stream.context.sample_rate

    def _at_pushed_rate(self, samples: int) -> int:
        return -(-samples * self._rate_hz // SAMPLE_RATE_HZ)

    def _from_pushed_rate(self, samples: int) -> int:
        return samples * SAMPLE_RATE_HZ // self._rate_hz

    def _within_audio(self, position: int) -> int:
        end = self.stream.audio_end
        return position if end is None else min(position, end)

    def _begin_gap(self, missing: Missing) -> None:
        self._gap_left = missing.count
        self.counts.gap_samples += missing.count
        end = missing.start + missing.count
        self._gaps.append((self._from_pushed_rate(missing.start), self._from_pushed_rate(end)))
        start_s, end_s = (samples_to_seconds(at, self._rate_hz) for at in (missing.start, end))
        self._events.append(Gap(start_s, end_s))

    def _fill_gap(self, most: int) -> int:
        count = min(most, self._gap_left)
        self.stream.push(np.zeros(count, np.float32))
        self._gap_left -= count
        if self.detector is not None:
            # Judged as nothing: whether someone spoke cannot be known.
            fed = self.stream.window.fed_samples
            self._tell_judged(self.detector.skip_to(max(self.detector.known_to, fed)))
            self.vad_state = None
        return count

    def _finish_judging(self) -> None:
        if self.detector is None or not self._ended or self.detector.finished:
            return
        if self.detector.known_to >= self.stream.window.fed_samples:
            self._tell_judged(self.detector.finish(self.stream.window.fed_samples))

    def _tell_judged(self, transition: Transition | None) -> None:
        assert self.detector is not None
        if transition is not None:
            at = self._within_audio(transition.at_sample)
            transition = Transition(transition.started, at)
            self._events.append(transition.event())
        if self._endpointer is not None:
            silence_from = self.detector.silence_from
            if silence_from is not None:
                silence_from = self._within_audio(silence_from)
            known_to = self._within_audio(self.detector.known_to)
            self._endpointer.judged(known_to, silence_from, transition)

    def _quiet(self, span: Span) -> bool | None:
        """Whether the next chunk may be passed over; None while that cannot be said."""
        start, end = span.chunk_start, span.chunk_end
        if any(first <= start and span.heard_end <= last for first, last in self._gaps):
            return True
        if self.detector is None:
            return False
        if self.detector.quiet(start, end):
            return True
        if self.detector.finished or self._endpoint is not None:
            return False
        return None if self.detector.quiet_so_far(start, end) else False

    def _told(
        self, events: Sequence[Event], *, stepped: bool = True, cleared: bool = False
    ) -> None:
        for event in events:
            if isinstance(event, Partial):
                self._decoded(event, stepped=stepped)
                if not stepped and not cleared:
                    continue
            else:
                self.counts.utterances += 1
            self._events.append(event)

    def _decoded(self, partial: Partial, *, stepped: bool) -> None:
        self.counts.tokens += len(partial.tokens)
        decoded = self.stream.window.decoded_samples
        while self._gaps and self._gaps[0][1] <= decoded:
            self._gaps.popleft()
        if self.detector is not None:
            self.detector.forget_before(decoded)
        if self._endpointer is not None:
            committed = self._within_audio(decoded)
            # Of a chunk that was passed over, nobody has looked at the right context.
            heard = seconds_to_samples(partial.heard_s) if stepped else committed
            self._endpointer.decoded(committed, heard, partial.tokens, partial.tentative)

    def _look_for_endpoint(self) -> None:
        if self._endpoint is not None:
            return
        if self.commits and self.commits[0] <= self.outlet.position and not self._gap_left:
            asked = self._from_pushed_rate(self.commits.popleft())
            position = min(asked, self.stream.window.fed_samples)
            self._endpoint = Endpoint("commit", max(position, self.stream.window.decoded_samples))
        elif self._endpointer is not None:
            self._endpoint = self._endpointer.check()
        if self._endpoint is not None:
            self.stream.flush(self._endpoint.commit_to)

    def _closes_utterance(self, span: Span | None) -> bool:
        """Ends the utterance once what its endpoint names is committed, as far as it can be."""
        endpoint = self._endpoint
        if endpoint is None:
            return False
        if span is not None and self.stream.window.decoded_samples < endpoint.commit_to:
            return False
        self._endpoint = None
        if self._endpointer is None or self._endpointer.close(endpoint):
            self.counts.utterances += 1
            self._events.append(self.stream.end_utterance(endpoint.reason))
        return True
