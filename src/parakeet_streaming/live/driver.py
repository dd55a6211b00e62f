"""One stream at the worker's table: its audio and steps in; what is due, and events, out.

Rules of this file:

1. Everything here belongs to the worker's thread. There is no clock: times are handed in.
2. Speech is judged before anything is decoded. A chunk that is surely quiet is passed over and
   costs nothing; what comes after it still hears it as left context.
3. An utterance ends when the audio its endpoint names is committed, not before. The stream ends
   behind all utterances that were asked for; no utterance ends by the silence added there.
4. Deadlines follow each other by a chunk at least: who hands over much at once may not keep out
   those who speak as they go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpoint, Endpointer
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.window import Span
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.audio_queue import AudioQueueReader
from parakeet_streaming.live.intake import Intake
from parakeet_streaming.results import ContextChanged, Event, Final, Partial
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples


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


class StreamDriver:
    """The worker's side of one stream."""

    def __init__(
        self,
        stream: Stream,
        outlet: AudioQueueReader,
        adapter: Adapter,
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
    ) -> None:
        self.stream = stream
        self.outlet = outlet
        self.adapter = adapter
        self.counts = Counts()
        self.commits: deque[int] = deque()
        """Positions at the pushed rate up to which text is wanted now; any thread appends."""
        self._events: list[Event] = []
        self.ear = Intake(stream, outlet, self._events, detector, endpointer)
        self._endpointer = endpointer
        self._endpoint: Endpoint | None = None
        self._deadline_s = 0.0

    @property
    def heard_samples(self) -> int:
        """Samples of audio at 16 kHz that were decoded or passed over."""
        return self.ear.within_audio(self.stream.windowed.window.decoded_samples)

    @property
    def is_to_end(self) -> bool:
        """Whether all audio was taken and the stream does not know yet that it is over."""
        return self.ear.heard_out and not self.ear.ended

    def take(self) -> bool:
        """Takes what has arrived, or that nothing will any more; whether there was anything."""
        came = self.ear.take()
        if self.is_to_end and self._endpoint is None and not self.commits:
            self.ear.end()
            came = True
        return came

    def plan(self) -> Due | None:
        """Passes over what is quiet, looks for the end of the utterance; what is due, if anything.

        It stays due until it was stepped.
        """
        self.ear.finish_judging()
        while not self.stream.closed:
            self._look_for_endpoint()
            span = self.stream.windowed.window.next_span()
            if self._closes_utterance(span):
                continue
            if span is None:
                return None
            quiet = self.ear.quiet(span, in_haste=self._endpoint is not None)
            if quiet is None:
                return None
            if not quiet:
                return self.due()
            self._skip(self.ear.quiet_behind(span))
        return None

    def due(self) -> Due:
        """The window that `plan` found, as it is by now: more may have come behind it."""
        span = self.stream.windowed.window.next_span()
        assert span is not None, "a window that was due stays due until it was stepped"
        heard = self.ear.within_audio(span.lookahead_end)
        complete_s = self.ear.arrived_s(heard)
        begin_s = max(complete_s, self._deadline_s)
        left = 0 if self.stream.windowed.options.cached else span.left_samples
        return Due(
            heard_samples=heard,
            complete_s=complete_s,
            deadline_s=begin_s + samples_to_seconds(span.chunk_samples),
            audio_s=samples_to_seconds(left + span.lookahead_end - span.chunk_start),
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
        for event in events:
            if isinstance(event, Partial):
                self._decoded(event, seconds_to_samples(event.lookahead_end_s))
            self._tell(event)
        context = self.adapter.stepped(waited_s, lower_load)
        if context is not None and not self.stream.closed:
            self.stream.windowed.use(context)
            at_s = samples_to_seconds(self.stream.windowed.window.decoded_samples)
            self._tell(ContextChanged(context, at_s))

    def events(self) -> list[Event]:
        """What is to be told, once."""
        events = self._events.copy()
        self._events.clear()
        return events

    def give_up(self) -> None:
        """Ends the stream before its time: what was committed is told as its last utterance."""
        self.outlet.refuse()
        if not self.stream.closed:
            self._tell(self.stream.windowed.end_utterance("end"))

    def _tell(self, event: Event) -> None:
        self.counts.utterances += isinstance(event, Final)
        self._events.append(event)

    def _skip(self, quiet_behind: int) -> None:
        self.counts.skipped += 1
        is_news = bool(self.stream.windowed.tentative)
        for event in self.stream.windowed.skip(quiet_behind):
            if isinstance(event, Partial):
                # Nobody has looked at the right context.
                self._decoded(event, self.heard_samples)
                if not is_news:
                    continue
            self._tell(event)

    def _decoded(self, partial: Partial, heard: int) -> None:
        self.counts.tokens += len(partial.tokens)
        self.ear.forget_before(self.stream.windowed.window.decoded_samples)
        if self._endpointer is not None:
            committed = self.heard_samples
            self._endpointer.decoded(committed, heard, partial.tokens, partial.tentative)

    def _look_for_endpoint(self) -> None:
        if self._endpoint is not None:
            return
        if self.commits and self.commits[0] <= self.ear.taken:
            window = self.stream.windowed.window
            asked = min(self.ear.from_pushed_rate(self.commits.popleft()), window.fed_samples)
            self._endpoint = Endpoint("commit", max(asked, window.decoded_samples))
        elif self._endpointer is not None:
            self._endpoint = self._endpointer.check()
        if self._endpoint is not None:
            self.stream.windowed.window.flush(self._endpoint.commit_to)

    def _closes_utterance(self, span: Span | None) -> bool:
        """Ends the utterance once what its endpoint names is committed, as far as it can be."""
        endpoint = self._endpoint
        if endpoint is None:
            return False
        if span is not None and self.stream.windowed.window.decoded_samples < endpoint.commit_to:
            return False
        self._endpoint = None
        if self._endpointer is None or self._endpointer.close(endpoint):
            self._tell(self.stream.windowed.end_utterance(endpoint.reason))
        return True
