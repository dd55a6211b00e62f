"""Utterances and settings of the stall guard in; word errors with and without it out.

The guard changes nothing before the encoder, so each window is encoded once for all settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from corpora import Utterance
from listening import OFFLINE
from numpy.typing import NDArray
from opening import Opened
from scores import WordErrors, total, word_errors
from tables import percent, say

from parakeet_streaming import ContextConfig, Recognizer, StallGuard
from parakeet_streaming.engine.ports import Encoder, Floats


class RepeatingEncoder:
    """Encodes a window once, however often it is asked for in a row."""

    def __init__(self, encoder: Encoder) -> None:
        self.max_samples = encoder.max_samples
        self._encoder = encoder
        self._window: Floats | None = None
        self._encoded: tuple[Floats, NDArray[np.int64]] | None = None

    def encode(self, windows: Sequence[Floats]) -> tuple[Floats, NDArray[np.int64]]:
        """As the encoder within."""
        (window,) = windows
        if self._encoded is None or not np.array_equal(window, self._window):
            self._window, self._encoded = window, self._encoder.encode(windows)
        return self._encoded


@dataclass(frozen=True)
class Comparison:
    """What a guard did to one utterance."""

    corpus: str
    off: WordErrors
    on: WordErrors
    recovered_tokens: int


@dataclass(frozen=True)
class GuardRow:
    """What a guard did to a corpus."""

    context: str
    min_speech_s: float
    min_confidence: float
    corpus: str
    wer_off: float | None
    wer_on: float | None
    recovered_tokens: int
    better_utterances: int
    worse_utterances: int

    @property
    def verdict(self) -> str:
        off, on = self.wer_off or 0.0, self.wer_on or 0.0
        if on > off:
            return "worse"
        if on < off:
            return "better"
        return "same"


GUARD_HEAD = (
    "context", "speech s", "confidence", "corpus", "WER off", "WER on", "tokens recovered",
    "utterances better", "worse", "the corpus got",
)  # fmt: skip


def study(
    opened: Opened, contexts: Sequence[str], guards: Sequence[StallGuard], said: Sequence[Utterance]
) -> list[GuardRow]:
    """Compares every guard with none, in every context, on every corpus."""
    recognizer = opened.recognizer(RepeatingEncoder(opened.encoder))
    rows = []
    for context in contexts:
        compared: list[list[Comparison]] = [[] for _ in guards]
        for utterance in said:
            for which, each in zip(
                compared, _compare(recognizer, context, guards, utterance), strict=True
            ):
                which.append(each)
        for guard, comparisons in zip(guards, compared, strict=True):
            rows += _rows(context, guard, comparisons)
        say(f"{context}: {len(guards)} settings of the stall guard")
    return rows


def cells(row: GuardRow) -> tuple[object, ...]:
    """A row of the table under `GUARD_HEAD`."""
    return (
        row.context,
        row.min_speech_s,
        row.min_confidence,
        row.corpus,
        percent(row.wer_off),
        percent(row.wer_on),
        row.recovered_tokens,
        row.better_utterances,
        row.worse_utterances,
        row.verdict,
    )


def _compare(
    recognizer: Recognizer, context: str, guards: Sequence[StallGuard], utterance: Utterance
) -> list[Comparison]:
    config = (
        recognizer.offline_context(utterance.duration_s)
        if context == OFFLINE
        else ContextConfig.parse(context)
    )
    streams = [
        recognizer.stream(config, tentative=False, stall_guard=guard) for guard in (None, *guards)
    ]
    for stream in streams:
        stream.push(utterance.samples)
        stream.end()
    while streams[0].ready:
        for stream in streams:
            stream.step()
    heard = [stream.transcript() for stream in streams]
    errors = [word_errors(utterance.text, each.text) for each in heard]
    return [
        Comparison(utterance.corpus, errors[0], on, sum(token.recovered for token in each.tokens))
        for on, each in zip(errors[1:], heard[1:], strict=True)
    ]


def _rows(context: str, guard: StallGuard, comparisons: Sequence[Comparison]) -> list[GuardRow]:
    rows = []
    for corpus in dict.fromkeys(each.corpus for each in comparisons):
        of_corpus = [each for each in comparisons if each.corpus == corpus]
        rows.append(
            GuardRow(
                context=context,
                min_speech_s=guard.min_speech_s,
                min_confidence=guard.min_confidence,
                corpus=corpus,
                wer_off=total(each.off for each in of_corpus).rate,
                wer_on=total(each.on for each in of_corpus).rate,
                recovered_tokens=sum(each.recovered_tokens for each in of_corpus),
                better_utterances=sum(each.on.errors < each.off.errors for each in of_corpus),
                worse_utterances=sum(each.on.errors > each.off.errors for each in of_corpus),
            )
        )
    return rows
