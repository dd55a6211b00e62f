"""What a client heard, and what `parakeet transcribe` hears, in; what is wrong out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from client_tests.catalogue import Interims


@dataclass(frozen=True, slots=True)
class Result:
    """Of one trial with one recording."""

    name: str
    recording: str
    words: int = 0
    utterances: int = 0
    wrong: Sequence[str] = ()
    versions: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """Of differences that are known, and are no faults."""


def faults(heard: dict[str, Any], expected: Sequence[str], interims: Interims) -> list[str]:
    """Sentences, none where all is well.

    Args:
        heard: as a driver prints it.
        expected: every word that should have been heard.
        interims: how what comes before a final text goes together with it.
    """
    found = [f"the client reports {each}" for each in heard["errors"]]
    words = heard_words(heard)
    if words != list(expected):
        found.append(f"heard {' '.join(words)!r}, should be {' '.join(expected)!r}")
    if not expected:
        found.append("there was nothing to hear")
    if heard["interims"]:
        found.append(f"{heard['interims']} were followed by no final text")
    return found + [
        f"{each['interims']} came before {each['text']!r}"
        for each in heard["utterances"]
        if not _go_together(each["interims"], each["text"], interims)
    ]


def heard_words(heard: dict[str, Any]) -> list[str]:
    """The words of all final texts."""
    return [word for each in heard["utterances"] for word in each["text"].split()]


def _go_together(before: Sequence[str], text: str, interims: Interims) -> bool:
    match interims:
        case Interims.PIECES:
            return "".join(before) == text
        case Interims.GROWING:
            grown = [*before, text]
            return all(long.startswith(short) for short, long in pairwise(grown))
        case Interims.GUESSES:
            return True
        case Interims.NONE:
            return not before
