"""One stream of the loop: its audio and steps in; what is due, and events, out.

Rules of this file:

1. Everything here belongs to the worker's thread. There is no clock: times are handed in.
2. Speech is judged before anything is decoded. A chunk that is surely quiet is passed over and
   costs nothing; the next chunk that is decoded still has it as left context.
3. What is told depends on the audio, not on when it came: what the detector heard, commits and
   steps are taken in the order of the samples that they need, as if each sample had been pushed
   alone. What has arrived after that is not looked at. (A chunk that grew under load is told.)
4. The stream ends after all utterances that were asked for. The silence added at the end ends no
   utterance.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.spans import Span
from parakeet_streaming.engine.stream_state import ActivityState, StreamState
from parakeet_streaming.engine.window import complete_at
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.adaptation import Adapter
from parakeet_streaming.live.demand import cost_of
from parakeet_streaming.live.due import Due, DueWindow
from parakeet_streaming.live.ends import SampleSource
from parakeet_streaming.live.intake import TAIL_S, Intake
from parakeet_streaming.live.outcome import StreamOutcome
from parakeet_streaming.live.phrase_changes import PhraseChanges
from parakeet_streaming.live.resuming import with_changes
from parakeet_streaming.live.speech import StreamSpeech
from parakeet_streaming.live.utterances import Utterances
from parakeet_streaming.results import ContextChanged, Event, Partial
from parakeet_streaming.timeline import samples_to_seconds


class StreamDriver:
    """The worker's side of one stream."""

    def __init__(
        self,
        stream: WindowedStream,
        queue: SampleSource,
        adapter: Adapter,
        detector: SpeechDetector | None = None,
        endpointer: Endpointer | None = None,
        *,
        tail_s: float = TAIL_S,
        resumed: ActivityState | None = None,
        changed_at: int = -1,
    ) -> None:
        """Drives a stream, which nothing else feeds or steps.

        Args:
            stream: the one to drive.
            queue: where its audio comes from.
            adapter: chooses its context.
            detector: judges speech; None to decode everything.
            endpointer: ends utterances; None for one utterance.
            tail_s: seconds of silence to decode after the audio.
            resumed: what was known of it.
            changed_at: position of the last change of its phrases; -1 for none.
        """
        self.stream = stream
        self._window = stream.window
        options = stream.options
        self._cached, self._tentative = options.cached, options.tentative
        self._adapter = adapter
        self._keeps_context = adapter.is_fixed
        self._queue = queue
        unreported: list[Event] = []
        self._hears = hears = detector is not None
        self.speech = StreamSpeech(stream, unreported, detector, endpointer, resumed)
        taken = (stream, queue, self.speech)
        self.outcome = StreamOutcome(*taken, endpointer, unreported, hears=hears)
        padding = 0 if detector is None else detector.padding_samples
        self.intake = Intake(*taken, unreported, tail_s=tail_s, padding_samples=padding)
        endpoint = None if resumed is None else resumed.endpoint
        ends = (detector, endpointer, endpoint)
        self.utterances = Utterances(stream, self.intake, *ends, tail_s=tail_s)
        self.changes = PhraseChanges(stream, changed_at)
        self.is_plain = False
        """Whether `plan` found nothing to take but the next window: so it is with most streams."""
        self._due = DueWindow(stream, queue)
        self._note_context()

    @property
    def is_to_end(self) -> bool:
        """Whether all audio was taken and the stream does not know yet that it is over."""
        intake = self.intake
        return not intake.ended and intake.all_taken

    def _note_context(self) -> None:
        """What it asks for, now and with the next smaller chunk; what its windows have alike."""
        context, lower = self._adapter.context, self._adapter.lower
        self.cost = cost = cost_of(context, cached=self._cached)
        self.lower_cost = None if lower is None else cost_of(lower, cached=self._cached)
        self.kind, self.chunk_s = (*context.effective, self._cached), cost.chunk_s

    def commit(self, position: int) -> None:
        """Wants the text up to that position now. Any thread."""
        self.utterances.commit(position)

    def take(self) -> bool:
        """Takes what has arrived, or that nothing will any more; whether there was anything."""
        came = self.intake.take()
        if self._queue.ended and self.is_to_end and not self.utterances.come_first:
            self.intake.end()
            came = True
        if came:
            self._due.found = None
        return came

    def plan(self) -> Due | None:
        """Passes over what is quiet, looks for ends; what is due until it was stepped, if any."""
        self._due.found = None
        utterances = self.utterances
        self.is_plain = self._has_windows_alone() and utterances.look() is None
        if not self.is_plain:
            return self._plan_in_order()
        span = self._window.next_span()
        return None if span is None else self._due_of(span)

    def plan_window(self) -> Due | None:
        """The window that is due of a stream that `has_no_window` was said of, if no more has come.

        None where `plan` has to look: there is no window, or there is something else.
        """
        self._due.found = None
        span = self._window.next_span()
        if span is None or not self.is_plain or not self._has_windows_alone():
            return None
        return self._due_of(span)

    def has_no_window(self) -> bool:
        """Whether nothing waits for its turn, and the next window alone is to come."""
        utterances = self.utterances
        self.is_plain = plain = self._has_windows_alone() and utterances.look() is None
        return plain and self._window.next_span() is None

    def _plan_in_order(self) -> Due | None:
        stream, window, utterances = self.stream, self._window, self.utterances
        self.speech.finish_judging()
        while not stream.closed:
            ending = utterances.look() is not None
            span = window.next_span()
            self._change_phrases(span)
            if ending and window.flushing and not self._settle(span):
                return None if span is None else self.due()
            if ending:
                for final in utterances.close():
                    self.outcome.report(final)
            elif self.speech.hear(self._needed_to(span)):
                continue
            elif utterances.commit_comes_before(span):
                utterances.begin_commit()
            elif span is None:
                # Without silence at the end there may be no last window.
                for event in stream.close_if_done():
                    self.outcome.report(event)
                return None
            elif not (quiet := self._quiet(span)):
                return None if quiet is None else self.due()
        return None

    def _has_windows_alone(self) -> bool:
        """Whether no speech, gap, commit, end or other phrases are to be taken among them."""
        stream, gaps, utterances = self.stream, self.speech.gaps, self.utterances
        if self._hears or gaps.any or stream.closed or stream.audio_end is not None:
            return False
        changes = self.changes
        return utterances.endpoint is None and not (utterances.commits or changes.waiting)

    def due(self) -> Due:
        """The window that `plan` found, as it is by now: more may have come after it."""
        if (found := self._due.found) is not None:
            return found
        span = self._window.next_span()
        assert span is not None, "a window that was due stays due until it was stepped"
        return self._due_of(span)

    def _due_of(self, span: Span) -> Due:
        return self._due.of(span, ends=self.utterances.endpoint is not None)

    def take_step(
        self, due: Due, events: Sequence[Event], waited_s: float, lower_load: float
    ) -> None:
        """Takes what a step gave that began `waited_s` late; the context may change after it.

        `lower_load`: part of the time that all steps would take with its next smaller chunk.
        """
        outcome = self.outcome
        outcome.stepped()
        self._due.stepped(due)
        for event in events:
            if isinstance(event, Partial):
                outcome.decoded(event, has_lookahead=self._tentative)
            outcome.report(event)
        context = None if self._keeps_context else self._adapter.stepped(waited_s, lower_load)
        if context is not None and not self.stream.closed:
            self.stream.use(context)
            self.intake.use(context)
            self._note_context()
            at_s = samples_to_seconds(self._window.decoded_samples)
            self.outcome.report(ContextChanged(context, at_s))

    def give_up(self) -> None:
        """Ends the stream before its time: what was committed is its last utterance."""
        self._queue.refuse()
        if not self.stream.closed:
            self.outcome.report(self.stream.end_utterance("end"))

    def state(self, *, audio: bool, past: bool, earlier_utterances: bool) -> StreamState:
        """All of the stream as a value; audio that is still in the queue is not in it."""
        state = self.stream.state(audio=audio, past=past, earlier_utterances=earlier_utterances)
        activity = self.speech.state(self.utterances.endpoint, state.fed_samples)
        return with_changes(replace(state, activity=activity), self.changes, audio=audio)

    def _settle(self, span: Span | None) -> bool:
        """Commits what is tentative in place of the window's step, if that would find no more."""
        to = None if span is None else self.utterances.settled_to(span)
        if to is None:
            return False
        self.outcome.settle(to)
        return True

    def _change_phrases(self, span: Span | None) -> None:
        """Makes the changes that were said before the audio that completes that window."""
        if span is not None:
            complete = complete_at(self._window, span)
            self.changes.take(self.utterances.before_commit(complete))

    def _needed_to(self, span: Span | None) -> int:
        """Position up to which all is used that was heard, before the next step or commit."""
        if self.intake.ended and (span is None or span.is_last):
            return sys.maxsize
        needed = self._window.fed_samples if span is None else span.needed_to
        return self.utterances.before_commit(needed)

    def _quiet(self, span: Span) -> bool | None:
        """Whether the chunk may be passed over, which is then done; None while that is not known.

        True as well where something else comes first.
        """
        if self._settle(span):
            return True
        quiet = self.speech.quiet(span)
        if quiet:
            self.outcome.skip(self.speech.quiet_after(span))
        elif quiet is None:
            commit = self.utterances.next_commit
            if self.speech.hear_next(commit):
                return True
            if commit is not None:
                # A commit does not wait for what comes after it.
                self.utterances.begin_commit()
                return True
        return quiet
