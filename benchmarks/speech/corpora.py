"""A folder of recordings and a list of them (JSON lines) in; utterances at 16 kHz out.

A line of the list has `audio` (a path within the folder), `text`, `speaker` and `corpus`;
with `offset` and `duration`, in seconds, it is a part of the file.

Rules of this file:

1. Audio is read and resampled by the package itself.
2. Digit strings are made, not recorded: single digits of one speaker, joined with short pauses, in
   an order that a seed fixes. Each recording is used once; what is left over is not used.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

DIGITS_CORPUS = "fsdd"
DIGIT_STRINGS = "digit strings"
DIGITS_PER_STRING = 6
PAUSE_S = 0.1


@dataclass(frozen=True)
class Utterance:
    """One recording and what is said in it."""

    corpus: str
    speaker: str
    text: str
    samples: NDArray[np.float32]
    """(n,) at 16 kHz."""

    @property
    def duration_s(self) -> float:
        return samples_to_seconds(self.samples.shape[0])


def read_utterances(folder: Path, listing: str, limit: int | None) -> list[Utterance]:
    """The labelled utterances of a list, the first `limit` of each corpus (None: all)."""
    taken: dict[str, int] = {}
    utterances = []
    for line in _lines(folder / listing):
        corpus = line["corpus"]
        if not line["text"] or (limit is not None and taken.get(corpus, 0) >= limit):
            continue
        taken[corpus] = taken.get(corpus, 0) + 1
        samples = read_audio(folder / line["audio"])
        if "offset" in line:  # a part of the file
            start, count = (seconds_to_samples(float(line[key])) for key in ("offset", "duration"))
            samples = samples[start : start + count]
        utterances.append(Utterance(corpus, str(line["speaker"]), line["text"], samples))
    return utterances


def digit_strings(utterances: Iterable[Utterance], seed: int) -> list[Utterance]:
    """Strings of six digits made of each speaker's single ones."""
    by_speaker: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        if utterance.corpus == DIGITS_CORPUS:
            by_speaker.setdefault(utterance.speaker, []).append(utterance)
    order = random.Random(seed)
    strings = []
    for _, digits in sorted(by_speaker.items()):
        order.shuffle(digits)
        whole = len(digits) - len(digits) % DIGITS_PER_STRING
        starts = range(0, whole, DIGITS_PER_STRING)
        strings += [_joined(digits[start : start + DIGITS_PER_STRING]) for start in starts]
    return strings


def _joined(digits: list[Utterance]) -> Utterance:
    pause = np.zeros(seconds_to_samples(PAUSE_S), np.float32)
    parts = [part for digit in digits for part in (pause, digit.samples)]
    text = " ".join(digit.text for digit in digits)
    return Utterance(DIGIT_STRINGS, digits[0].speaker, text, np.concatenate(parts[1:]))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as listing:
        for line in listing:
            if line.strip():
                yield json.loads(line)
