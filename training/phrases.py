"""Clips and a model that recognises them in; the phrases between their pauses, as clips, out.

A model that is trained a hundred times on a few sentences learns them by heart. Phrases of many
people, joined at random, are sentences that it has not met (after Lam et al., "On-the-Fly Aligned
Data Augmentation for Sequence-to-Sequence ASR", 2021, who exchange single words).

Rules of this file:

1. A clip is cut where the model got the words on both sides right, and a tenth of a second between
   them is quiet.
2. A phrase is kept if the model, given the phrase alone, finds its first and its last word there.
3. No sound is written: a phrase is a part of its clip's file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import Recognizer, load
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.ports import Floats
from parakeet_streaming.results import Word
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, samples_to_seconds
from training.manifest import Clip, normalise
from training.noises import Random
from training.store import part
from training.workers import workers

CORPUS_SUFFIX = "-phrases"
MOST_PHRASES = 6
"""Of one clip."""
_MOMENT_S = 0.01
_WINDOW_MOMENTS = 2
_SHORTEST_PAUSE_S = 0.1
_QUIET = 0.06
"""Of the clip's loud moments."""
_SHORTEST_S = 0.25
_MOST_WORDS_PER_S = 6.0
# A model may time a word a little before it begins, or within its last sound.
_EARLY_S, _INTO_S = 0.2, 0.05


def cut(clips: Sequence[Clip], model: str, processes: int, seed: int) -> list[Clip]:
    """Phrases of the clips that have pauses; `model` is a name or a folder."""
    with workers(processes) as pool:
        tasks = ((clip, model, seed + at) for at, clip in enumerate(clips))
        return [phrase for found in pool.map(_cut, tasks, chunksize=16) for phrase in found]


def _cut(task: tuple[Clip, str, int]) -> list[Clip]:
    clip, model, seed = task
    try:
        file = read_audio(clip.audio)
    except ParakeetError:
        return []  # `prepare` reports it
    samples, hear = part(file, clip), _recognizer(model).transcribe
    edges = pauses(samples, clip.text.split(), hear(samples).words)
    found = phrases(clip, samples_to_seconds(samples.shape[0]), edges, seed)
    return [each for each in found if _ends_match(each.text, hear(part(file, each)).text)]


def _ends_match(said: str, heard: str) -> bool:
    words, guesses = said.split(), (normalise(heard) or "").split()
    return bool(guesses) and (words[0], words[-1]) == (guesses[0], guesses[-1])


@cache
def _recognizer(model: str) -> Recognizer:
    return load(Path(model) if Path(model).is_dir() else model, threads=1)


def pauses(samples: Floats, said: Sequence[str], heard: Sequence[Word]) -> list[tuple[int, float]]:
    """Where a clip can be cut: the number of words before each pause, and its middle in seconds.

    Args:
        samples: (n,) float32 at 16 kHz.
        said: the clip's words.
        heard: the words that a model recognised, with their times.
    """
    guesses = [normalise(word.text) or "" for word in heard]
    matches = SequenceMatcher(None, said, guesses, autojunk=False).get_matching_blocks()
    levels = moments(samples)
    if levels.size == 0:
        return []
    quiet = levels < _QUIET * np.percentile(levels, 90)
    found = []
    for match in matches:
        for first in range(match.size - 1):
            before, behind = heard[match.b + first], heard[match.b + first + 1]
            start_s = max(before.start + 2 * _INTO_S, before.end - _INTO_S)
            middle_s = _pause_s(quiet, start_s, behind.start + _EARLY_S)
            if middle_s is not None:
                found.append((match.a + first + 1, middle_s))
    return found


def moments(samples: Floats) -> Floats:
    """RMS of the 20 ms around every 10 ms."""
    step = round(_MOMENT_S * SAMPLE_RATE_HZ)
    power = np.square(samples[: samples.shape[0] // step * step]).reshape(-1, step).mean(axis=1)
    if power.size == 0:
        return np.zeros(0, np.float32)
    spread = np.convolve(power, np.full(_WINDOW_MOMENTS, 1 / _WINDOW_MOMENTS), "same")
    return np.sqrt(spread).astype(np.float32)


def _pause_s(quiet: NDArray[np.bool_], start_s: float, end_s: float) -> float | None:
    """The middle of the longest quiet stretch between two times, if it is long enough."""
    start = max(0, round(start_s / _MOMENT_S))
    inside = np.concatenate(([0], quiet[start : max(start, round(end_s / _MOMENT_S))], [0]))
    edges = np.flatnonzero(np.diff(inside))
    if edges.size == 0:
        return None
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    if (ends[longest] - begins[longest]) * _MOMENT_S < _SHORTEST_PAUSE_S:
        return None
    return float(start + (begins[longest] + ends[longest]) / 2) * _MOMENT_S


def phrases(
    clip: Clip, duration_s: float, edges: Iterable[tuple[int, float]], seed: int
) -> Iterator[Clip]:
    """Runs of the parts between a clip's edges; at most `MOST_PHRASES`, drawn at random."""
    words = clip.text.split()
    all_edges = [(0, 0.0), *edges, (len(words), duration_s)]
    runs = [run for run in combinations(all_edges, 2) if run != (all_edges[0], all_edges[-1])]
    random: Random = np.random.default_rng(seed)
    for index in random.permutation(len(runs))[:MOST_PHRASES]:
        (first, start_s), (last, end_s) = runs[index]
        length_s = end_s - start_s
        if length_s < _SHORTEST_S or last - first > _MOST_WORDS_PER_S * length_s:
            continue
        yield dataclasses.replace(
            clip,
            text=" ".join(words[first:last]),
            offset_s=round((clip.offset_s or 0.0) + start_s, 3),
            duration_s=round(length_s, 3),
            corpus=clip.corpus + CORPUS_SUFFIX,
        )
