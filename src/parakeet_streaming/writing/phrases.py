"""Phrases with what they stand for in; the longest one that begins at a word out.

Rules of this file: letters' case and marks around a phrase do not count; marks within it do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from parakeet_streaming.writing.words_ahead import SpokenWord, WordsAhead, spoken_word

T = TypeVar("T")


class Phrases(Generic[T]):
    """Phrases of one or more words."""

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        """Of phrases that differ in case or marks alone, the last one counts."""
        told = {_key(phrase): value for phrase, value in phrases}
        self._by_first: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for key in sorted(told, key=len, reverse=True):
            self._by_first.setdefault(key[0], []).append((key, told[key]))

    def __len__(self) -> int:
        return sum(map(len, self._by_first.values()))

    def at(self, words: WordsAhead) -> tuple[int, T] | None:
        """How many words the longest phrase has that begins here, and what it stands for."""
        first = words[0]
        assert first is not None, "a rule begins at a word"
        # A word inside a longer phrase has its mark with it; alone, and at the end, it has none.
        candidates = self._by_first.get(first.core.casefold(), [])
        if first.after:
            candidates = (
                self._by_first.get(f"{first.core}{first.after}".casefold(), []) + candidates
            )
        for key, value in sorted(candidates, key=lambda each: -len(each[0])):
            if self._fits(key, words):
                return len(key), value
            if words.wanted_more:
                return None
        return None

    @staticmethod
    def _fits(key: tuple[str, ...], words: WordsAhead) -> bool:
        for number, wanted in enumerate(key):
            word = words[number]
            if word is None:
                return False
            is_last = number == len(key) - 1
            text = f"{word.before if number else ''}{word.core}{'' if is_last else word.after}"
            if text.casefold() != wanted:
                return False
        return True


def _key(phrase: str) -> tuple[str, ...]:
    *inner, last = (spoken_word(text) for text in phrase.split())
    words = [*(f"{_before(n, w)}{w.core}{w.after}" for n, w in enumerate(inner))]
    words.append(f"{_before(len(inner), last)}{last.core or last.text}")
    return tuple(word.casefold() for word in words)


def _before(number: int, word: SpokenWord) -> str:
    return word.before if number else ""
