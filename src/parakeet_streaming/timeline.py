"""Samples ⇄ feature frames ⇄ encoder frames ⇄ seconds: numbers in, numbers out.

Rules of this file:

1. All arithmetic of time lives here; no other file multiplies by a rate or a stride.
2. Constants derive from each other, and a remainder is an error.
3. Seconds become encoder frames by flooring, with the float expression of NVIDIA NeMo's streaming
   script, so that a context means the same frames here and there.

Units
    sample          1/16000 s     mono float32 in [-1, 1]
    feature frame   160 samples   10 ms, one column of the log-mel spectrogram
    encoder frame   1280 samples  80 ms, one column of the encoder's output

Letters for shapes
    B batch · N samples · T feature frames · F mel bins · U encoder frames · D encoder width
    V vocabulary + blank · K frames scored in one call · L predictor layers · H predictor width
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from parakeet_streaming.errors import ContextError
from parakeet_streaming.limits import in_short

SAMPLE_RATE_HZ: Final = 16_000
HOP_SAMPLES: Final = 160
SUBSAMPLING: Final = 8
FRAME_SAMPLES: Final = HOP_SAMPLES * SUBSAMPLING
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ

# NeMo computes 1 / window_stride, not sample_rate / hop; kept in that form for equal rounding.
_FEATURES_PER_S: Final = 1.0 / (HOP_SAMPLES / SAMPLE_RATE_HZ)

MIN_INPUT_RATE_HZ: Final = 4_000
MAX_INPUT_RATE_HZ: Final = 384_000
MAX_CONTEXT_S: Final = 3_600.0

_NOTATION: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\s*$")


def feature_frames(samples: int) -> int:
    """Valid feature frames of a window of `samples` samples (NeMo ≥ 2.6: no +1)."""
    return samples // HOP_SAMPLES


def encoder_frames(samples: int) -> int:
    """Encoder frames of a window of `samples` samples; the last one may be partly filled."""
    return -(-feature_frames(samples) // SUBSAMPLING)


def floor_to_frames(seconds: float) -> int:
    """Whole encoder frames in `seconds`, truncated exactly as NeMo truncates (0.25 s → 3)."""
    return int(seconds * _FEATURES_PER_S / SUBSAMPLING)


def frames_to_samples(frames: int) -> int:
    return frames * FRAME_SAMPLES


def frames_to_seconds(frames: int) -> float:
    """Seconds of `frames` encoder frames, as near as a float can be, without dust."""
    return frames * FRAME_SAMPLES / SAMPLE_RATE_HZ


def samples_to_seconds(samples: int, rate_hz: int = SAMPLE_RATE_HZ) -> float:
    return samples / rate_hz


def seconds_to_samples(seconds: float, rate_hz: int = SAMPLE_RATE_HZ) -> int:
    return round(seconds * rate_hz)


def milliseconds_to_samples(milliseconds: float, rate_hz: int = SAMPLE_RATE_HZ) -> int:
    return seconds_to_samples(milliseconds / 1000, rate_hz)


def check_sample_rate(rate_hz: int) -> None:
    """Refuses a rate at which no audio can be fed.

    Raises:
        ContextError: not a whole number, or outside 4–384 kHz.
    """
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int):
        raise ContextError(f"sample_rate must be a whole number of Hz, not {in_short(rate_hz)}")
    if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
        raise ContextError(
            f"sample_rate {in_short(rate_hz)} Hz is outside "
            f"{MIN_INPUT_RATE_HZ}–{MAX_INPUT_RATE_HZ} Hz"
        )


@dataclass(frozen=True, slots=True)
class WindowLengths:
    """The lengths of a window's parts, all in one unit."""

    left: int
    chunk: int
    right: int

    @property
    def window(self) -> int:
        """The longest window: left + chunk + right."""
        return self.left + self.chunk + self.right


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """How audio is cut into windows: left context, chunk and right context, in seconds.

    ```
    |······ left ······|··· chunk ···|··· right ···|
     decoded before      decoded now   looked ahead       latency = chunk + right
    ```

    Seconds are floored to encoder frames of 80 ms. `effective` gives what is really used, in
    seconds; `frames` and `samples` give the same in other units.

    Raises:
        ContextError: a negative, endless or absurd length; a chunk of less than one frame; a
            sample rate outside 4–384 kHz.
    """

    left: float = 5.0
    """Seconds of audio before the chunk that the encoder reads again."""
    chunk: float = 0.5
    """Seconds of audio that one step decodes and commits."""
    right: float = 0.5
    """Seconds of look-ahead (right context); text from it is tentative."""
    sample_rate: int = SAMPLE_RATE_HZ
    """Rate of the samples that will be fed, in Hz; anything but 16000 is resampled."""

    def __post_init__(self) -> None:
        for name in ("left", "chunk", "right"):
            seconds = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
                raise ContextError(
                    f"{name} context must be a number of seconds, not {in_short(seconds)}"
                )
            if not 0 <= seconds <= MAX_CONTEXT_S:
                raise ContextError(
                    f"{name} context of {in_short(seconds)} s is impossible; use 0 to "
                    f"{MAX_CONTEXT_S:.0f} s"
                )
        if self.frames.chunk < 1:
            raise ContextError(
                f"a chunk of {self.chunk} s is less than an encoder frame; use at least {FRAME_S} s"
            )
        check_sample_rate(self.sample_rate)

    @property
    def frames(self) -> WindowLengths:
        """In whole encoder frames."""
        return _in_frames(self.left, self.chunk, self.right)

    @property
    def samples(self) -> WindowLengths:
        """In samples at 16 kHz, whatever `sample_rate` is."""
        return _in_samples(self.left, self.chunk, self.right)

    @property
    def effective(self) -> tuple[float, float, float]:
        """Left, chunk and right in seconds after flooring to frames."""
        frames = self.frames
        return (
            frames_to_seconds(frames.left),
            frames_to_seconds(frames.chunk),
            frames_to_seconds(frames.right),
        )

    @property
    def latency_s(self) -> float:
        """Seconds between a sound and its text, without computing: effective chunk + right."""
        frames = self.frames
        return frames_to_seconds(frames.chunk + frames.right)

    def __str__(self) -> str:
        return "-".join(f"{seconds:g}" for seconds in (self.left, self.chunk, self.right))

    @classmethod
    def parse(cls, text: str, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        """A context from a preset's name or from `left-chunk-right` in seconds, such as `10-2-2`.

        Raises:
            ContextError: neither a preset nor three numbers, or an impossible context.
        """
        preset = text.strip().replace("-", "_").lower()
        if preset in PRESETS:
            return cls(*PRESETS[preset], sample_rate=sample_rate)
        match = _NOTATION.match(text)
        if match is None:
            raise ContextError(
                f"{in_short(text)} is no context; write left-chunk-right in seconds, such as "
                "10-2-2, "
                f"or a preset: {', '.join(PRESETS)}"
            )
        left, chunk, right = (float(part) for part in match.groups())
        return cls(left, chunk, right, sample_rate=sample_rate)

    @classmethod
    def ultra_low_latency(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("ultra_low_latency", sample_rate)

    @classmethod
    def low_latency(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("low_latency", sample_rate)

    @classmethod
    def balanced(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("balanced", sample_rate)

    @classmethod
    def high_quality(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("high_quality", sample_rate)

    @classmethod
    def offline_like(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("offline_like", sample_rate)

    @classmethod
    def frame_by_frame(cls, sample_rate: int = SAMPLE_RATE_HZ) -> ContextConfig:
        return cls.parse("frame_by_frame", sample_rate)


@lru_cache(maxsize=256)
def _in_frames(left: float, chunk: float, right: float) -> WindowLengths:
    return WindowLengths(floor_to_frames(left), floor_to_frames(chunk), floor_to_frames(right))


@lru_cache(maxsize=256)
def _in_samples(left: float, chunk: float, right: float) -> WindowLengths:
    frames = _in_frames(left, chunk, right)
    return WindowLengths(
        frames_to_samples(frames.left),
        frames_to_samples(frames.chunk),
        frames_to_samples(frames.right),
    )


PRESETS: Final[dict[str, tuple[float, float, float]]] = {
    "ultra_low_latency": (1.0, 0.1, 0.1),
    "low_latency": (2.0, 0.25, 0.25),
    "balanced": (5.0, 0.5, 0.5),
    "high_quality": (10.0, 1.0, 1.0),
    "offline_like": (10.0, 2.0, 2.0),
    "frame_by_frame": (10.0, 0.16, 3.84),
}
"""Left, chunk and right context in seconds by preset name, in order of latency."""
