"""A client's commands and its stream's events in; what the client is told, out.

It knows no protocol, clock, socket or engine. Whoever holds it calls the stream, hands in each
event, and tells how far the stream has decoded while the session `waits` for that.

Rules of this file:

1. What was told is never taken back. The engine may end a long utterance before its last word, so
   the last word of a long one is held back until it is over. A word that was told all the same
   stays in the utterance that told it.
2. Utterances do not mix. Speech that begins before the engine has ended the last utterance is told
   after that end, or not at all where it belongs to the same utterance.
3. Speech without text is an utterance, too, once all audio is decoded in which its text could be.
4. `clear` forgets what has not ended: nothing more of it is told, and it has no end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Literal

from parakeet_streaming.engine.words import begins_word, ends_word, group_words, text_of
from parakeet_streaming.results import (
    ContextChanged,
    EndReason,
    Event,
    Gap,
    Partial,
    SpeechEnded,
    SpeechStarted,
    Token,
    Word,
)
from parakeet_streaming.results import Final as FinalEvent
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

_HELD_BACK_S: Final = 5.0
"""So long before an utterance can end by its length, its last word is held back: a word and the
longest usual chunk."""
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
        self._number = 0
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
        self._tentative = False
        self._started = False
        self._speaking = False
        self._stopped_s: float | None = None
        self._next_started_s: float | None = None
        """Speech that began after the last pause, in this utterance or in the next one."""
        self._asked: deque[Literal["commit", "clear"]] = deque()
        self._marks: deque[tuple[str, float]] = deque()

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
        return bool(self._marks) or self._is_cough

    @property
    def is_open(self) -> bool:
        """Whether something was told of an utterance that has not ended."""
        return self._started or self._told > 0

    def decoded(self, to_s: float) -> list[SessionEvent]:
        """The stream has decoded all audio up to `to_s`, and its events were taken."""
        events: list[SessionEvent] = []
        if self._is_cough and to_s >= (self._stopped_s or 0.0) + (self._silence_s or 0.0):
            events += self._ended((), 0, to_s, "silence")
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
                self._speaking, self._stopped_s = False, event.at
            case Gap():
                told = [Lost(event.start, event.end)]
            case ContextChanged():
                told = [ContextTold(event.context, event.at)]
            case _:  # HealthHint
                told = [Hinted(event)]
        return told

    @property
    def _is_cough(self) -> bool:
        """Whether there was speech, and no text of it so far."""
        silent = self._started and not self._speaking and self._stopped_s is not None
        return silent and self._silence_s is not None and not (self._heard or self._tentative)

    @property
    def _clearing(self) -> bool:
        return bool(self._asked) and self._asked[0] == "clear"

    def _speech_started(self, at_s: float) -> list[SessionEvent]:
        self._speaking = True
        if self._begin_s is None:
            self._begin_s = at_s
        if self._clearing:
            return []
        if not self.is_open:
            self._started = True
            return [Started(self._number, at_s)]
        if self._heard and self._stopped_s is not None and self._next_started_s is None:
            self._next_started_s = at_s
        return []

    def _partial(self, partial: Partial) -> list[SessionEvent]:
        self._heard += partial.tokens
        self._tentative = bool(partial.tentative)
        first = (*partial.tokens, *partial.tentative)[:1]
        for token in first:
            self._begin_s = token.start if self._begin_s is None else self._begin_s
        if self._clearing:
            self._told = len(self._heard)
            return []
        started = list(self._started_by_text(first))
        sure = self._sure(partial.committed_s)
        tokens = tuple(self._heard[self._told : sure])
        held = tuple(self._heard[max(self._told, sure) :])
        text = text_of(tokens)
        if self._told == 0:
            text = text.lstrip()
        self._told = max(self._told, sure)
        tentative = text_of((*held, *partial.tentative))
        if self._told == 0:
            tentative = tentative.lstrip()
        heard = Heard(
            self._number,
            text,
            tokens,
            tentative,
            (*held, *partial.tentative),
            partial.committed_s,
            partial.lookahead_end_s,
        )
        return [*started, heard]

    def _started_by_text(self, first: tuple[Token, ...]) -> Iterator[Started]:
        """Speech that went on when the last utterance ended starts the next one with its text."""
        if first and not self.is_open and self._speaking:
            self._started = True
            yield Started(self._number, first[0].start if self._begin_s is None else self._begin_s)

    def _sure(self, committed_s: float) -> int:
        """How many of the tokens may be told."""
        count, most_s, begin_s = len(self._heard), self._most_s, self._begin_s
        if most_s is None or begin_s is None or committed_s - begin_s < most_s - _HELD_BACK_S:
            return count
        for last in range(count - 1, 0, -1):
            before, token = self._heard[last - 1], self._heard[last]
            if begins_word(token.text) or ends_word(before.text):
                return last
        return 0

    def _final(self, final: FinalEvent) -> list[SessionEvent]:
        transcript, events = final.transcript, list[SessionEvent]()
        clearing = self._clearing
        if final.reason == "commit" and self._asked:
            self._asked.popleft()
        moved = min(self._moved, len(transcript.tokens))
        tokens = transcript.tokens[moved:]
        self._moved -= moved
        if moved and not tokens and final.reason in ("silence", "max_length"):
            # All of it was told with the last utterance.
            return []
        if clearing:
            self._begin_anew(transcript.audio_s)
            events += [Cleared()] if final.reason in ("commit", "end") else []
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
        events: list[SessionEvent] = []
        if told > len(said):
            said, words, moved = tuple(self._heard[:told]), None, told - len(said)
        else:
            moved = 0
        rest = text_of(said[told:])
        rest = rest if told else rest.lstrip()
        if rest.rstrip():
            started = self._started_by_text(said[:1])
            events += [*started, Heard(self._number, rest, said[told:], "", (), to_s, to_s)]
        if self._started:
            at_s = to_s if self._stopped_s is None else min(self._stopped_s, to_s)
            events.append(Stopped(self._number, at_s))
        words = group_words(said) if words is None else words
        # Speech is told as soon as it is heard, which may be before the commit of what was before.
        start_s = min(self._end_s if self._begin_s is None else self._begin_s, to_s)
        events.append(
            Ended(self._number, text_of(said).strip(), words, said, start_s, to_s, reason)
        )
        left, next_s = self._heard[len(said) :], self._next_started_s
        self._begin_anew(to_s)
        self._moved, self._heard = moved, left
        if left:
            self._begin_s = left[0].start
        if next_s is not None and self._speaking:
            self._started, self._begin_s = True, next_s
            events.append(Started(self._number, next_s))
        return events

    def _begin_anew(self, at_s: float) -> None:
        self._number += 1
        self._end_s = at_s
        self._begin_s = at_s if self._speaking else None
        self._heard, self._told, self._moved = [], 0, 0
        self._tentative = self._started = False
        self._stopped_s = self._next_started_s = None
