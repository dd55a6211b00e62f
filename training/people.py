"""Kokoro's voices in; as many people as are asked for, each with a voice of their own, out.

Kokoro has 54 voices. A person here has the sound of two to four of them, mixed, the manner of two
to four others, and a vocal tract of their own: what Kokoro says is resampled, which moves pitch and
formants, and it speaks by so much slower or faster that the pace is the person's.

Rules of this file:

1. A person depends on the seed and their number alone, not on how many others there are.
2. No recording of a living speaker is a prompt: voices are mixtures of those that Kokoro has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ
from training.kokoro import SAMPLE_RATE_HZ as KOKORO_RATE_HZ
from training.kokoro import said_in_style, style_table, voice_names

Random = np.random.Generator
Mixture = tuple[tuple[str, float], ...]
"""Names of voices, and the part of each."""

CORPUS = "synthetic-people"
LICENCE = "Kokoro-82M: Apache-2.0, voices mixed"
_SOUND = 128
"""Of a style's numbers, the first, which make the sound; the others make the manner."""
_ENGLISH_WEIGHT, _FOREIGN_WEIGHT = 1.0, 0.3
_MOST_VOICES = 4
_CHILDREN = 0.2
_TRACTS = (0.88, 1.16)
_CHILDRENS_TRACTS = (1.16, 1.38)
_PACES = (0.8, 1.25)
_BRITISH = 0.3


@dataclass(frozen=True)
class Person:
    """A made voice."""

    number: int
    sound: Mixture
    manner: Mixture
    british: bool
    tract: float
    """By how much pitch and formants are higher than Kokoro's."""
    pace: float
    """1 as Kokoro speaks, above 1 faster."""

    @property
    def speaker(self) -> str:
        return f"made-{self.number:04}"


def people(folder: Path, count: int, seed: int) -> list[Person]:
    """So many people, from the voices of a folder of Kokoro.

    Raises:
        ModelPartMissingError: the folder lacks the model, its phonemes or the voices.
    """
    names = voice_names(folder)
    return [
        _person(names, number, np.random.default_rng([seed, number])) for number in range(count)
    ]


def _person(names: Sequence[str], number: int, random: Random) -> Person:
    child = random.random() < _CHILDREN
    # A child's voice is a woman's, higher; the second letter of a name is f or m.
    high = [name for name in names if name[1] == "f"]
    sound = _mixture(high if child and high else names, random)
    return Person(
        number=number,
        sound=sound,
        manner=_mixture(names, random),
        british=bool(random.random() < _BRITISH),
        tract=round(_between(_CHILDRENS_TRACTS if child else _TRACTS, random), 3),
        pace=round(_between(_PACES, random), 3),
    )


def _mixture(names: Sequence[str], random: Random) -> Mixture:
    weights = np.array([_ENGLISH_WEIGHT if name[0] in "ab" else _FOREIGN_WEIGHT for name in names])
    count = min(len(names), int(random.integers(2, _MOST_VOICES + 1)))
    drawn = random.choice(len(names), count, replace=False, p=weights / weights.sum())
    parts = random.dirichlet(np.full(count, 1.5))
    return tuple((names[at], round(float(part), 3)) for at, part in zip(drawn, parts, strict=True))


def _between(ends: tuple[float, float], random: Random) -> float:
    return float(np.exp(random.uniform(*np.log(ends))))


def read_aloud(folder: Path, person: Person, texts: Sequence[str], random: Random) -> list[Floats]:
    """Each text, with its marks, as a person reads it.

    Returns:
        Samples (n,) float32 at 16 kHz for each text.
    """
    styles = np.concatenate(
        (
            _mixed(folder, person.sound)[:, :_SOUND],
            _mixed(folder, person.manner)[:, _SOUND:],
        ),
        axis=1,
    )
    speeds = person.pace / person.tract * random.uniform(0.9, 1.1, len(texts))
    said = said_in_style(folder, styles, texts, speeds.tolist(), person.british)
    return [
        soxr.resample(samples, KOKORO_RATE_HZ * person.tract, SAMPLE_RATE_HZ) for samples in said
    ]


def _mixed(folder: Path, mixture: Mixture) -> Floats:
    total = sum(part for _, part in mixture)
    mixed: Floats = np.sum(
        [style_table(folder, name) * np.float32(part / total) for name, part in mixture], axis=0
    )
    return mixed
