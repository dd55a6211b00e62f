"""A client's commands and its stream's events in; what the client is told, out.

It knows no protocol, clock, socket or engine. Whoever holds it calls the stream, hands in each
event, and tells how far the stream has decoded while the session `waits` for that.

Rules of this file:

1. What was told is never taken back. A word that was told and that the engine then takes to the
   next utterance stays in the one that told it.
2. Utterances do not mix. Speech that begins before the engine has ended the last utterance is told
   after that end, or not at all where it belongs to the same utterance.
3. Speech without text is an utterance, too, once all audio is decoded in which its text could be.
4. `clear` forgets what has not ended: nothing more of it is told, and it has no end.
5. Which number an utterance has depends on what was decoded, and not on when it was asked for: a
   session that goes on elsewhere from its state counts as this one does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Final, Literal

from parakeet_streaming.engine.words import group_words, text_of
from parakeet_streaming.results import (
    ContextChanged,
    EndReason,
    Event,
    Gap,
    HealthHint,
    Partial,
    SpeechEnded,
    SpeechStarted,
    Token,
    Word,
)
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.server.held_back import sure_tokens
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Lost,
    Marked,
    SessionEvent,
    Started,
    Stopped,
)
from parakeet_streaming.server.session_state import SessionState
from parakeet_streaming.server.speech_turns import SpeechTurns
from parakeet_streaming.timeline import FRAME_S

_OF_SPEECH: Final = ("speaking", "turns")
_Begun = tuple[float | None, list[SessionEvent]]
_SAMPLE_S: Final = 1e-4
"""Positions are compared with this much room: samples are whole, seconds are not."""


class Session:
    """One channel of one client."""

    def __init__(self, *, silence_s: float | None, most_utterance_s: float | None) -> None:
        """What is told depends on when utterances end.

        Args:
            silence_s: seconds without voice that end one; None where voice is not looked for.
            most_utterance_s: seconds after which one ends; None for never.
        """
        self._silence_s = silence_s
        self._most_s = most_utterance_s
        self._number = self._answered = self._characters = 0
        self._begin_s: float | None = None
        """Where the engine sees the beginning of the present utterance."""
        self._end_s = 0.0
        """The end of the last one."""
        self._heard: list[Token] = []
        """Its committed tokens."""
        self._told = 0
        """How many of them were told."""
        self._moved = 0
        """Tokens at the start of the engine's present utterance that were told with the last."""
        self._tentative = self._started = False
        self._speech = SpeechTurns()
        self._asked: deque[Literal["commit", "clear"]] = deque()
        self._marks: deque[tuple[str, float]] = deque()

    def state(self) -> SessionState:
        """Where it is, but for tokens and what was asked and not answered."""
        return SessionState(*(getattr(self, f"_{each.name}") for each in fields(SessionState)))

    def go_on(self, state: SessionState, heard: Sequence[Token]) -> None:
        """Goes on from a state; `heard`: all tokens of the stream's present utterance."""
        for each in fields(SessionState):
            if each.name not in _OF_SPEECH:
                setattr(self, f"_{each.name}", getattr(state, each.name))
        self._speech = SpeechTurns(state.speaking, state.turns)
        self._heard = list(heard[self._moved :])

    def commit(self) -> None:
        """The stream was asked to `commit`."""
        self._asked.append("commit")

    def clear(self) -> None:
        """The stream was asked to `commit`, and what comes of it is to be forgotten."""
        self._asked.append("clear")

    def mark(self, marker: str, at_s: float) -> None:
        """The client wants to know when all audio before `at_s` is decoded."""
        self._marks.append((marker, at_s))

    @property
    def waits(self) -> bool:
        """Whether `decoded` would tell something, if the stream decoded far enough."""
        return bool(self._marks) or self._over_s is not None

    @property
    def is_open(self) -> bool:
        """Whether something was told of an utterance that has not ended."""
        return self._started or self._told > 0

    def decoded(self, to_s: float) -> list[SessionEvent]:
        """The stream has decoded all audio up to `to_s`, and its events were taken."""
        events: list[SessionEvent] = []
        events += self._end_cough(to_s)
        while self._marks and self._marks[0][1] <= to_s + _SAMPLE_S:
            events.append(Marked(self._marks.popleft()[0]))
        return events

    def take(self, event: Event) -> list[SessionEvent]:
        """What an event of the stream tells the client; often nothing."""
        told: list[SessionEvent] = []
        match event:
            case Partial():
                told = self._partial(event)
            case FinalEvent():
                told = self._final(event)
            case SpeechStarted():
                told = self._speech_started(event.at)
            case SpeechEnded():
                if self._speaking:
                    self._speech.turn(event.at)
            case Gap():
                told = [Lost(event.start, event.end)]
            case ContextChanged():
                told = [ContextTold(event.context, event.at)]
            case HealthHint():
                told = [Hinted(event)]
        return told

    @property
    def _speaking(self) -> bool:
        return self._speech.speaking

    @property
    def _turns(self) -> tuple[float, ...]:
        return self._speech.at_s

    @property
    def _over_s(self) -> float | None:
        """Where speech is over that had no text; None where there is text, or it goes on."""
        if self._silence_s is None or not self._started or self._heard or self._tentative:
            return None
        stopped_s = self._speech.silent_from(self._silence_s)
        return None if stopped_s is None else stopped_s + self._silence_s

    def _end_cough(self, to_s: float) -> list[SessionEvent]:
        """Ends speech without text, if there is none up to `to_s`."""
        events: list[SessionEvent] = []
        while (over_s := self._over_s) is not None and over_s <= to_s:
            events += self._ended((), 0, over_s, "silence")
        return events

    @property
    def _clearing(self) -> bool:
        return bool(self._asked) and self._asked[0] == "clear"

    def _speech_started(self, at_s: float) -> list[SessionEvent]:
        if self._clearing or self.is_open:
            if not self._speaking:
                self._speech.turn(at_s)
            if self._begin_s is None:
                self._begin_s = at_s
            return []
        self._speech = SpeechTurns(speaking=True)
        self._begin_s, self._started = at_s, True
        return [Started(self._number, at_s)]

    def _partial(self, partial: Partial) -> list[SessionEvent]:
        first = (*partial.tokens, *partial.tentative)[:1]
        # A frame may lie before what was decoded when it was.
        coughed = self._end_cough(first[0].start + FRAME_S) if first else []
        self._heard += partial.tokens
        self._speech.forget_before(partial.committed_s)
        self._tentative = bool(partial.tentative)
        for token in first:
            # Speech that was heard of may be later than this text.
            if self._begin_s is None or self._begin_s > token.end:
                self._begin_s = token.start
        if self._clearing:
            self._told = len(self._heard)
            return coughed
        started = [*coughed, *self._started_by_text(first)]
        begin_s = self._begin_s
        lasts_s = None if begin_s is None else partial.committed_s - begin_s
        sure = sure_tokens(self._heard, lasts_s, self._most_s)
        tokens = tuple(self._heard[self._told : sure])
        held = tuple(self._heard[max(self._told, sure) :])
        text = text_of(tokens)
        if self._told == 0:
            text = text.lstrip()
        self._told = max(self._told, sure)
        tentative = text_of((*held, *partial.tentative))
        if self._told == 0:
            tentative = tentative.lstrip()
        later, times = (*held, *partial.tentative), (partial.committed_s, partial.lookahead_end_s)
        heard = Heard(self._number, text, tokens, tentative, later, *times, self._characters)
        self._characters += len(text)
        return [*started, heard]

    def _started_by_text(self, first: tuple[Token, ...]) -> Iterator[Started]:
        """Speech that went on when the last utterance ended starts the next one with its text."""
        if first and not self.is_open and self._speaking:
            self._started = True
            yield Started(self._number, first[0].start if self._begin_s is None else self._begin_s)

    def _final(self, final: FinalEvent) -> list[SessionEvent]:
        transcript = final.transcript
        events = [] if transcript.tokens else self._end_cough(transcript.audio_s)
        clearing = self._clearing
        if final.reason == "commit" and self._asked:
            self._asked.popleft()
            self._answered += 1
        moved = min(self._moved, len(transcript.tokens))
        tokens = transcript.tokens[moved:]
        self._moved -= moved
        if moved and not tokens and final.reason in ("silence", "max_length"):
            # All of it was told with the last utterance.
            return []
        if clearing:
            events += [Cleared(self._number)] if final.reason in ("commit", "end") else []
            events += self._begin_anew(transcript.audio_s)[1]
        else:
            words = transcript.words if len(tokens) == len(transcript.tokens) else None
            events += self._ended(tokens, self._told, transcript.audio_s, final.reason, words)
        if final.reason == "end":
            events += [Marked(marker) for marker, _ in self._marks]
            self._marks.clear()
        return events

    def _ended(
        self,
        said: tuple[Token, ...],
        told: int,
        to_s: float,
        reason: EndReason,
        words: tuple[Word, ...] | None = None,
    ) -> list[SessionEvent]:
        """Ends the present utterance with the tokens `said`, or, if more were told, with those."""
        moved, events = max(0, told - len(said)), list[SessionEvent]()
        if moved:
            said, words = tuple(self._heard[:told]), None
        rest = text_of(said[told:]) if told else text_of(said).lstrip()
        if rest.rstrip():
            at = self._characters
            begun = self._started_by_text(said[:1])
            events += [*begun, Heard(self._number, rest, said[told:], "", (), to_s, to_s, at)]
        number, started = self._number, self._started
        words = group_words(said) if words is None else words
        # Speech is told as soon as it is heard, which may be before the commit of what was before.
        start_s = min(self._end_s if self._begin_s is None else self._begin_s, to_s)
        ended = Ended(number, text_of(said).strip(), words, said, start_s, to_s, reason)
        stopped_s, later = self._begin_anew(to_s, self._heard[len(said) :])
        self._moved = moved
        if started:
            events.append(Stopped(number, to_s if stopped_s is None else stopped_s))
        return [*events, ended, *later]

    def _begin_anew(self, at_s: float, left: Sequence[Token] = ()) -> _Begun:
        """The next utterance; where speech of the last had stopped, and what begins after it.

        `left`: tokens of the next one, none of which was told.
        """
        stopped_s, later = self._speech.end(at_s)
        self._number += 1
        self._end_s = at_s
        self._begin_s = at_s if self._speaking else None
        self._heard, self._told, self._moved, self._characters = list(left), 0, 0, 0
        self._tentative = self._started = False
        if left:
            self._begin_s = left[0].start
        told = list[SessionEvent]()
        for turn_s in later:
            if self._speaking:
                self._speech.turn(turn_s)
            else:
                told += self._speech_started(turn_s)
        return stopped_s, told
