"""Words that offend in; the same with asterisks out.

Rules of this file:

1. Of a word that is on the list, the first letter stays: `d***`. Each word of a phrase is masked.
2. Only whole words are masked, in any case of letters.
3. The list is a user's own, or the one in `builtin/profanity-en`, which others have made.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import shown
from parakeet_streaming.writing.phrases import Phrases
from parakeet_streaming.writing.words_ahead import Piece, SpokenWord, WordsAhead, Written

MOST_MASKED: Final = 10_000
"""Words and phrases of a list."""
MOST_MASKED_CHARACTERS: Final = 100
_MOST_WORDS: Final = 12
_BUILT_IN: Final = "builtin/profanity-en/words.txt"


class ProfanityRule:
    """Masks words of a list."""

    def __init__(self, offending: Iterable[str]) -> None:
        """Checks the list.

        Raises:
            OptionError: it is too long, or has an entry that is.
        """
        listed = tuple(offending)
        if len(listed) > MOST_MASKED:
            raise OptionError(f"{len(listed)} words to mask; there may be {MOST_MASKED}")
        for each in listed:
            words = len(each.split())
            if len(each) > MOST_MASKED_CHARACTERS or not 1 <= words <= _MOST_WORDS:
                raise OptionError(
                    f"{shown(each)} cannot be masked: use 1 to {_MOST_WORDS} words of at most "
                    f"{MOST_MASKED_CHARACTERS} characters together"
                )
        self._phrases = Phrases((each, None) for each in listed)

    def match(self, words: WordsAhead) -> Written | None:
        """The words of the list that begin at a position, masked."""
        found = self._phrases.at(words)
        if found is None:
            return None
        said = [words[number] for number in range(found[0])]
        return Written(tuple(Piece(1, _masked(word)) for word in said if word is not None))


def offending_of(text: str) -> tuple[str, ...]:
    """The lines of a list; those that begin with # are comments."""
    lines = (line.strip().removeprefix("\ufeff") for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


@cache
def offending_words() -> tuple[str, ...]:
    """The list that comes with the package, of English words."""
    return offending_of((files("parakeet_streaming") / _BUILT_IN).read_text(encoding="utf-8"))


def _masked(word: SpokenWord) -> str:
    return f"{word.before}{word.core[:1]}{'*' * (len(word.core) - 1)}{word.after}"
