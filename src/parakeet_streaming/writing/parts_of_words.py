"""Words ahead in; their parts, which hyphens join, as far as nothing but spaces is between, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parakeet_streaming.writing.words_ahead import Piece, SpokenWord


class Ahead(Protocol):
    """Words from a position on."""

    def __getitem__(self, offset: int, /) -> SpokenWord | None: ...


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    word: int
    is_last: bool
    """Whether its word ends with it."""


class PartsOfWords:
    """The parts of the words from a position on; a mark between two words ends them."""

    def __init__(self, words: Ahead) -> None:
        self._words = words
        self._parts: list[_Part] = []
        self._read = 0
        self._is_closed = False

    def __call__(self, at: int) -> str | None:
        """The part at a position, in lower case; None where they end before it."""
        while len(self._parts) <= at and not self._is_closed:
            self._read_word()
        return self._parts[at].text if at < len(self._parts) else None

    def words_to(self, end: int) -> int | None:
        """How many words the parts before a position are; None where it is within a word."""
        last = self._parts[end - 1]
        return last.word + 1 if last.is_last else None

    def words_with(self, end: int) -> int:
        """How many words have the parts before a position, or some of them."""
        return self._parts[end - 1].word + 1

    def rest_of_word(self, end: int) -> tuple[str, ...]:
        """The parts that the word has from a position on."""
        word = self._parts[end - 1].word
        return tuple(part.text for part in self._parts[end:] if part.word == word)

    def piece(self, begin: int, end: int, text: str) -> Piece | None:
        """The text in place of whole words, with the marks around them; None for parts of some."""
        first, last = self._parts[begin], self._parts[end - 1]
        if not last.is_last or (begin > 0 and not self._parts[begin - 1].is_last):
            return None
        before, after = self._words[first.word], self._words[last.word]
        assert before is not None, "it was read"
        assert after is not None, "it was read"
        return Piece(last.word + 1 - first.word, f"{before.before}{text}{after.after}")

    def _read_word(self) -> None:
        word = self._words[self._read]
        if word is None or not word.core or (self._read and word.before):
            self._is_closed = True
            return
        parts = word.core.lower().split("-")
        for number, text in enumerate(parts, 1):
            self._parts.append(_Part(text, self._read, number == len(parts)))
        self._read += 1
        # What follows a mark is another matter, and is not looked at.
        self._is_closed = bool(word.after)
