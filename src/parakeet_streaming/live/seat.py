"""One stream at the worker's table: audio from its wire in; what is due, and events, out.

Rules of this file:

1. Everything here belongs to the worker's thread. There is no clock: times are handed in.
2. Speech is judged before anything is decoded. A chunk that is surely quiet, or lies in a gap, is
   passed over and costs nothing; what comes after it still hears it as left context.
3. A gap is silence of its length, so all times behind it stay true.
4. An utterance ends when the audio its endpoint names is committed, not before.
5. Behind live audio comes half a second of silence, which no time counts: these models may keep
   their last word until they hear that nothing follows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpoint, Endpointer
from parakeet_streaming.engine.ports import Floats
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.wire import Missing, Outlet
from parakeet_streaming.results import ContextChanged, Event, Gap, Partial
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.timeline import (
    SAMPLE_RATE_HZ,
    ContextConfig,
    samples_to_seconds,
    seconds_to_samples,
)

TAIL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Due:
    """A window that waits for its step."""

    complete_s: float
    """When its last sample had arrived, on the producer's clock."""
    deadline_s: float
    """A chunk later, when the next window is complete."""
    audio_s: float
    """What its step encodes."""


@dataclass(slots=True)
class Counts:
    """What one stream has come to, for whoever measures."""

    steps: int = 0
    skipped: int = 0
    tokens: int = 0
    utterances: int = 0
    speech_samples: int = 0


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
        self.commits: deque[int | None] = deque()
        """Positions at the pushed rate up to which the caller wants text now; any thread appends."""
        self._endpointer = endpointer
        self._endpoint: Endpoint | None = None
        self._gaps: deque[tuple[int, int]] = deque()
        self._gap_left = 0
        self._ended = False
        self._events: list[Event] = []

    @property
    def done(self) -> bool:
        """Whether everything was decoded and told."""
        return self.stream.closed and not self._events

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that were pushed and not decoded as chunk yet."""
        waiting = samples_to_seconds(self.outlet.waiting + self._gap_left, self._rate_hz)
        return waiting + samples_to_seconds(self.stream.buffered_samples)

    def take(self) -> None:
        """Moves audio from the wire into the stream, at most a window and a chunk of it at a time.

        More would only be copied about while it waits for its steps.
        """
        context = self.stream.context
        room = context.window_samples + context.chunk_samples - self.stream.buffered_samples
        most = self._at_pushed_rate(max(0, room))
        while most > 0 and not self._ended:
            if self._gap_left:
                most -= self._fill_gap(most)
                continue
            pieces = self.outlet.take(most)
            if not pieces:
                break
            for piece in pieces:
                most -= self._taken(piece)
        if self.outlet.ended and not self._gap_left and not self._ended:
            self._ended = True
            self.stream.end(TAIL_S)

    def frame_to_judge(self) -> Floats | None:
        """The next frame for voice activity, float32 (512,); None where there is none."""
        if self.detector is None:
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
        if transition is not None:
            self._events.append(transition.event())
        self._tell_judged(transition)

    def plan(self) -> Due | None:
        """Passes over what is quiet, looks for the end of the utterance; what is due, if anything.

        Tells of a due window once; it stays due until it was stepped.
        """
        self._finish_judging()
        self._take_commits()
        while True:
            self._look_for_endpoint()
            if not self.stream.ready:
                self._close_utterance()
                return None
            quiet = self._next_is_quiet()
            if quiet is None:
                return None
            if not quiet:
                return self._due()
            self.counts.skipped += 1
            before = self.stream.tentative
            self._told(self.stream.skip(), silent=not before)

    def stepped(self, events: tuple[Event, ...], waited_s: float, load_if_lower: float) -> None:
        """Takes what a step gave; the context may change behind it."""
        self.counts.steps += 1
        self._told(events)
        self._close_utterance()
        if self.stream.closed:
            return
        context = self.adapter.stepped(waited_s, load_if_lower)
        if context is not None:
            self.use(context)

    def use(self, context: ContextConfig) -> None:
        """Cuts what follows by another context, and tells it."""
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
            self._events.append(self.stream.end_utterance("end"))

    def needed_samples(self) -> int:
        """Samples at the pushed rate without which nothing can happen here; at least 1."""
        window, context = self.stream.window, self.stream.context
        needed = context.chunk_samples + context.right_samples + 1 - window.buffered_samples
        if self.detector is not None:
            frames = 2 * self.detector.frame_samples
            needed = min(needed, self.detector.known_to + frames - window.fed_samples)
        return max(1, self._at_pushed_rate(needed))

    @property
    def _rate_hz(self) -> int:
        return self.stream.context.sample_rate

    def _at_pushed_rate(self, samples: int) -> int:
        return -(-samples * self._rate_hz // SAMPLE_RATE_HZ)

    def _from_pushed_rate(self, samples: int) -> int:
        return samples * SAMPLE_RATE_HZ // self._rate_hz

    def _taken(self, piece: Floats | Missing) -> int:
        if not isinstance(piece, Missing):
            self.stream.push(piece)
            return int(piece.shape[0])
        self._gap_left = piece.count
        end = piece.start + piece.count
        self._gaps.append((self._from_pushed_rate(piece.start), self._from_pushed_rate(end)))
        gap = Gap(
            samples_to_seconds(piece.start, self._rate_hz), samples_to_seconds(end, self._rate_hz)
        )
        self._events.append(gap)
        return 0

    def _fill_gap(self, most: int) -> int:
        count = min(most, self._gap_left)
        self.stream.push(np.zeros(count, np.float32))
        self._gap_left -= count
        if self.detector is not None:
            # Judged as nothing: whether someone spoke cannot be known.
            position = max(self.detector.known_to, self.stream.window.fed_samples)
            self._tell_judged(self.detector.skip_to(position))
            self.vad_state = None
        return count

    def _finish_judging(self) -> None:
        if self.detector is None or not self._ended or self.detector.finished:
            return
        if self.detector.known_to >= self.stream.window.fed_samples:
            transition = self.detector.finish(self.stream.window.fed_samples)
            if transition is not None:
                self._events.append(transition.event())
            self._tell_judged(transition)

    def _tell_judged(self, transition: object) -> None:
        if self._endpointer is not None and self.detector is not None:
            self._endpointer.judged(self.detector.known_to, self.detector.silence_from, transition)

    def _next_is_quiet(self) -> bool | None:
        """Whether the next chunk may be passed over; None while that cannot be said."""
        window = self.stream.window.next_chunk()
        assert window is not None
        start, end, heard = window
        if any(first <= start and heard <= last for first, last in self._gaps):
            return True
        if self.detector is None:
            return False
        if self.detector.quiet(start, end):
            return True
        waits = not self.detector.finished and self.detector.quiet_so_far(start, end)
        return None if waits else False

    def _due(self) -> Due:
        window = self.stream.window.next_chunk()
        assert window is not None
        start, end, heard = window
        context = self.stream.context
        complete_s = self.outlet.arrived_s(self._at_pushed_rate(heard))
        left = 0 if self.stream.options.cached else min(start, context.left_samples)
        audio_s = samples_to_seconds(left + heard - start)
        return Due(complete_s, complete_s + samples_to_seconds(end - start), audio_s)

    def _told(self, events: tuple[Event, ...], *, silent: bool = False) -> None:
        for event in events:
            if isinstance(event, Partial):
                self._decoded(event)
                if silent and not event.text:
                    continue
            if isinstance(event, FinalEvent):
                self.counts.utterances += 1
            self._events.append(event)

    def _decoded(self, partial: Partial) -> None:
        self.counts.tokens += len(partial.tokens)
        committed = self.stream.window.decoded_samples
        while self._gaps and self._gaps[0][1] <= committed:
            self._gaps.popleft()
        if self.detector is not None:
            self.detector.forget_before(committed)
        if self._endpointer is not None:
            heard = max(committed, seconds_to_samples(partial.heard_s))
            self._endpointer.decoded(committed, heard, partial.tokens, partial.tentative)

    def _take_commits(self) -> None:
        while self.commits:
            asked = self.commits.popleft()
            fed = self.stream.window.fed_samples
            position = fed if asked is None else min(fed, self._from_pushed_rate(asked))
            self._endpoint = (self._endpointer or Endpointer()).commit(position)
            self.stream.flush(self._endpoint.commit_to)

    def _look_for_endpoint(self) -> None:
        if self._endpointer is None or self._endpoint is not None or self.stream.closed:
            return
        endpoint = self._endpointer.check()
        if endpoint is not None:
            self._endpoint = endpoint
            self.stream.flush(endpoint.commit_to)
            self._close_utterance()

    def _close_utterance(self) -> None:
        """Ends the utterance once what its endpoint names is committed, as far as it can be."""
        endpoint = self._endpoint
        if endpoint is None or self.stream.closed:
            return
        if self.stream.window.decoded_samples < endpoint.commit_to and self.stream.ready:
            return
        self._endpoint = None
        if self._endpointer is None or self._endpointer.close(endpoint):
            self.counts.utterances += 1
            self._events.append(self.stream.end_utterance(endpoint.reason))
