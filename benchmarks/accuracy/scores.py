"""Texts and steps of streams in; word errors and delays of words out.

Rules of this file:

1. Texts are compared in lower case, hyphens as spaces, without any other punctuation.
2. The delay of a word is the time from its end, by the model's own account, to the moment at which
   its last token was committed in live use: when the audio the step looked at had been spoken, all
   steps before it were done, and it was computed itself.
3. Words that the last step committed do not count for delays: the end of a file hurries them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import jiwer
import numpy as np

from parakeet_streaming import Partial, Token
from parakeet_streaming.engine.words import is_punctuation

# A tentative token and the one that is committed for it may lie some frames apart.
_SAME_TOKEN_FRAMES = 2


@dataclass(frozen=True)
class WordErrors:
    """Errors of a hypothesis, or of many together."""

    errors: int = 0
    words: int = 0
    """Words of the reference."""

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float | None:
        """WER; None where nothing was said."""
        return self.errors / self.words if self.words else None


@dataclass
class Delays:
    """Delays of words, in seconds."""

    committed_s: list[float] = field(default_factory=list)
    """From the end of a word to its commit."""
    shown_s: list[float] = field(default_factory=list)
    """From the end of a word to its first appearance, tentative or committed."""


@dataclass(frozen=True)
class Step:
    """One step of a stream and the moment, on the stream's clock, at which its text was there."""

    partial: Partial
    done_s: float


def normalised(text: str) -> str:
    """Lower case, words separated by single spaces, no punctuation."""
    words = re.sub(r"[^\w\s]|_", "", re.sub(r"[-–—]", " ", text.lower()))
    return " ".join(words.split())


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Errors of one hypothesis; both texts are normalised here."""
    spoken, decoded = normalised(reference), normalised(hypothesis)
    if not spoken:
        return WordErrors(len(decoded.split()), 0)
    found = jiwer.process_words(spoken, decoded)
    errors = found.substitutions + found.deletions + found.insertions
    return WordErrors(errors, found.hits + found.substitutions + found.deletions)


def total(errors: Iterable[WordErrors]) -> WordErrors:
    """Errors of many hypotheses."""
    return sum(errors, WordErrors())


def add_delays(delays: Delays, steps: Sequence[Step]) -> None:
    """Adds the words of one stream."""
    shown_s = _first_shown_s(steps)
    for last, step in _last_tokens(steps):
        if step is steps[-1]:
            continue
        near = range(
            last.start_frame - _SAME_TOKEN_FRAMES, last.start_frame + _SAME_TOKEN_FRAMES + 1
        )
        first_s = min(shown_s.get((last.id, frame), step.done_s) for frame in near)
        delays.committed_s.append(step.done_s - last.end)
        delays.shown_s.append(min(first_s, step.done_s) - last.end)


def _last_tokens(steps: Sequence[Step]) -> list[tuple[Token, Step]]:
    """The last token of every word, and the step that committed it."""
    committed = [(token, step) for step in steps for token in step.partial.tokens]
    following = [token for token, _ in committed[1:]]
    ends = [
        pair
        for pair, then in zip(committed, following, strict=False)
        if then.text.startswith(" ") and not is_punctuation(then.text)
    ]
    return ends + committed[-1:]


def _first_shown_s(steps: Sequence[Step]) -> dict[tuple[int, int], float]:
    """Token id and frame → when it first stood among the tentative tokens."""
    shown_s: dict[tuple[int, int], float] = {}
    for step in steps:
        for token in step.partial.tentative:
            shown_s.setdefault((token.id, token.start_frame), step.done_s)
    return shown_s


def median_and_late(delays_s: Sequence[float]) -> tuple[float | None, float | None]:
    """Median and 95th percentile; None of nothing."""
    if not delays_s:
        return None, None
    return float(np.median(delays_s)), float(np.percentile(delays_s, 95))
