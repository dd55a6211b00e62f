"""What a server tells over one connection after another in; what its client has not been told, out.

A stream that goes on from a checkpoint tells again what it told after it; one that begins anew
tells again whatever is in the audio that it gets again.

Rules of this file:

1. Every committed character is told once, and text that was told never changes, whatever the server
   makes of the same audio the second time.
2. Where a stream goes on, utterances keep their numbers, and text has its place in the utterance:
   what has been told there is left out. If it differs, which it can where something began anew or
   the chunk grew, tokens are compared by their time: those that begin after the last one that was
   told are new.
3. Where a stream begins anew, its times and numbers are put where the old ones ended, and all is
   compared by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final as Constant
from typing import TypeVar

from parakeet_streaming.client.events import (
    Cleared,
    ContextChanged,
    Event,
    Final,
    Gap,
    Hint,
    Partial,
    SpeechEnded,
    SpeechStarted,
)
from parakeet_streaming.results import Token, Word
from parakeet_streaming.timeline import FRAME_S, ContextConfig

_SAME_S: Constant = 0.0015
"""Positions are told in milliseconds."""
_E = TypeVar("_E")


@dataclass(slots=True)
class _Channel:
    """What was told of one channel."""

    number: int = 0
    """Of the utterance that is told, or of the next one."""
    text: str = ""
    """Of it, so far."""
    tokens: list[Token] = field(default_factory=list)
    started: bool = False
    stopped: bool = False
    committed: float = 0.0
    ended_to: float = 0.0
    """Where the last utterance ended."""
    gap_to: float = 0.0
    last_start: float = -1.0
    """Where the last token begins that was told."""
    hints: set[str] = field(default_factory=set)
    context: ContextConfig | None = None
    shift: int | None = 0
    """What the server's numbers lack; None until its first is known."""
    by_time: bool = False
    """Whether what comes is compared by time."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a stream counted when a checkpoint came."""

    shifts: Mapping[int, int | None]
    base_s: float


class Told:
    """What one client was told."""

    def __init__(self) -> None:
        self.base_s = 0.0
        """Where the server's time begins."""
        self._channels: dict[int, _Channel] = {}
        self._clears = 0
        """That were told before and come again."""

    def mark(self) -> Mark:
        """How it counts now."""
        shifts = {number: each.shift for number, each in self._channels.items()}
        return Mark(shifts, self.base_s)

    def goes_on(self, mark: Mark | None, clears: int = 0) -> None:
        """The next events are of a stream that goes on from a checkpoint, or again from its start.

        Args:
            mark: what `mark` gave when the checkpoint came; None for the start.
            clears: how many come again. Whether an utterance that they forgot gets a number depends
                on when they come.
        """
        self.base_s = 0.0 if mark is None else mark.base_s
        self._clears = clears
        for number, channel in self._channels.items():
            channel.shift = 0 if mark is None else mark.shifts.get(number, 0)
            channel.by_time = clears > 0 or channel.shift is None
            if channel.by_time:
                channel.shift = None

    def begins_anew(self, at_s: float, clears: int = 0) -> list[Event]:
        """The next events are of a stream that begins at that position; what is missing now."""
        self.base_s, self._clears = at_s, clears
        gaps: list[Event] = []
        for number, channel in self._channels.items() or [(0, self._of(0))]:
            channel.shift, channel.by_time = None, True
            told_s = max(channel.committed, channel.ended_to, channel.gap_to)
            if told_s < at_s - _SAME_S:
                gaps.append(Gap(told_s, at_s, number))
                channel.gap_to = at_s
        return gaps

    def news(self, event: Event) -> Iterator[Event]:
        """What an event tells that was not told before; more than one where one was left open."""
        match event:
            case Partial():
                yield from self._partial(self._later(event, "committed", "lookahead_end"))
            case Final():
                yield from self._final(self._later(event, "start", "end"))
            case SpeechStarted() | SpeechEnded():
                yield from self._speech(self._later(event, "at"))
            case Gap():
                yield from self._gap(self._later(event, "start", "end"))
            case Cleared():
                yield from self._cleared(event)
            case ContextChanged():
                if self._of(event.channel).context != event.context:
                    self._of(event.channel).context = event.context
                    yield self._later(event, "at")
            case Hint():
                if event.kind not in self._of(event.channel).hints:
                    self._of(event.channel).hints.add(event.kind)
                    yield self._later(event, "at")
            case _:
                yield event

    def _of(self, channel: int) -> _Channel:
        return self._channels.setdefault(channel, _Channel())

    def _later(self, event: _E, *names: str) -> _E:
        """The event on the client's time."""
        if not self.base_s:
            return event
        moved = {name: round(getattr(event, name) + self.base_s, 3) for name in names}
        for name in ("tokens", "words"):
            if spans := getattr(event, name, ()):
                moved[name] = tuple(_moved(each, self.base_s) for each in spans)
        return replace(event, **moved)  # type: ignore[type-var]

    def _number(self, channel: _Channel, number: int) -> int:
        """The client's number of an utterance."""
        if channel.shift is None:
            channel.shift = channel.number - number
        return number + channel.shift

    def _partial(self, event: Partial) -> Iterator[Event]:
        channel = self._of(event.channel)
        number = self._number(channel, event.utterance)
        if number < channel.number:
            return
        yield from self._left_open(channel, number, event.channel)
        text, tokens = self._new(channel, event)
        if not text and not tokens and event.committed <= channel.committed:
            return
        offset = len(channel.text)
        channel.text += text
        channel.tokens += tokens
        channel.committed = max(channel.committed, event.committed)
        if tokens:
            channel.last_start = max(channel.last_start, tokens[-1].start)
        yield replace(event, utterance=number, text=text, tokens=tuple(tokens), offset=offset)

    def _new(self, channel: _Channel, event: Partial) -> tuple[str, list[Token]]:
        """Text and tokens that were not told."""
        if not channel.by_time:
            offset = len(channel.text) if event.offset < 0 else event.offset
            told = channel.text[offset : offset + len(event.text)]
            if event.text.startswith(told):
                return event.text[len(told) :], list(_after(event, len(told)))
            channel.by_time = True
        new = [each for each in event.tokens if each.start > channel.last_start]
        text = "".join(each.text for each in new)
        return text if channel.text else text.lstrip(), new

    def _final(self, event: Final) -> Iterator[Event]:
        channel = self._of(event.channel)
        number = self._number(channel, event.utterance)
        if channel.by_time and not channel.text and _is_old(event, channel):
            channel.shift = (channel.shift or 0) - 1
            return
        if number < channel.number:
            return
        yield from self._left_open(channel, number, event.channel)
        told = channel.text.strip()
        if event.text != told and (channel.by_time or not event.text.startswith(told)):
            tokens = tuple(channel.tokens)
            event = replace(event, text=told, tokens=tokens, words=_words_of(tokens))
        start = max(event.start, channel.ended_to) if channel.by_time else event.start
        yield self._ended(channel, replace(event, utterance=number, start=min(start, event.end)))

    def _ended(self, channel: _Channel, event: Final) -> Final:
        channel.ended_to = max(channel.ended_to, event.end)
        channel.committed = max(channel.committed, event.end)
        channel.by_time = False
        self._begin_next(channel, event.utterance + 1)
        return event

    def _begin_next(self, channel: _Channel, number: int) -> None:
        channel.number, channel.text, channel.tokens = number, "", []
        channel.started = channel.stopped = False

    def _left_open(self, channel: _Channel, number: int, of: int) -> Iterator[Event]:
        """Ends what was told of an utterance that the server does not know of."""
        if number <= channel.number:
            return
        if channel.started and not channel.stopped:
            yield SpeechEnded(channel.number, channel.committed, of)
        if channel.text or channel.started:
            tokens, end = tuple(channel.tokens), channel.committed
            start = min(tokens[0].start if tokens else end, end)
            words = _words_of(tokens)
            left = Final(channel.number, channel.text.strip(), start, end, "end", words, tokens, of)
            yield self._ended(channel, left)
        self._begin_next(channel, number)

    def _speech(self, event: SpeechStarted | SpeechEnded) -> Iterator[Event]:
        channel = self._of(event.channel)
        if channel.by_time and event.at <= max(channel.ended_to, channel.last_start):
            return
        number = self._number(channel, event.utterance)
        if number < channel.number:
            return
        yield from self._left_open(channel, number, event.channel)
        starts = isinstance(event, SpeechStarted)
        if channel.started if starts else channel.stopped or not channel.started:
            return
        channel.started, channel.stopped = True, not starts
        yield replace(event, utterance=number)

    def _gap(self, event: Gap) -> Iterator[Event]:
        channel = self._of(event.channel)
        if event.end > channel.gap_to + _SAME_S:
            event = replace(event, start=max(event.start, channel.gap_to))
            channel.gap_to = event.end
            yield event

    def _cleared(self, event: Cleared) -> Iterator[Event]:
        channel = self._of(event.channel)
        number = self._number(channel, event.utterance)
        if self._clears:
            self._clears -= 1
            channel.shift = (channel.shift or 0) - 1
        elif number >= channel.number:
            self._begin_next(channel, number + 1)
            yield replace(event, utterance=number)


def _is_old(event: Final, channel: _Channel) -> bool:
    """Whether an utterance of which nothing is new was told before, by its time."""
    heard = bool(event.tokens) and event.tokens[-1].start <= channel.last_start
    return heard or event.end <= channel.ended_to + _SAME_S


def _moved(span: Token | Word, base_s: float) -> Token | Word:
    moved = replace(span, start=round(span.start + base_s, 3), end=round(span.end + base_s, 3))
    if isinstance(moved, Token):
        return replace(moved, start_frame=moved.start_frame + round(base_s / FRAME_S))
    return moved


def _after(event: Partial, characters: int) -> Iterator[Token]:
    """The tokens of a partial behind so many characters of its text."""
    at = 0
    for number, token in enumerate(event.tokens):
        text = token.text.lstrip() if number == 0 and event.offset == 0 else token.text
        at += len(text)
        if at > characters or not characters:
            yield token


def _words_of(tokens: Iterable[Token]) -> tuple[Word, ...]:
    """Words of tokens, where no server groups them: one begins with each space."""
    words: list[Word] = []
    for token in tokens:
        if not words or token.text.startswith(" "):
            words.append(Word(token.text.strip(), token.start, token.end, token.confidence))
        else:
            last = words[-1]
            least = min(last.confidence, token.confidence)
            words[-1] = Word(last.text + token.text, last.start, token.end, least)
    return tuple(words)
