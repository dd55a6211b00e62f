"""A phrase in; the ways in which a model may write it out."""

from __future__ import annotations

from typing import Final

_LONGEST_ABBREVIATION: Final = 5


def case_variants(text: str) -> tuple[str, ...]:
    """As it is given, in lower case, as a sentence and as a title begin, and, short, in capitals.

    Letters inside a word keep their case where it means something: of `GitHub` the start alone
    changes, in a title.
    """
    lower = text.lower()
    found = [text, lower, _begun(text), _begun(lower), " ".join(map(_begun, lower.split(" ")))]
    if " " not in text and 1 < len(text) <= _LONGEST_ABBREVIATION:
        found.append(text.upper())
    return tuple(dict.fromkeys(found))


def _begun(text: str) -> str:
    """With a capital first: a letter that becomes two as a capital stays."""
    first = text[:1].upper()
    return (first if len(first) == 1 else text[:1]) + text[1:]
