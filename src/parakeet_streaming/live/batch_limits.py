"""What one step may hold, and when it may be taken: numbers in, checked numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import (
    LEAST_SECONDS,
    MOST_STEP_AUDIO_S,
    MOST_STREAMS,
    check_number,
    check_whole,
)
from parakeet_streaming.timeline import FRAME_S

_LEAST_TICK_S: Final = 0.001
_MOST_DEVICE_AUDIO_S: Final = 3_600.0
"""An hour in one step needs 12 GB for the subsampling alone."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one step may hold.

    Raises:
        OptionError: a limit that would let nothing through.
    """

    max_streams: int = 32
    max_audio_s: float = 240.0
    """Seconds of audio to encode in one step, over all its streams; one stream may always go."""
    hold_s: float = 0.0
    """How long a batch waits for more streams; 0 runs what is ready at once."""
    tick_s: float = 0.0
    """Time between two ticks, for a device: batches are taken at ticks, and streams are spread over
    them. One encoder frame of 80 ms must be whole ticks. 0: there are none."""

    def __post_init__(self) -> None:
        least_s = LEAST_SECONDS
        most = check_whole("max_streams", self.max_streams, 1, MOST_STREAMS)
        object.__setattr__(self, "max_streams", most)
        check_number("max_audio_s", self.max_audio_s, least_s, MOST_STEP_AUDIO_S, "seconds")
        check_number("hold_s", self.hold_s, 0, 1, "second")
        check_number("tick_s", self.tick_s, 0, FRAME_S, "seconds")
        if self.tick_s and (self.tick_s < _LEAST_TICK_S or not _divides_a_frame(self.tick_s)):
            raise OptionError(
                f"tick_s {self.tick_s:g} does not divide an encoder frame of {FRAME_S} s into 1 to "
                "80 ticks; use 0.02"
            )

    @classmethod
    def for_device(cls, max_streams: int = 512) -> Self:
        """For a GPU: large batches of windows of one shape, every 20 ms."""
        return cls(max_streams, _MOST_DEVICE_AUDIO_S, tick_s=0.02)


def _divides_a_frame(tick_s: float) -> bool:
    ticks = FRAME_S / tick_s
    return abs(ticks - round(ticks)) < 1e-6
