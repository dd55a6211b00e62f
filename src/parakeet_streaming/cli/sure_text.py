"""Events of one stream in; units of text that cannot change any more out, as soon as that is so.

Rules of this file:

1. A word is sure when the next one has begun: until then, marks and endings may join it. A word of
   a script without spaces is sure up to its last unit.
2. `Final` gives what is left of its utterance. What it leaves to the next one belongs there.
3. Everything comes once, and together it is the text of all `Final`s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Final

from parakeet_streaming.engine.words import group_segments, group_words
from parakeet_streaming.results import Event, Partial, Token, Transcript, Word
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.subtitles.units import Unit, is_divided, units_of, units_of_word

_MOST_CARRIED: Final = 512
"""Tokens that an utterance may leave to the next one."""


class SureText:
    """The text of one stream, in units."""

    def __init__(self, options: SubtitleOptions = TRADE) -> None:
        """`options`: how long a unit may be."""
        self._options = options
        self._begin(0)

    def _begin(self, skipped: int) -> None:
        """Begins an utterance; that many characters of it have been given."""
        self._pending: list[Token] = []
        self._continues = False
        self._given = 0
        self._skipped = skipped
        self._fed = 0
        self._recent: deque[Token] = deque(maxlen=_MOST_CARRIED)

    @property
    def open_from(self) -> float | None:
        """Where the text begins that is not sure; None where there is none."""
        return self._pending[0].start if self._pending else None

    def feed(self, event: Event) -> list[Unit]:
        """The units that became sure with an event."""
        if isinstance(event, Partial):
            return list(self._take(event.tokens))
        if isinstance(event, FinalEvent):
            return list(self._end(event.transcript))
        return []

    def _take(self, tokens: Iterable[Token]) -> Iterator[Unit]:
        for token in tokens:
            self._fed += _length(token.text)
            self._recent.append(token)
            words = group_words(self._pending)
            longer = group_words([*self._pending, token])
            if words and len(longer) > len(words) and longer[: len(words)] == words:
                for word in words:
                    *units, last = self._units(word)
                    yield from self._give([*units, replace(last, ends_segment=_ends(word))])
                    self._continues = False
                # A token that is nothing but a space begins the word that follows it.
                self._pending = [each for each in self._pending[-1:] if not each.text.strip()]
            if not token.text.strip() and self._pending and not self._pending[-1].text.strip():
                self._pending.pop()  # spaces are one space, however many a decoder gives
            self._pending.append(token)
            yield from self._give(self._sure_part())

    def _sure_part(self) -> list[Unit]:
        """Units of the word that goes on, if it is one that is divided; what is left stays."""
        words = group_words(self._pending)
        is_one = len(words) == 1
        if not is_one or not (self._continues or is_divided(words[0].text, self._options)):
            return []
        units = self._units(words[0])
        tokens_to = {end: at for at, end in enumerate(_ends_of(self._pending), 1)}
        ends = list(accumulate(_length(unit.text) for unit in units))
        for count in range(len(units) - 1, 0, -1):
            taken = tokens_to.get(ends[count - 1])
            if taken is not None:
                self._pending, self._continues = self._pending[taken:], True
                return units[:count]
        return []

    def _units(self, word: Word) -> list[Unit]:
        return units_of_word(word, self._pending, self._options, continues=self._continues)

    def _end(self, transcript: Transcript) -> Iterator[Unit]:
        position, given = 0, self._given
        for unit in units_of(transcript.segments, transcript.tokens, self._options):
            if position >= given:
                yield unit
            position += _length(unit.text)
        tokens = self._last_tokens(self._fed - position)
        self._begin(max(0, given - position))
        yield from self._take(tokens)

    def _last_tokens(self, characters: int) -> list[Token]:
        """The last tokens, of so many characters together."""
        tokens: list[Token] = []
        while self._recent and characters > 0:
            tokens.insert(0, self._recent.pop())
            characters -= _length(tokens[0].text)
        return tokens

    def _give(self, units: Iterable[Unit]) -> Iterator[Unit]:
        for unit in units:
            if self._given >= self._skipped:
                yield unit
            self._given += _length(unit.text)


def _ends(word: Word) -> bool:
    """Whether a segment ends after a word."""
    return len(group_segments((word, word))) > 1


def _ends_of(tokens: Iterable[Token]) -> Iterator[int]:
    return accumulate(_length(token.text) for token in tokens)


def _length(text: str) -> int:
    """Characters without spaces, which words and tokens may have in different places."""
    return len("".join(text.split()))
