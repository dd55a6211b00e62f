"""Samples float32 (n,) of any rate go in; what is wrong with them, in words for people, comes out.

Rules of this file:

1. Time is counted in samples; there is no clock. Everything is decided on whole blocks of 100 ms,
   so slicing never changes a finding.
2. A trouble is reported once when it begins and once when it is over, not while it lasts.
3. Nothing but zeros is reported as that and not also as quiet: causes and advice differ.
4. Levels are in dBFS: 0 is full scale, for the peak and for the root mean square; a full sine has
   an RMS of −3. Nothing is below −120.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.pcm import full_scale_one
from parakeet_streaming.errors import OptionError
from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

BLOCK_S: Final = 0.1
LOWEST_DBFS: Final = -120.0

_PHASE_S: Final = 1.0
"""Seconds of sound after which it is decided whether channels cancel each other."""
_SOUND_DBFS: Final = -60.0
_CANCELLED_SHARE: Final = 0.01
"""Share of the channels' energy below which their average has lost them: −20 dB."""
_FULL_SCALE: Final = 0.999  # the loudest int16 is 0.99997; some drivers stay a little below

Trouble = Literal["zeros", "quiet", "clipping"]

_BEGINS: Final[dict[Trouble, str]] = {
    "zeros": "only digital silence arrives: the microphone is muted, or this program is not "
    "allowed to use it",
    "quiet": "there is hardly any sound: turn the microphone's level up, or choose another one",
    "clipping": "the sound is clipped, which costs words: turn the microphone's level down",
}
_IS_OVER: Final[dict[Trouble, str]] = {
    "zeros": "sound arrives again",
    "quiet": "the sound is loud enough again",
    "clipping": "the sound is not clipped any more",
}


@dataclass(frozen=True, slots=True)
class Level:
    """How loud some samples are."""

    rms_dbfs: float = LOWEST_DBFS
    peak_dbfs: float = LOWEST_DBFS


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with the sound has begun, or is over."""

    trouble: Trouble
    begins: bool
    at_sample: int
    """Samples received when it was noticed."""
    message: str
    """For people: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """What counts as trouble.

    Raises:
        OptionError: a time that is not above 0, or a share or level that nothing can reach.
    """

    zeros_s: float = 2.0
    """Seconds of nothing but zeros; some drivers give them between words, so not too few."""
    quiet_s: float = 10.0
    """Seconds without a block louder than `quiet_dbfs`."""
    quiet_dbfs: float = -60.0
    """RMS below which a block counts as quiet. Rooms are at −80 to −60, voices at −40 to −15."""
    clipping_share: float = 0.005
    """Share of the samples of the last second at full scale from which on it counts as clipped."""
    clipping_over_s: float = 3.0
    """Seconds below that share until clipping is over."""

    def __post_init__(self) -> None:
        for name in ("zeros_s", "quiet_s", "clipping_over_s"):
            if not getattr(self, name) > 0:
                raise OptionError(f"{name} {getattr(self, name)}; use seconds above 0")
        if not 0 < self.clipping_share <= 1:
            raise OptionError(f"clipping_share {self.clipping_share}; use a share above 0, up to 1")
        if not LOWEST_DBFS < self.quiet_dbfs <= 0:
            raise OptionError(f"quiet_dbfs {self.quiet_dbfs}; use above {LOWEST_DBFS:g}, up to 0")


def level(samples: NDArray[np.float32]) -> Level:
    """How loud `samples`, float32 (n,), are; the lowest level for none."""
    if not len(samples):
        return Level()
    energy = float(np.dot(samples, samples)) / len(samples)
    peak = float(max(samples.max(), -samples.min()))
    return Level(_dbfs(math.sqrt(energy)), _dbfs(peak))


class HealthWatch:
    """Watches the sound of one source. Not thread-safe; not for the thread that records."""

    def __init__(self, rate_hz: int, limits: HealthLimits | None = None) -> None:
        self.limits = limits or HealthLimits()
        self.level = Level()
        """Of the last whole block."""
        self._rate_hz = rate_hz
        self._block = np.zeros(max(1, seconds_to_samples(BLOCK_S, rate_hz)), np.float32)
        self._filled = 0
        self._received_samples = 0
        self._lasting: set[Trouble] = set()
        self._zeros_samples = 0
        self._quiet_samples = 0
        self._unclipped_samples = 0
        self._clipped: deque[int] = deque(maxlen=round(1 / BLOCK_S))

    @property
    def lasting(self) -> frozenset[Trouble]:
        """What has begun and is not over."""
        return frozenset(self._lasting)

    def feed(self, samples: NDArray[np.float32]) -> list[Finding]:
        """What begins and ends with `samples`, float32 (n,) with n ≥ 0; mostly nothing."""
        findings: list[Finding] = []
        taken = 0
        while taken < len(samples):
            count = min(len(samples) - taken, len(self._block) - self._filled)
            self._block[self._filled : self._filled + count] = samples[taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == len(self._block):
                self._filled = 0
                findings.extend(self._judge(self._block))
        return findings

    def _judge(self, block: NDArray[np.float32]) -> Iterator[Finding]:
        self.level = level(block)
        self._received_samples += len(block)
        yield from self._judge_silence(len(block), has_sound=bool(block.any()))
        yield from self._judge_clipping(block)

    def _judge_silence(self, block_samples: int, *, has_sound: bool) -> Iterator[Finding]:
        limits = self.limits
        is_quiet = self.level.rms_dbfs < limits.quiet_dbfs
        self._zeros_samples = 0 if has_sound else self._zeros_samples + block_samples
        self._quiet_samples = self._quiet_samples + block_samples if is_quiet else 0
        if has_sound:
            yield from self._over("zeros")
        elif self._seconds(self._zeros_samples) >= limits.zeros_s:
            yield from self._begins("zeros")
        if not is_quiet:
            yield from self._over("quiet")
        elif self._seconds(self._quiet_samples) >= limits.quiet_s and "zeros" not in self._lasting:
            yield from self._begins("quiet")

    def _judge_clipping(self, block: NDArray[np.float32]) -> Iterator[Finding]:
        self._clipped.append(int(np.count_nonzero(np.abs(block) >= _FULL_SCALE)))
        # Of a whole second from the start on, or its first loud sample would count for too much.
        share = sum(self._clipped) / (len(block) * (self._clipped.maxlen or 1))
        if share >= self.limits.clipping_share:
            self._unclipped_samples = 0
            yield from self._begins("clipping")
        else:
            self._unclipped_samples += len(block)
            if self._seconds(self._unclipped_samples) >= self.limits.clipping_over_s:
                yield from self._over("clipping")

    def _begins(self, trouble: Trouble) -> Iterator[Finding]:
        if trouble not in self._lasting:
            self._lasting.add(trouble)
            yield Finding(trouble, True, self._received_samples, _BEGINS[trouble])

    def _over(self, trouble: Trouble) -> Iterator[Finding]:
        if trouble in self._lasting:
            self._lasting.remove(trouble)
            yield Finding(trouble, False, self._received_samples, _IS_OVER[trouble])

    def _seconds(self, samples: int) -> float:
        return samples_to_seconds(samples, self._rate_hz)


class PhaseWatch:
    """Watches whether channels cancel each other, as where one is wired the wrong way round."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._samples = 0
        self._channels_energy = 0.0
        self._average_energy = 0.0
        self._told = False

    def feed(self, frames: NDArray[Any], average: NDArray[np.float32]) -> bool:
        """Whether it is sure since these frames, (m, channels), that their average has lost them.

        Frames without sound decide nothing.
        """
        if self._told or not len(average):
            return False
        floats = full_scale_one(frames)
        energy = float(np.mean(np.square(floats, dtype=np.float64)))
        if _dbfs(math.sqrt(energy)) < _SOUND_DBFS:
            return False
        self._samples += len(average)
        self._channels_energy += energy * len(average)
        self._average_energy += float(np.mean(np.square(average, dtype=np.float64))) * len(average)
        if samples_to_seconds(self._samples, self._rate_hz) >= _PHASE_S:
            self._told = self._average_energy < _CANCELLED_SHARE * self._channels_energy
            self._samples, self._channels_energy, self._average_energy = 0, 0.0, 0.0
        return self._told


def _dbfs(amplitude: float) -> float:
    if amplitude <= 0:
        return LOWEST_DBFS
    return max(LOWEST_DBFS, 20 * math.log10(amplitude))
