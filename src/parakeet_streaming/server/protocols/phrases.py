"""What clients ask to boost, as each protocol says it, in; phrases within their limits, out.

Rules of this file:

1. A phrase, or a list, beyond its limits is a mistake, told by the field's name.
2. A prompt that is a list of names and words is taken as one: all of its parts, between commas,
   semicolons and line ends, have a few words at most, and none has the end of a sentence. Any other
   prompt is prose, and says nothing.
3. Only the native protocol refuses a phrase that the model cannot write; others are known to be
   sent along with whatever a program has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from parakeet_streaming.boosting.options import DEFAULT_BOOST, Boosting
from parakeet_streaming.boosting.phrase_file import phrases_in
from parakeet_streaming.boosting.phrases import DEFAULT_WEIGHT, Phrase, checked_phrases
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import MOST_PHRASE_CHARACTERS, MOST_PHRASE_WEIGHT, MOST_PHRASES
from parakeet_streaming.server.protocols.fields import Fields, shown
from parakeet_streaming.server.replies import WrongRequestError

_MOST_WORDS: Final = 4
"""Of a part of a prompt that is a list."""
_NAME_WEIGHT: Final = 1.5
"""Of Wyoming's names, which go before its terms."""
_LABEL: Final = re.compile(r"[^,;:\n]{0,40}:\s")
_BETWEEN: Final = re.compile(r"[,;\n]")
_SENTENCE: Final = re.compile(r"[.?!](?:\s|$)")
_INTENSIFIER: Final = re.compile(r"(?P<text>.+):(?P<weight>-?[0-9]+(?:\.[0-9]+)?)", re.DOTALL)


def boosting_from(
    phrases: Iterable[str | Phrase],
    field: str,
    boost: float = DEFAULT_BOOST,
    *,
    strict: bool = False,
) -> Boosting | None:
    """What a stream boosts; None for nothing.

    Raises:
        WrongRequestError: beyond the limits.
    """
    try:
        found = checked_phrases(phrases)
        return Boosting(found, boost, strict=strict) if found and boost else None
    except OptionError as error:
        raise WrongRequestError(f"{field}: {error}", field) from error


def listed(fields: Fields, name: str) -> tuple[Phrase, ...] | None:
    """Phrases of our own protocol: an array of texts and of objects, or a text with one a line.

    Raises:
        WrongRequestError: something else, or beyond the limits.
    """
    value = fields.value(name)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return phrases_in(value, fields.path(name)) if value.strip() else ()
        if not isinstance(value, list):
            raise fields.mistake(name, f"is {shown(value)}; use an array of texts")
        if len(value) > MOST_PHRASES:
            raise fields.mistake(name, f"has {len(value)} phrases; send {MOST_PHRASES} at most")
        return checked_phrases(_phrase(fields, name, each) for each in value)
    except OptionError as error:
        raise fields.mistake(name, f"cannot be taken: {error}") from error


def _phrase(fields: Fields, name: str, value: object) -> Phrase:
    if isinstance(value, str):
        return Phrase(value)
    if not isinstance(value, dict):
        raise fields.mistake(name, f"has {shown(value)}; use texts, or objects with text, weight")
    about = Fields(value, fields.path(name))
    text = about.text("text")
    if text is None:
        raise about.mistake("text", "is missing")
    weight = about.number("weight", -MOST_PHRASE_WEIGHT, MOST_PHRASE_WEIGHT)
    return Phrase(text, DEFAULT_WEIGHT if weight is None else weight)


def terms_of_prompt(prompt: str | None) -> tuple[str, ...]:
    """The names and words in a prompt that is a list of them."""
    if not prompt:
        return ()
    text = prompt.strip()
    label = _LABEL.match(text)
    if label is not None:
        text = text[label.end() :].removesuffix(".")
    parts = [each.strip() for each in _BETWEEN.split(text)]
    found = [each for each in parts if each]
    is_list = all(
        len(each.split()) <= _MOST_WORDS
        and len(each) <= MOST_PHRASE_CHARACTERS
        and _SENTENCE.search(each) is None
        for each in found
    )
    return tuple(found) if is_list else ()


def terms_with_intensifiers(texts: Iterable[str]) -> list[Phrase | str]:
    """Deepgram's `keywords`, each with its intensifier behind a colon, or without one."""
    return [_intensified(each) for each in texts]


def _intensified(text: str) -> Phrase | str:
    found = _INTENSIFIER.fullmatch(text.strip())
    if found is None or len(found["text"]) > MOST_PHRASE_CHARACTERS:
        return text
    weight = float(found["weight"][:20])
    return Phrase(found["text"], max(-MOST_PHRASE_WEIGHT, min(weight, MOST_PHRASE_WEIGHT)))


def names_and_terms(names: Iterable[str], terms: Iterable[str]) -> list[Phrase | str]:
    """Wyoming's names, and its terms, which count less."""
    named = [
        Phrase(each, _NAME_WEIGHT) if len(each) <= MOST_PHRASE_CHARACTERS else each
        for each in names
    ]
    return [*terms, *named]
