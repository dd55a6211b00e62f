"""Measured steps in; what a step of any streams and audio takes, out.

Rules of this file:

1. A step takes a fixed time, a time for each of its streams, and a time for each second of audio
   that it encodes:

   ```
   fixed + per stream × streams + per audio × seconds of audio
   ```

   Where a graph runs stream by stream the second part is large; so the cost of short windows says
   little about that of long ones until both were measured.
2. Steps of one kind, of about as many streams and about as long windows, are one measurement: their
   mean, in which older steps count less and less. So a thousand short windows do not displace what
   a few long ones took. Kinds that have not come for long count less than those that come now.
3. No part is below 0, and only parts that the kinds can tell apart are separated. Where all steps
   are alike, time is taken as proportional to audio.
4. How far off a prediction is counts in proportion to how large the step is, so short steps count
   as much as long ones.
5. The first step of a kind may have compiled, or read pages: it counts next to nothing after the
   second, and is taken as a few times what was expected at most, once something is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FORGETTING: Final = 0.95
_FIRST_WEIGHT: Final = 0.02
_MOST_AT_FIRST: Final = 4.0
"""What the first step of a kind may take, in times of what was expected."""
_BEGINNER_STEPS: Final = 16
"""Until then what is expected says little."""
_AGEING: Final = 0.999
"""What a kind counts less with each step of other kinds."""
_MOST_KINDS: Final = 64
_LEAST_SPREAD: Final = 0.02
"""Singular value, against the largest, below which parts cannot be told apart."""
_AS_GOOD: Final = 1e-6
"""A fit of fewer parts is taken unless another is better by that."""
_LEARNING_STEPS: Final = 64
_SOLVED_EVERY: Final = 8

_PARTS: Final = ((2,), (0,), (1,), (0, 2), (1, 2), (0, 1), (0, 1, 2))
"""Which of fixed, per stream and per audio a fit may have; the first of equals is taken."""


@dataclass(slots=True)
class _Kind:
    streams: float
    audio_s: float
    took_s: float
    steps: int
    last: int
    """Number of the last step of this kind."""
    weight: float = 1.0

    def add(self, streams: int, audio_s: float, took_s: float, number: int) -> None:
        """Takes one more step of this kind."""
        kept = (_FIRST_WEIGHT if self.steps == 1 else _FORGETTING) * self.weight
        self.weight = kept + 1
        self.streams = (kept * self.streams + streams) / self.weight
        self.audio_s = (kept * self.audio_s + audio_s) / self.weight
        self.took_s = (kept * self.took_s + took_s) / self.weight
        self.steps += 1
        self.last = number


class CostModel:
    """Seconds that a step takes. Not thread-safe."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[int, int], _Kind] = {}
        self._steps = 0
        self._solved_at = 0
        self._parts = (0.0, 0.0, 0.0)

    @property
    def parts(self) -> tuple[float, float, float]:
        """Seconds: fixed, per stream, and per second of audio; 0 until a step was measured."""
        unsolved = self._steps - self._solved_at
        if unsolved and (self._steps <= _LEARNING_STEPS or unsolved >= _SOLVED_EVERY):
            self._solved_at = self._steps
            self._parts = self._solve()
        return self._parts

    def measured(self, audio_s: float, took_s: float, streams: int = 1) -> None:
        """Takes note that a step of `streams` that encoded `audio_s` in all took `took_s`."""
        if audio_s <= 0:
            return
        expected_s = self.step_s(audio_s, streams)
        self._steps += 1
        key = (round(math.log2(streams)), round(2 * math.log2(audio_s / streams)))
        kind = self._kinds.get(key)
        if kind is not None:
            kind.add(streams, audio_s, took_s, self._steps)
            return
        if len(self._kinds) >= _MOST_KINDS:
            del self._kinds[min(self._kinds, key=lambda each: self._kinds[each].last)]
        if self._steps > _BEGINNER_STEPS and expected_s > 0:
            took_s = min(took_s, _MOST_AT_FIRST * expected_s)
        self._kinds[key] = _Kind(streams, audio_s, took_s, 1, self._steps)

    def step_s(self, audio_s: float, streams: int = 1) -> float:
        """Seconds that a step of so much audio will take; 0 until one was measured."""
        fixed_s, per_stream_s, per_audio_s = self.parts
        return fixed_s + per_stream_s * streams + per_audio_s * audio_s

    def _solve(self) -> tuple[float, float, float]:
        kinds = list(self._kinds.values())
        rows = np.array([(1.0, each.streams, each.audio_s) for each in kinds])
        took_s = np.array([each.took_s for each in kinds])
        weights = np.array([each.weight * _AGEING ** (self._steps - each.last) for each in kinds])
        sizes = rows[:, 1] + rows[:, 2]
        roots = np.sqrt(weights / weights.sum()) / sizes
        rows *= roots[:, None]
        wanted = roots * took_s
        scale = float(np.square(wanted).sum()) or 1.0
        best, best_error = (0.0, 0.0, 0.0), math.inf
        for parts in _PARTS:
            found = _fit(rows[:, parts], wanted)
            if found is not None and found[1] < best_error - _AS_GOOD * scale:
                best_error = found[1]
                values = dict(zip(parts, found[0], strict=True))
                best = (values.get(0, 0.0), values.get(1, 0.0), values.get(2, 0.0))
        return best


def _fit(
    rows: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[list[float], float] | None:
    """The parts, and the mean square of how far off they are; None where they do not fit."""
    lengths = np.sqrt(np.square(rows).sum(axis=0))
    parts, _, rank, _ = np.linalg.lstsq(rows / lengths, wanted, rcond=_LEAST_SPREAD)
    if rank < rows.shape[1] or (parts < 0).any():
        return None
    error = np.square(rows / lengths @ parts - wanted).sum()
    return [float(part) for part in parts / lengths], float(error)
