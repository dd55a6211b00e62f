"""Words from a position on, as far as a rule looks; whether it looked past those that are there.

Rules of this file:

1. A rule sees the words from where it begins, never those before. So text may be cut where one rule
   ended, and both parts are written as the whole is.
2. A rule sees `MOST_AHEAD` words at most, so nothing is held back for longer than that.
3. A rule that asked for a word which is not there yet has decided nothing.
4. A rule sees no word with which a rule begins that goes before it: a number ends before a phrase
   of the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_AHEAD: Final = 24
"""Words that a rule looks at: a number of 18 digits, or a long phrase."""

_MARKED: Final = re.compile(r"\A(\W*)(.*?)(\W*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word, and the marks around it."""

    before: str
    core: str
    """The word without marks at its ends; empty for marks alone."""
    after: str

    @property
    def text(self) -> str:
        return f"{self.before}{self.core}{self.after}"


@dataclass(frozen=True, slots=True)
class Piece:
    """What some words become."""

    words: int
    """How many, from where the last piece ended."""
    text: str | None
    """None: they stay as they are. Else one word; with spaces in it, several."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a rule makes of the words from its position on."""

    pieces: tuple[Piece, ...]

    @property
    def words(self) -> int:
        """How many words it is made of, at least one."""
        return sum(piece.words for piece in self.pieces)


def spoken_word(text: str) -> SpokenWord:
    """A word apart from its marks."""
    found = _MARKED.match(text)
    assert found is not None, "any text matches"
    return SpokenWord(*found.groups())


class WordsAhead:
    """Words from one position on."""

    def __init__(
        self,
        words: Sequence[SpokenWord],
        at: int,
        *,
        ended: bool,
        is_taken: Callable[[int], bool | None] = lambda _: False,
    ) -> None:
        """Sees words.

        Args:
            words: all of them.
            at: the position of the first.
            ended: whether no more come after these.
            is_taken: whether a rule that goes before begins at a position; None where that depends
                on words to come.
        """
        self._words, self._at, self._ended = words, at, ended
        self._is_taken = is_taken
        self._most = MOST_AHEAD
        self._known = 1
        self.wanted_more = False
        """Whether a word was asked for that is not there yet."""

    def __getitem__(self, offset: int) -> SpokenWord | None:
        """The word so far ahead; None where there is none, or none yet."""
        while self._known <= offset < self._most and self._at + self._known < len(self._words):
            taken = self._is_taken(self._at + self._known)
            if taken is None:
                self.wanted_more = True
            if taken is not False:
                self._most = self._known
            self._known += 1
        if offset >= self._most:
            return None
        if self._at + offset < len(self._words):
            return self._words[self._at + offset]
        self.wanted_more = self.wanted_more or not self._ended
        return None

    def from_(self, offset: int) -> WordsBeyond:
        """The same words, seen from a later one."""
        return WordsBeyond(self, offset)


class WordsBeyond:
    """Words ahead, from a later one on."""

    def __init__(self, words: WordsAhead, offset: int) -> None:
        self._words, self._offset = words, offset

    def __getitem__(self, offset: int) -> SpokenWord | None:
        return self._words[self._offset + offset]
