"""Float32 mono (n,) at one rate goes in, piece by piece; float32 mono (m,) at another comes out.

Rules of this file:

1. Slicing never changes a bit: any pieces give, joined, what one piece would have given.
2. All pieces together give round(n · out / in) samples; sample i of the output is at i / out s.
3. A state can be written down: the last samples that went in, from one that both rates share on.
   A resampler of that state gives what this one would have given, up to a float's last bits.
   Without a state, `fed_again` says from where the same samples have to go in once more. At common
   rates that is a whole number of the blocks in which soxr computes, so that no bit differs.
4. The filter holds back what it cannot finish yet: below 0.1 s of audio from 11 kHz upwards, 0.12 s
   at 8 kHz, 0.25 s at 4 kHz. `finish` hands it out. Equal rates hold back nothing.

This is the only file that imports soxr.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import soxr
from numpy.typing import NDArray

from parakeet_streaming.errors import OptionError, StreamClosedError
from parakeet_streaming.results import FilterStart
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ

_MEMORY_S: Final = 0.6
"""Seconds of input that any later sample of the output depends on, and some more."""
_BLOCK_STEPS: Final = {8_000: 830, 24_000: 734, 48_000: 1_468}
"""By the rate of the input, for 16 kHz: after so many steps of both rates a new filter computes in
the same blocks as one that began earlier (found by trying; a test tries them)."""


@dataclass(frozen=True, slots=True)
class ResamplerState:
    """What a resampler remembers, between two pieces."""

    samples: NDArray[np.float32]
    """(n,) the last ones that went in, from one that both rates share on."""
    produced: int
    """How many samples have come out since that one."""


@dataclass(frozen=True, slots=True)
class FedAgain:
    """How a resampler gives again what another one gave from some position on."""

    sample: int
    """The first one that has to go in."""
    dropped: int
    """How many samples of its output come before that position."""
    exact: bool
    """Whether what follows is the same to the last bit."""


def sample_at(position: int, rate_hz: int) -> int:
    """The sample at a position at 16 kHz, in one stretch of audio."""
    return round(position * rate_hz / SAMPLE_RATE_HZ)


def filters_from(filters: Sequence[FilterStart], position: int) -> tuple[FilterStart, ...]:
    """That of the sample at that position, and those after it; none if it is not known."""
    before = sum(each.position <= position for each in filters)
    return tuple(filters[before - 1 :]) if before else ()


def fed_again(start: FilterStart, position: int, rate_in_hz: int) -> FedAgain:
    """How the output from that position (16 kHz) on is had again of a filter that began there."""
    in_step, out_step = _steps(rate_in_hz, SAMPLE_RATE_HZ)
    produced = max(0, position - start.position)
    block = _BLOCK_STEPS.get(rate_in_hz, 1)
    steps = max(0, (produced - round(_MEMORY_S * SAMPLE_RATE_HZ)) // out_step)
    steps -= steps % block
    exact = not steps or rate_in_hz in _BLOCK_STEPS
    return FedAgain(start.sample + steps * in_step, produced - steps * out_step, exact)


class Resampler:
    """One stream of audio on its way from `rate_in_hz` to `rate_out_hz`.

    Raises:
        OptionError: a rate outside 4–384 kHz.
    """

    def __init__(
        self, rate_in_hz: int, rate_out_hz: int = SAMPLE_RATE_HZ, *, dropped: int = 0
    ) -> None:
        """`dropped`: so many samples of the output were given before, and do not come again."""
        for rate_hz in (rate_in_hz, rate_out_hz):
            if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
                raise OptionError(
                    f"cannot resample at {rate_hz} Hz; "
                    f"use {MIN_INPUT_RATE_HZ} to {MAX_INPUT_RATE_HZ} Hz"
                )
        self._in_step, self._out_step = _steps(rate_in_hz, rate_out_hz)
        self._memory = max(self._in_step, round(_MEMORY_S * rate_in_hz))
        self._last: deque[NDArray[np.float32]] = deque()
        self._last_samples = 0
        self._produced = self._to_drop = dropped
        self._ready = np.zeros(0, np.float32)
        self._soxr = soxr.ResampleStream(rate_in_hz, rate_out_hz, 1, dtype="float32", quality="HQ")
        self._finished = False

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the next samples, float32 (n,) with n ≥ 0; hand back those that are done, (m,).

        Raises:
            StreamClosedError: after `finish`.
        """
        return self._convert(samples, last=False)

    def finish(self) -> NDArray[np.float32]:
        """Hand back everything that was held back, float32 (m,); the resampler is then closed.

        Raises:
            StreamClosedError: after `finish`.
        """
        rest = self._convert(np.zeros(0, np.float32), last=True)
        self._finished = True
        return rest

    def state(self) -> ResamplerState:
        """What it remembers now."""
        last = np.concatenate([np.zeros(0, np.float32), *self._last])
        return ResamplerState(last, self._produced)

    @classmethod
    def of(cls, state: ResamplerState, rate_in_hz: int, rate_out_hz: int = SAMPLE_RATE_HZ) -> Self:
        """The resampler that a state was taken of.

        Raises:
            OptionError: a rate outside 4–384 kHz.
        """
        resampler = cls(rate_in_hz, rate_out_hz, dropped=state.produced)
        # A new filter may be a little ahead of the old one; what it has ready comes with the next.
        resampler._ready = resampler.feed(state.samples)
        resampler._produced = state.produced
        return resampler

    def _remember(self, samples: NDArray[np.float32]) -> None:
        """Keeps what goes in; forgets whole pieces of it, up to one that both rates share."""
        if samples.shape[0] == 0:
            return
        self._last.append(samples.copy())
        self._last_samples += samples.shape[0]
        steps = (self._last_samples - self._memory) // self._in_step
        # Rarely, so that the cost of small pieces stays small.
        if steps * self._in_step < self._memory:
            return
        kept = np.concatenate(self._last)[steps * self._in_step :]
        self._last = deque([kept])
        self._last_samples = kept.shape[0]
        self._produced -= steps * self._out_step

    def _convert(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        if self._finished:
            raise StreamClosedError("this resampler is finished; make a new one for new audio")
        self._remember(samples)
        converted: NDArray[np.float32] = self._soxr.resample_chunk(samples, last=last)
        if self._to_drop:
            dropped = min(self._to_drop, converted.shape[0])
            self._to_drop -= dropped
            converted = converted[dropped:]
        if self._ready.shape[0]:
            converted = np.concatenate((self._ready, converted))
            self._ready = self._ready[:0]
        self._produced += converted.shape[0]
        return converted


def _steps(rate_in_hz: int, rate_out_hz: int) -> tuple[int, int]:
    """The fewest samples of both rates that take the same time."""
    common = math.gcd(rate_in_hz, rate_out_hz)
    return rate_in_hz // common, rate_out_hz // common
