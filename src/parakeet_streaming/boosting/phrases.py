"""Texts that a caller asks to boost in; phrases that are within their limits out.

Rules of this file:

1. A phrase is a word, a name or a few words in a row. Spaces around it, and more than one between
   its words, mean nothing.
2. A weight says how much a phrase is boosted; below 0 it is to be avoided, and 0 is no wish.
3. Of equal texts the last weight counts. Texts that are empty are left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import (
    MOST_PHRASE_CHARACTERS,
    MOST_PHRASE_WEIGHT,
    MOST_PHRASES,
    MOST_PHRASES_CHARACTERS,
    check_number,
    in_short,
)
from parakeet_streaming.plain_text import readable

DEFAULT_WEIGHT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or a few words to boost.

    Raises:
        OptionError: a text that is too long, or a weight out of range.
    """

    text: str
    """As it would be written."""
    weight: float = DEFAULT_WEIGHT
    """How much it is boosted, -5 to 5; below 0 it is avoided."""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise OptionError(f"a phrase must be a text, not {in_short(self.text)}")
        if len(self.text) > MOST_PHRASE_CHARACTERS:
            raise OptionError(
                f"the phrase {in_short(self.text)} has {len(self.text)} characters; "
                f"{MOST_PHRASE_CHARACTERS} are the most: give the names and words in it"
            )
        most = MOST_PHRASE_WEIGHT
        weight = check_number(
            f"the weight of the phrase {in_short(self.text)}", self.weight, -most, most
        )
        object.__setattr__(self, "weight", weight)


def checked_phrases(given: Iterable[str | Phrase]) -> tuple[Phrase, ...]:
    """Phrases in the order given, each once.

    Raises:
        OptionError: too many, too long, or something that is no phrase.
    """
    if isinstance(given, str):
        raise OptionError(f"phrases must be a list of texts; use [{in_short(given)}]")
    found: dict[str, Phrase] = {}
    characters = 0
    for each in given:
        phrase = each if isinstance(each, Phrase) else Phrase(each)
        text = plain(phrase.text)
        if not text:
            continue
        characters += 0 if text in found else len(text)
        found[text] = Phrase(text, phrase.weight)
        if len(found) > MOST_PHRASES:
            raise OptionError(
                f"more than {MOST_PHRASES:,} phrases; leave out those that are recognised anyway"
            )
        if characters > MOST_PHRASES_CHARACTERS:
            raise OptionError(
                f"the phrases have more than {MOST_PHRASES_CHARACTERS:,} characters in all; "
                "give fewer, or shorter ones"
            )
    return tuple(found.values())


def plain(text: str) -> str:
    """A phrase with single spaces, composed characters, and none that cannot be seen."""
    return " ".join(unicodedata.normalize("NFC", readable(text)).split())
