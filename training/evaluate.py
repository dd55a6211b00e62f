"""An exported model and recordings outside its training in; word errors by corpus and context out.

Rules of this file:

1. The model is judged as users run it: the ONNX files, opened by `load()`.
2. Texts on both sides are normalised as in training.
3. A minute each of silence, noise, hum, music and tones must give no words.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parakeet_streaming import ContextConfig, Recognizer, load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples
from training.manifest import DIGITS, Clip, normalise
from training.noises import KINDS, at_level
from training.store import part

OFFLINE = "offline"
CACHED = "cached "
"""Before a context: the stream keeps what it encoded."""
DIGIT_STRINGS = "digit strings"
DIGITS_PER_STRING = 6
PAUSE_S = 0.1
WORDLESS_S = 60.0


@dataclass(frozen=True)
class Spoken:
    """An utterance to be recognised."""

    corpus: str
    speaker: str
    text: str
    samples: Floats


@dataclass(frozen=True)
class Exported:
    """One model as two folders."""

    windows: Path
    cached: Path
    """With an encoder that keeps its past."""


@dataclass(frozen=True)
class Score:
    """How one model did in one context."""

    precision: str
    context: str
    corpus: str
    errors: int
    words: int
    audio_s: float
    processing_s: float

    @property
    def rate(self) -> float:
        """WER."""
        return self.errors / max(1, self.words)


def evaluate(
    folders: dict[str, Exported],
    clips: Sequence[Clip],
    contexts: Sequence[str],
    threads: int,
    wordless_s: float = WORDLESS_S,
) -> tuple[list[Score], dict[str, dict[str, str]]]:
    """Scores of the models in `folders`, by precision; and words that each finds in no speech."""
    spoken = [
        Spoken(each.corpus, each.speaker, each.text, part(read_audio(each.audio), each))
        for each in clips
    ]
    spoken += digit_strings(spoken)
    scores: list[Score] = []
    imagined = {}
    for precision, folder in folders.items():
        windows, cached = (
            load(each, precision=precision, provider="cpu", threads=threads)
            for each in (folder.windows, folder.cached)
        )
        for context in contexts:
            recognizer = cached if context.startswith(CACHED) else windows
            scores += _scores(recognizer, precision, context, spoken)
        imagined[precision] = wordless(windows, wordless_s)
    return scores, imagined


def _scores(
    recognizer: Recognizer, precision: str, context: str, spoken: Iterable[Spoken]
) -> list[Score]:
    found: dict[str, list[tuple[int, int, float, float]]] = {}
    for each in spoken:
        started = time.perf_counter()
        heard = recognise(recognizer, context, each.samples)
        took_s = time.perf_counter() - started
        said, words = each.text.split(), (normalise(heard) or "").split()
        errors = word_errors(said, words)
        audio_s = samples_to_seconds(each.samples.shape[0])
        found.setdefault(each.corpus, []).append((errors, len(said), audio_s, took_s))
    return [
        Score(
            precision,
            context,
            corpus,
            errors=sum(row[0] for row in rows),
            words=sum(row[1] for row in rows),
            audio_s=sum(row[2] for row in rows),
            processing_s=sum(row[3] for row in rows),
        )
        for corpus, rows in found.items()
    ]


def recognise(recognizer: Recognizer, context: str, samples: Floats) -> str:
    """The text of samples (n,) at 16 kHz; `offline`, or a preset or left-chunk-right.

    With `cached ` before it, of a stream that keeps what it encoded.
    """
    if context == OFFLINE:
        return recognizer.transcribe(samples).text
    name, cached = context.removeprefix(CACHED), context.startswith(CACHED)
    stream = recognizer.stream(ContextConfig.parse(name), tentative=False, cached=cached)
    stream.feed(samples)
    stream.finish()
    return stream.transcript().text


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Fewest substitutions, deletions and insertions between two lists of words."""
    row = list(range(len(heard) + 1))
    for deleted, word in enumerate(said, start=1):
        last, row[0] = row[0], deleted
        for at, other in enumerate(heard, start=1):
            last, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, last + (word != other))
    return row[-1]


def digit_strings(spoken: Iterable[Spoken]) -> list[Spoken]:
    """Strings of six digits made of each speaker's single ones, each used once."""
    by_speaker: dict[str, list[Spoken]] = {}
    for each in spoken:
        if each.text in DIGITS:
            by_speaker.setdefault(each.speaker, []).append(each)
    random = np.random.default_rng(0)
    pause = np.zeros(seconds_to_samples(PAUSE_S), np.float32)
    strings = []
    for speaker, digits in sorted(by_speaker.items()):
        order = random.permutation(len(digits))
        for start in range(0, len(digits) - DIGITS_PER_STRING + 1, DIGITS_PER_STRING):
            drawn = [digits[at] for at in order[start : start + DIGITS_PER_STRING]]
            samples = np.concatenate([part for each in drawn for part in (pause, each.samples)])
            text = " ".join(each.text for each in drawn)
            strings.append(Spoken(DIGIT_STRINGS, speaker, text, samples))
    return strings


def wordless(recognizer: Recognizer, wordless_s: float) -> dict[str, str]:
    """The words that a recognizer finds in so many seconds of each sound without words."""
    count = seconds_to_samples(wordless_s)
    sounds = {"silence": np.zeros(count, np.float32)}
    for name, kind in KINDS.items():
        sounds[name] = at_level(kind(count, np.random.default_rng(7)), 0.05)
    return {name: recognizer.transcribe(sound).text for name, sound in sounds.items()}
