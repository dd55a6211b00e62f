"""Packed clips and a larger recogniser's encoder in; its vectors of them, 25 per second, out.

From a few hundred speakers a model learns what separates their words, and little that holds for
others too. The encoder of a recogniser trained on a thousand times as much has learnt that. A
second head of the model learns to predict that encoder's output in every frame (Hinton et al.,
"Distilling the Knowledge in a Neural Network", 2015; Chang et al., "DistilHuBERT", 2022).

Rules of this file:

1. The teacher gets each clip once and clean. The model gets it through the recipe's noise, rooms
   and lines, and learns to give the same vectors.
2. Clips share the teacher's windows, with pauses between them.
3. Values are stored in eight bits, normalised by each dimension's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.ports import Floats
from training.noises import at_level
from training.store import Store, StoredClip

Encode = Callable[[Floats], Floats]
"""Samples (n,) of one window in; (n / VECTOR_SAMPLES, D) out."""

VECTOR_SAMPLES = 640
WINDOW_VECTORS = 750
"""30 s."""
_PAUSE_VECTORS = 13
_LEVEL_RMS = 0.05
_PER_DEVIATION = 25.0
"""Eight bits reach to five deviations."""
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Taught:
    """A teacher's vectors at moments of an example."""

    vectors: Floats
    """(T, D), each dimension of about mean 0 and deviation 1 over all clips."""
    inside: NDArray[np.bool_]
    """(T,) whether a moment lies in a clip; elsewhere vectors are 0."""


class Lessons:
    """What `teach` wrote, opened."""

    def __init__(self, folder: Path, store: Store) -> None:
        """Opens what lies in a store's folder.

        Raises:
            ModelFormatError: it is of other clips.
        """
        self._vectors = np.load(folder / "teacher.npy", mmap_mode="r")
        firsts = _firsts(store)
        if firsts[-1] + _count(store.clips[-1]) != self._vectors.shape[0]:
            raise ModelFormatError(
                f"{folder}/teacher.npy is of other clips; run the stage `teach` again, or delete it"
            )
        self._first = {clip.start: first for clip, first in zip(store.clips, firsts, strict=True)}

    @staticmethod
    def are_in(folder: Path) -> bool:
        """Whether `teach` wrote there."""
        return (folder / "teacher.npy").is_file()

    @property
    def width(self) -> int:
        return int(self._vectors.shape[1])

    def along(
        self,
        at: NDArray[np.float64],
        clips: Sequence[StoredClip],
        starts: Sequence[int],
        cuts: Sequence[slice],
    ) -> Taught:
        """Vectors at moments `at` (T,), in samples of an example.

        Args:
            at: the moments.
            clips: what the example has.
            starts: where each clip begins in it.
            cuts: which of each clip's samples it has.
        """
        vectors = np.zeros((at.shape[0], self.width), np.float32)
        inside = np.zeros(at.shape[0], np.bool_)
        for clip, start, cut in zip(clips, starts, cuts, strict=True):
            here = (at >= start) & (at < start + cut.stop - cut.start)
            first, count = self._first[clip.start], _count(clip)
            said = self._vectors[first : first + count].astype(np.float32) / _PER_DEVIATION
            # A vector stands for the middle of its 40 ms.
            where = np.clip((at[here] - start + cut.start) / VECTOR_SAMPLES - 0.5, 0, count - 1)
            below = where.astype(np.int64)
            part = (where - below)[:, None].astype(np.float32)
            above = np.minimum(below + 1, count - 1)
            vectors[here] = said[below] * (1 - part) + said[above] * part
            inside |= here
        return Taught(vectors, inside)


def teach(store: Store, folder: Path, encode: Encode) -> int:
    """Writes a teacher's vectors into a store's folder; returns how many.

    While it works, the disk holds three times the result.
    """
    firsts = _firsts(store)
    total = firsts[-1] + _count(store.clips[-1])
    exact_path = folder / "teacher.partial.npy"
    exact: NDArray[np.float16] | None = None
    for window in _windows(store):
        samples = np.zeros(WINDOW_VECTORS * VECTOR_SAMPLES, np.float32)
        for index, at in window:
            clip = at_level(store.samples(store.clips[index]), _LEVEL_RMS)
            samples[at * VECTOR_SAMPLES :][: clip.shape[0]] = np.clip(clip, -1, 1)
        heard = encode(samples)
        if exact is None:
            exact = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]  # NumPy's own
                exact_path, "w+", np.float16, (total, heard.shape[1])
            )
        for index, at in window:
            count = _count(store.clips[index])
            exact[firsts[index] : firsts[index] + count] = heard[at : at + count]
    assert exact is not None, "a store has clips"
    _write_eight_bits(exact, folder / "teacher.npy")
    exact_path.unlink()
    return total


def _write_eight_bits(exact: NDArray[np.float16], path: Path) -> None:
    total, width = exact.shape
    parts = [slice(at, at + _AT_ONCE) for at in range(0, total, _AT_ONCE)]
    mean, square = np.zeros(width), np.zeros(width)
    for part in parts:
        mean += exact[part].sum(axis=0, dtype=np.float64) / total
    for part in parts:
        square += np.square(exact[part] - mean).sum(axis=0) / total
    scale = _PER_DEVIATION / np.sqrt(square + 1e-12)
    bits = np.lib.format.open_memmap(path, "w+", np.int8, exact.shape)  # type: ignore[no-untyped-call]  # NumPy's own
    for part in parts:
        bits[part] = np.clip(np.rint((exact[part] - mean) * scale), -127, 127)


def _windows(store: Store) -> Iterator[list[tuple[int, int]]]:
    """Which clips share a window of the teacher, each with the vector at which it begins."""
    window: list[tuple[int, int]] = []
    at = 0
    for index, clip in enumerate(store.clips):
        count = _count(clip)
        if window and at + count > WINDOW_VECTORS:
            yield window
            window, at = [], 0
        window.append((index, at))
        at += count + _PAUSE_VECTORS
    yield window


def _count(clip: StoredClip) -> int:
    return -(-clip.samples // VECTOR_SAMPLES)


def _firsts(store: Store) -> list[int]:
    counts = [_count(clip) for clip in store.clips]
    return [0, *np.cumsum(counts)[:-1].tolist()]
