"""Utterances and settings of the stall guard in; word errors with and without it out.

The guard changes nothing before the encoder, so each window is encoded once for all settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import WordErrors, word_errors
from benchmarks.models.contexts import context_of
from benchmarks.report.tables import progress, table
from benchmarks.speech.corpora import Utterance
from parakeet_streaming import Recognizer, StallGuard, load
from parakeet_streaming.runtime.session import Session


class RepeatingSession:
    """A session that answers a call with the outputs of the call before, where inputs are equal."""

    def __init__(self, session: Session) -> None:
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.providers = session.providers
        self.threads = session.threads
        self._session = session
        self._feeds: dict[str, NDArray[Any]] = {}
        self._outputs: dict[str, NDArray[Any]] = {}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the session."""
        if feeds.keys() != self._feeds.keys() or not all(
            np.array_equal(each, self._feeds[name]) for name, each in feeds.items()
        ):
            outputs = self._session.run(feeds)
            self._feeds = {name: each.copy() for name, each in feeds.items()}
            self._outputs = {name: each.copy() for name, each in outputs.items()}
        return self._outputs


@dataclass(frozen=True)
class Effect:
    """What a guard did to one utterance, or to a corpus."""

    off: WordErrors = field(default_factory=WordErrors)
    """Without the guard."""
    on: WordErrors = field(default_factory=WordErrors)
    """With it."""
    recovered_tokens: int = 0
    better_utterances: int = 0
    worse_utterances: int = 0

    def __add__(self, other: Effect) -> Effect:
        return Effect(
            self.off + other.off,
            self.on + other.on,
            self.recovered_tokens + other.recovered_tokens,
            self.better_utterances + other.better_utterances,
            self.worse_utterances + other.worse_utterances,
        )

    def __str__(self) -> str:
        """`104.3 → 103.9 % (7 tokens, 2 better, 1 worse)`, or `104.3 %` where it found nothing."""
        before = 100 * (self.off.rate or 0.0)
        if not self.recovered_tokens:
            return f"{before:.1f} %"
        after = 100 * (self.on.rate or 0.0)
        return (
            f"{before:.1f} → {after:.1f} % ({self.recovered_tokens} tokens, "
            f"{self.better_utterances} better, {self.worse_utterances} worse)"
        )


@dataclass(frozen=True)
class Trial:
    """One setting of the guard in one context."""

    context: str
    min_speech_s: float
    min_confidence: float
    effects: dict[str, Effect]
    """By corpus."""


def study(
    model: str,
    contexts: Sequence[str],
    guards: Sequence[StallGuard],
    said: Sequence[Utterance],
    threads: int | None = None,
) -> list[Trial]:
    """Compares every guard with none, in every context, on every corpus."""
    recognizer = load(
        model,
        threads=threads,
        wrap=lambda session, role: RepeatingSession(session) if role == "encoder" else session,
    )
    trials = []
    for context in contexts:
        effects: list[dict[str, Effect]] = [{} for _ in guards]
        for utterance in progress(said, f"{context}, {len(guards)} settings"):
            found = _effects(recognizer, context, guards, utterance)
            for by_corpus, effect in zip(effects, found, strict=True):
                known = by_corpus.get(utterance.corpus, Effect())
                by_corpus[utterance.corpus] = known + effect
        trials += [
            Trial(context, guard.min_speech_s, guard.min_confidence, by_corpus)
            for guard, by_corpus in zip(guards, effects, strict=True)
        ]
    return trials


def guard_table(trials: Sequence[Trial]) -> str:
    """What every setting did in every context, by corpus."""
    corpora = list(trials[0].effects) if trials else []
    rows = [
        (f"{trial.context}, {trial.min_speech_s:g} s, {trial.min_confidence:g}",
         *trial.effects.values())
        for trial in trials
    ]  # fmt: skip
    return table(("context, min_speech_s, min_confidence", *corpora), rows)


def verdict(trials: Sequence[Trial]) -> str:
    """Where the guard raised the word error rate, if anywhere."""
    worse = [
        f"{corpus} in {trial.context} with {trial.min_speech_s:g} s and {trial.min_confidence:g}"
        for trial in trials
        for corpus, effect in trial.effects.items()
        if effect.on.errors > effect.off.errors
    ]
    if not worse:
        return "The guard made no corpus worse."
    return f"The guard made worse: {'; '.join(worse)}."


def _effects(
    recognizer: Recognizer, context: str, guards: Sequence[StallGuard], utterance: Utterance
) -> list[Effect]:
    """What each guard did to one utterance."""
    config = context_of(recognizer, context, utterance.duration_s)
    streams = [
        recognizer.stream(config, tentative=False, stall_guard=guard) for guard in (None, *guards)
    ]
    for stream in streams:
        stream.push(utterance.samples)
        stream.end()
    while streams[0].ready:
        for stream in streams:
            stream.step()
    transcripts = [stream.transcript() for stream in streams]
    off, *others = (word_errors(utterance.text, each.text) for each in transcripts)
    return [
        Effect(
            off,
            on,
            recovered_tokens=sum(token.recovered for token in transcript.tokens),
            better_utterances=int(on.errors < off.errors),
            worse_utterances=int(on.errors > off.errors),
        )
        for on, transcript in zip(others, transcripts[1:], strict=True)
    ]
