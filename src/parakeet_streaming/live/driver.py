"""One stream of the loop: its audio and steps in; what is due, and events, out.

Rules of this file:

1. Everything here belongs to the worker's thread. There is no clock: times are handed in.
2. Speech is judged before anything is decoded. A chunk that is surely quiet is passed over and
   costs nothing; the next chunk that is decoded still has it as left context.
3. An utterance ends when the audio its endpoint names is committed, not before. The stream ends
   after all utterances that were asked for. The silence added at the end ends no utterance.
4. Deadlines follow each other by a chunk at least: a source that hands over much at once may not
   keep out those that come in real time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpoint, Endpointer
from parakeet_streaming.engine.stream_state import ActivityState, StreamState
from parakeet_streaming.engine.window import Span
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.audio_queue import AudioQueueReader
from parakeet_streaming.live.demand import StreamCost
from parakeet_streaming.live.intake import TAIL_S, Intake
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.results import ContextChanged, Event, Final, Partial
from parakeet_streaming.timeline import (
    ContextConfig,
    samples_to_seconds,
    seconds_to_samples,
)


@dataclass(frozen=True, slots=True)
class Due:
    """A window that waits for its step."""

    lookahead_end: int
    """Position after its last sample."""
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


def cost_of(context: ContextConfig, *, cached: bool) -> StreamCost:
    """What a stream of that context asks for; a cached one encodes no left context again."""
    left, chunk, right = context.effective
    return StreamCost(1 / chunk, ((0.0 if cached else left) + chunk + right) / chunk)


class StreamDriver:
    """The worker's side of one stream."""

    def __init__(
        self,
        stream: WindowedStream,
        queue: AudioQueueReader,
        adapter: Adapter,
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
        *,
        tail_s: float = TAIL_S,
        resumed: ActivityState | None = None,
    ) -> None:
        """Drives a stream.

        Args:
            stream: the one to drive; nothing else feeds or steps it.
            queue: where its audio comes from.
            adapter: chooses its context.
            detector: judges speech; None to decode everything.
            endpointer: ends utterances; None for one utterance.
            tail_s: seconds of silence to decode after the audio.
            resumed: what was known of a stream that goes on.
        """
        self.stream = stream
        self.counts = Counts()
        self._window = stream.window
        options = stream.options
        self._cached = options.cached
        self._commits: deque[int] = deque()
        self._adapter = adapter
        self._queue = queue
        self._events: list[Event] = []
        self.speech = StreamSpeech(stream, self._events, detector, endpointer, resumed)
        padding = 0 if detector is None else detector.padding_samples
        self.intake = Intake(
            stream, queue, self.speech, self._events, tail_s=tail_s, padding_samples=padding
        )
        self._detector = detector
        self._endpointer = endpointer
        self._endpoint = None if resumed is None else resumed.endpoint
        self._deadline_s = 0.0

    @property
    def decoded_samples(self) -> int:
        """Samples of audio that were decoded or passed over."""
        return self.speech.within_audio(self._window.decoded_samples)

    @property
    def is_to_end(self) -> bool:
        """Whether all audio was taken and the stream does not know yet that it is over."""
        return self.intake.all_taken and not self.intake.ended

    @property
    def cost(self) -> StreamCost:
        """What it asks for now."""
        return cost_of(self._adapter.context, cached=self._cached)

    @property
    def lower_cost(self) -> StreamCost | None:
        """What it would ask for with the next smaller chunk; None if there is none."""
        lower = self._adapter.lower
        return None if lower is None else cost_of(lower, cached=self._cached)

    def commit(self, position: int) -> None:
        """Wants the text up to that position now. Any thread."""
        self._commits.append(position)

    def take(self) -> bool:
        """Takes what has arrived, or that nothing will any more; whether there was anything."""
        came = self.intake.take()
        if self.is_to_end and self._endpoint is None and not self._commits:
            self.intake.end()
            came = True
        return came

    def plan(self) -> Due | None:
        """Passes over what is quiet, looks for the end of the utterance; what is due, if anything.

        It stays due until it was stepped.
        """
        self.speech.finish_judging()
        while not self.stream.closed:
            self._look_for_endpoint()
            span = self._window.next_span()
            if self._closes_utterance(span):
                continue
            if span is None:
                # Without silence at the end there may be no last window.
                for event in self.stream.close_if_done():
                    self._report(event)
                return None
            quiet = self.speech.quiet(span, in_haste=self._endpoint is not None)
            if quiet is None:
                return None
            if not quiet:
                return self.due()
            self._skip(self.speech.quiet_after(span))
        return None

    def due(self) -> Due:
        """The window that `plan` found, as it is by now: more may have come after it."""
        span = self._window.next_span()
        assert span is not None, "a window that was due stays due until it was stepped"
        end = self.speech.within_audio(span.lookahead_end)
        complete_s = self.intake.arrived_s(end)
        begin_s = max(complete_s, self._deadline_s)
        left = 0 if self._cached else span.left_samples
        return Due(
            lookahead_end=end,
            complete_s=complete_s,
            deadline_s=begin_s + samples_to_seconds(span.chunk_samples),
            audio_s=samples_to_seconds(left + span.lookahead_end - span.chunk_start),
        )

    def take_step(
        self, due: Due, events: Sequence[Event], waited_s: float, lower_load: float
    ) -> None:
        """Takes what a step gave; the context may change after it.

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
            self._report(event)
        context = self._adapter.stepped(waited_s, lower_load)
        if context is not None and not self.stream.closed:
            self.stream.use(context)
            self.intake.use(context)
            at_s = samples_to_seconds(self._window.decoded_samples)
            self._report(ContextChanged(context, at_s))

    def events(self) -> list[Event]:
        """What is to be reported, once."""
        events = self._events.copy()
        self._events.clear()
        return events

    def give_up(self) -> None:
        """Ends the stream before its time: what was committed is its last utterance."""
        self._queue.refuse()
        if not self.stream.closed:
            self._report(self.stream.end_utterance("end"))

    def state(self, *, audio: bool, past: bool, earlier_utterances: bool) -> StreamState:
        """All of the stream as a value; audio that is still in the queue is not in it."""
        activity = ActivityState(
            detector=None if self._detector is None else self._detector.state(),
            voice=self.speech.vad_state,
            endpointer=None if self._endpointer is None else self._endpointer.state(),
            endpoint=self._endpoint,
            gaps=tuple(self.speech.gaps),
            speech_samples=self.speech.speech_samples,
        )
        state = self.stream.state(audio=audio, past=past, earlier_utterances=earlier_utterances)
        return replace(state, activity=activity)

    def _report(self, event: Event) -> None:
        self.counts.utterances += isinstance(event, Final)
        self._events.append(event)

    def _skip(self, quiet_after: int) -> None:
        self.counts.skipped += 1
        is_news = bool(self.stream.tentative)
        for event in self.stream.skip(quiet_after):
            if isinstance(event, Partial):
                # A chunk that is passed over has no look-ahead.
                self._decoded(event, self.decoded_samples)
                if not is_news:
                    continue
            self._report(event)

    def _decoded(self, partial: Partial, lookahead_end: int) -> None:
        self.counts.tokens += len(partial.tokens)
        self.speech.forget_before(self._window.decoded_samples)
        self.intake.arrived_s(self.decoded_samples)
        if self._endpointer is not None:
            committed = self.decoded_samples
            self._endpointer.decoded(committed, lookahead_end, partial.tokens, partial.tentative)

    def _look_for_endpoint(self) -> None:
        if self._endpoint is not None:
            return
        window = self._window
        if self._commits and self._commits[0] <= self.intake.taken:
            asked = min(self._commits.popleft(), window.fed_samples)
            self._endpoint = Endpoint("commit", max(asked, window.decoded_samples))
        elif self._endpointer is not None:
            self._endpoint = self._endpointer.check()
        if self._endpoint is not None:
            window.flush(self._endpoint.commit_to)

    def _closes_utterance(self, span: Span | None) -> bool:
        """Ends the utterance once what its endpoint names is committed, as far as it can be."""
        endpoint = self._endpoint
        if endpoint is None:
            return False
        if span is not None and self._window.decoded_samples < endpoint.commit_to:
            return False
        self._endpoint = None
        if self._endpointer is None or self._endpointer.close(endpoint):
            self._report(self.stream.end_utterance(endpoint.reason))
        return True
