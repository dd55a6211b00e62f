"""Samples float32 (n,) as they are pushed in; signs that they are not what they are taken for, out.

Rules of this file:

1. Whole numbers that were not scaled are far above full scale, which sound never is for long.
2. Two channels that are interleaved and read as one come in pairs: steps within pairs differ from
   steps between them, or every other sample is softer. Sound of one channel has no such pairs.
3. A source in real time gives as many samples per second as its rate. One that steadily gives what
   another usual rate would has that rate. Sound that is pushed in bursts says nothing.
4. Each sign is told once. Only the first half minute of sound is looked at: what is wrong is wrong
   from the beginning. There is no clock: times of arrival are handed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.results import HealthHint, HintKind

_WATCHED_S: Final = 30.0
_QUIETEST: Final = 0.003
_ABOVE_FULL_SCALE: Final = 2.0
_LOUD_S: Final = 0.5
_PAIRED: Final = 0.7
"""Energy of every other step or sample against the others; of one channel it is nearly 1."""
_PAIRED_S: Final = 2.0
_STEADY_S: Final = 15.0
_STEADY_PIECE_S: Final = 0.5
_RATE_TOLERANCE: Final = 0.02
_RATES_HZ: Final = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


class FormatWatch:
    """Watches what is pushed into one stream. One thread at a time."""

    def __init__(self, rate_hz: int) -> None:
        """`rate_hz`: the rate that the samples are said to have."""
        self._rate_hz = rate_hz
        self._received = self._sounding = self._loud = 0
        self._told: set[HintKind] = set()
        # Energy of the steps to even and odd samples, and of those samples themselves.
        self._energies = [[0.0, 0.0], [0.0, 0.0]]
        self._alike = 0.0
        self._paired_samples = 0
        self._paired: list[tuple[int, int]] = []
        self._last: float | None = None
        self._began_s: float | None = None
        self._came_s = 0.0
        self._since = 0
        self._steady = True

    @property
    def active(self) -> bool:
        """Whether it is still looked at."""
        waits_for_rate = self._steady and self._began_s is not None
        return waits_for_rate or self._sounding < _WATCHED_S * self._rate_hz

    def feed(self, samples: NDArray[np.float32], now_s: float) -> list[HealthHint]:
        """What has become clear with these samples, which came now."""
        if not samples.shape[0] or not self.active:
            return []
        found = [*self._rate(samples.shape[0], now_s)]
        for start in range(0, samples.shape[0], self._rate_hz):
            found += self._look_at(samples[start : start + self._rate_hz])
        return found

    def _look_at(self, samples: NDArray[np.float32]) -> list[HealthHint]:
        """Looks at a second at most."""
        count = samples.shape[0]
        level = math.sqrt(float(np.dot(samples, samples)) / count)
        self._sounding += count * (level >= _QUIETEST)
        self._loud += count * (level > _ABOVE_FULL_SCALE)
        found = [*self._scale(), *self._interleaved(samples, level)]
        self._received += count
        self._last = float(samples[-1])
        return found

    def _scale(self) -> Iterator[HealthHint]:
        if self._loud >= _LOUD_S * self._rate_hz:
            yield from self._tell(
                "scale",
                "samples are far above full scale, which is 1.0, as whole numbers that were not "
                "scaled: push them as int16, or divide them by 32768",
            )

    def _interleaved(self, samples: NDArray[np.float32], level: float) -> Iterator[HealthHint]:
        if level < _QUIETEST:
            return
        # From the sample before on, so that pairs go on over pushes.
        before = samples[0] if self._last is None else self._last
        steps = np.empty_like(samples)
        steps[0] = samples[0] - np.float32(before)
        np.subtract(samples[1:], samples[:-1], out=steps[1:])
        for parity in (0, 1):
            start = (parity - self._received) % 2
            for energies, each in zip(
                self._energies, (steps[start::2], samples[start::2]), strict=True
            ):
                energies[parity] += float(np.dot(each, each)) / (level * level)
        # Speech in pairs is like itself a pair later; a tone of a quarter of the rate is not.
        self._alike += float(np.dot(samples[:-2], samples[2:])) / (level * level)
        self._paired_samples += samples.shape[0]
        if self._paired_samples < _PAIRED_S * self._rate_hz:
            return
        found = [
            (row, pair.index(min(pair)))
            for row, pair in enumerate(self._energies)
            if min(pair) < _PAIRED * max(pair) and self._alike > 0
        ]
        self._energies, self._alike, self._paired_samples = [[0.0, 0.0], [0.0, 0.0]], 0.0, 0
        again = set(found) & set(self._paired)
        self._paired = found
        if again:
            yield from self._tell(
                "interleaved",
                "samples come in pairs, as two channels that are interleaved and read as one: give "
                "them the shape (n, 2), as samples.reshape(-1, 2) has",
            )

    def _rate(self, count: int, now_s: float) -> Iterator[HealthHint]:
        if self._began_s is None:
            self._began_s = self._came_s = now_s
            return
        longest_s = max(count / self._rate_hz, now_s - self._came_s)
        self._steady = self._steady and longest_s <= _STEADY_PIECE_S
        self._came_s = now_s
        self._since += count
        elapsed_s = now_s - self._began_s
        if not self._steady or elapsed_s < _STEADY_S:
            return
        self._steady = False
        found_hz = self._since / elapsed_s
        nearest_hz = min(_RATES_HZ, key=lambda each: abs(each - found_hz))
        if abs(nearest_hz - found_hz) > _RATE_TOLERANCE * found_hz or nearest_hz == self._rate_hz:
            return
        yield from self._tell(
            "rate",
            f"samples come {found_hz / self._rate_hz:.2g} times as fast as their rate of "
            f"{self._rate_hz} Hz says; if they are recorded live, their rate is {nearest_hz} Hz",
        )

    def _tell(self, kind: HintKind, message: str) -> Iterator[HealthHint]:
        if kind not in self._told:
            self._told.add(kind)
            yield HealthHint(kind, message, self._received / self._rate_hz)
