"""Words that people said alone in; several of them, as one person would say them in a row, out.

Rules of this file:

1. Words of one speaker stand beside each other where there are several of them. Where there are
   not, words of other speakers do whose level and room are alike.
2. A word is cut close, never into.
3. Digits stand beside digits more often than beside other words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, seconds_to_samples
from training.manifest import DIGITS
from training.phrases import CORPUS_SUFFIX, moments
from training.store import StoredClip

Random = np.random.Generator

LONGEST_DIGIT_S = 1.3
LONGEST_WORD_S = 3.1
LONGEST_STRING = 9
MOST_WORDS = 2
"""Of a clip that counts as a word, as in `smart mirror`."""
SEVERAL = 3
NEAR = 24
"""Words alike in level and room that one of them may stand beside."""
STRINGS = 0.7
"""Part of the words without neighbours that get some; a digit always may."""
DIGITS_ALONE = 0.75
"""Part of the strings that begin with a digit and have nothing else."""
_LEVEL_STEP = 2.0
_MOMENT_S = 0.01
_ABOVE_ROOM, _OF_LOUD = 2.5, 0.03
_MARGIN_S = (0.04, 0.2)
_REST_S = (0.03, 0.11)


def is_digit(clip: StoredClip) -> bool:
    """Whether a clip is one digit, spoken alone."""
    return clip.text in DIGITS and clip.duration_s <= LONGEST_DIGIT_S


def is_word(clip: StoredClip) -> bool:
    """Whether a clip is a word or two, spoken alone; not a phrase cut out of a sentence."""
    return (
        clip.text.count(" ") < MOST_WORDS
        and clip.duration_s <= LONGEST_WORD_S
        and not clip.corpus.endswith(CORPUS_SUFFIX)
    )


class Neighbours:
    """For each word the words that may stand beside it."""

    def __init__(
        self, words: Sequence[StoredClip], samples: Callable[[StoredClip], Floats]
    ) -> None:
        """`samples` reads a clip; of speakers with several words none is read."""
        by_speaker: dict[tuple[str, str], list[StoredClip]] = {}
        for clip in words:
            by_speaker.setdefault((clip.corpus, clip.speaker), []).append(clip)
        self._several = {
            speaker: found for speaker, found in by_speaker.items() if len(found) >= SEVERAL
        }
        lone = [clip for found in by_speaker.values() if len(found) < SEVERAL for clip in found]
        rooms = [_room(samples(clip)) for clip in lone]
        order = sorted(range(len(lone)), key=rooms.__getitem__)
        self._alike = [lone[index] for index in order]
        self._place = {lone[index].start: at for at, index in enumerate(order)}

    def of(self, clip: StoredClip) -> Sequence[StoredClip]:
        """The words that a clip may stand beside, itself among them."""
        several = self._several.get((clip.corpus, clip.speaker))
        if several is not None:
            return several
        last = max(0, len(self._alike) - NEAR)
        first = min(max(0, self._place[clip.start] - NEAR // 2), last)
        return self._alike[first : first + NEAR]


class Strings:
    """Draws strings of words."""

    def __init__(
        self, clips: Sequence[StoredClip], samples: Callable[[StoredClip], Floats]
    ) -> None:
        self._digits = Neighbours([clip for clip in clips if is_digit(clip)], samples)
        self._words = Neighbours([clip for clip in clips if is_word(clip)], samples)

    def behind(
        self, first: StoredClip, random: Random, digits_only: bool = False
    ) -> list[StoredClip]:
        """Words to say after a first one, which is a word; none, if it is to stand alone."""
        digit = is_digit(first)
        if not digit and random.random() >= STRINGS:
            return []
        among_digits = digit and (digits_only or random.random() < DIGITS_ALONE)
        beside = (self._digits if among_digits else self._words).of(first)
        more = random.integers(LONGEST_STRING)
        return [beside[index] for index in random.integers(len(beside), size=more)]


def _room(samples: Floats) -> tuple[float, float]:
    """How far the room lies below the word, in coarse steps of 3 dB; and how loud the word is."""
    levels = moments(samples)
    if levels.size == 0:
        return 0.0, 0.0
    quiet, loud = np.log2(np.percentile(levels, (10, 95)) + 1e-6)
    return float(np.round((loud - quiet) * _LEVEL_STEP)), float(loud)


def close_cut(samples: Floats, random: Random) -> slice:
    """What a word (n,) is with only a little of the quiet around it, as much as is drawn."""
    first, end = _heard(samples)
    # A soft sound may begin or end a word below what is heard above the room; so some stays.
    before, behind = (seconds_to_samples(float(each)) for each in random.uniform(*_MARGIN_S, 2))
    return slice(max(0, first - before), min(samples.shape[0], end + behind))


def rest_of(samples: Floats, random: Random) -> Floats:
    """The last sound of what is heard in samples (n,), half of it at most: it tells no word."""
    first, end = _heard(samples)
    count = seconds_to_samples(float(random.uniform(*_REST_S)))
    return samples[end - min(count, (end - first) // 2) : end]


def _heard(samples: Floats) -> tuple[int, int]:
    """The first sample that is louder than the room, and the end; all, where nothing is."""
    levels = moments(samples)
    if levels.size == 0:
        return 0, samples.shape[0]
    quiet, loud = np.percentile(levels, (10, 98))
    heard = np.flatnonzero(levels > max(_ABOVE_ROOM * quiet, _OF_LOUD * loud))
    if heard.size == 0:
        return 0, samples.shape[0]
    step = round(_MOMENT_S * SAMPLE_RATE_HZ)
    return int(heard[0]) * step, min(samples.shape[0], (int(heard[-1]) + 1) * step)
