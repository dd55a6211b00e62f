"""Words and rules in; what they are written as, as far as that is sure, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from parakeet_streaming.writing.words_ahead import Piece, WordsAhead, Written, spoken_word

_KEPT = Piece(1, None)


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
    spoken, at = [spoken_word(word) for word in words], 0
    while at < len(spoken):
        written: Written | None = None
        for rule in rules:
            ahead = WordsAhead(spoken, at, ended=ended)
            written = rule.match(ahead)
            if ahead.wanted_more:
                return
            if written is not None:
                break
        yield from (_KEPT,) if written is None else written.pieces
        at += 1 if written is None else written.words
