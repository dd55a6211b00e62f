"""Words and rules in; what they are written as, as far as that is sure, out.

Rules of this file: of rules that begin at the same word, the first counts, and a rule ends before
a word at which one begins that goes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, Protocol

from parakeet_streaming.writing.words_ahead import Piece, WordsAhead, Written, spoken_word

_KEPT: Final = Piece(1, None)


class Rule(Protocol):
    """One way of writing, such as numbers in digits."""

    def match(self, words: WordsAhead, /) -> Written | None:
        """What the words from a position on are written as; None where the rule says nothing."""
        ...


def write(words: Sequence[str], rules: Sequence[Rule], *, ended: bool) -> Iterator[Piece]:
    """Pieces of the words, one after the other, until what comes next depends on words to come.

    Args:
        words: with their marks.
        rules: the first that says something counts.
        ended: whether no more words come.
    """
    found, at = _Found(words, rules, ended=ended), 0
    while at < len(words):
        written = found.at(at)
        if written is _UNSURE:
            return
        yield from (_KEPT,) if written is None else written.pieces
        at += 1 if written is None else written.words


_UNSURE: Final = Written(())
"""Depends on words to come."""


class _Found:
    """What rules say at positions; each is asked once."""

    def __init__(self, words: Sequence[str], rules: Sequence[Rule], *, ended: bool) -> None:
        self._words = [spoken_word(word) for word in words]
        self._rules, self._ended = rules, ended
        self._asked: dict[tuple[int, int], Written | None] = {}

    def at(self, at: int) -> Written | None:
        """What the first rule says that says something there; `_UNSURE` where none can, yet."""
        for number in range(len(self._rules)):
            written = self._by(number, at)
            if written is not None:
                return written
        return None

    def _by(self, number: int, at: int) -> Written | None:
        if (number, at) not in self._asked:
            ahead = WordsAhead(
                self._words, at, ended=self._ended, is_taken=partial(self._is_taken, number)
            )
            written = self._rules[number].match(ahead)
            self._asked[number, at] = _UNSURE if ahead.wanted_more else written
        return self._asked[number, at]

    def _is_taken(self, number: int, at: int) -> bool | None:
        """Whether a rule before that one begins there; None for unsure."""
        for before in range(number):
            written = self._by(before, at)
            if written is not None:
                return None if written is _UNSURE else True
        return False
