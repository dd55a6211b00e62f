"""What a step of the cached encoder does with one window, in numbers; for the host and the device.

```
log-mels of the window   | left: known ··············· | ahead: known ·· | fresh ········· |
                                                       ^ the chunk begins
log-mels of the samples                                           | lead | fresh ········· |
```
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor

from parakeet_streaming.model.features import SPOILT_BEFORE_CUT
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SUBSAMPLING
from parakeet_streaming.torch_runtime.device_past import DevicePast, RingSize, slot_of
from parakeet_streaming.torch_runtime.slots import Slot

FACTS: Final = 16
"""Numbers of a row for the device."""


@dataclass(frozen=True, slots=True)
class StepRow:
    """What a step does with one window, in numbers."""

    past: DevicePast
    samples: Floats
    """Those that log-mels must still be computed of."""
    lead: int
    """Log-mels of them that were known."""
    fresh: int
    """And those that were not."""
    left: int
    """Log-mels of the window before its chunk."""
    ahead: int
    """And those from there on that were known."""
    heard: int
    length: int
    """Encoder frames of the step."""
    chunk: int
    """And those of its chunk."""
    kept_frames: int
    """Most frames of the past after the step."""

    @property
    def new(self) -> int:
        """Feature frames of chunk and right context."""
        return self.ahead + self.fresh

    @property
    def stored(self) -> int:
        """Frames of the chunk that are kept."""
        return min(self.chunk, self.kept_frames)

    def numbers(self, size: RingSize, convolved: int) -> tuple[int, ...]:
        """For the device, in the order of `Told`."""
        past, room = self.past, size.log_mels
        assert past.ring is not None
        return (
            self.samples.shape[0],
            self.lead,
            self.fresh,
            (past.log_mels + self.ahead) % room,
            (past.log_mels - self.left) % room,
            self.left,
            self.new,
            self.heard,
            SUBSAMPLING if self.left >= SUBSAMPLING else 0,
            past.ring.number,
            past.frames % size.frames,
            past.filled,
            self.chunk,
            self.stored,
            slot_of(past.convolved),
            convolved,
        )

    def past_after(self, convolved: Slot) -> DevicePast:
        """What is kept after the step has written it."""
        past = self.past
        total = self.left + self.new
        chunk_end = min(self.left + self.chunk * SUBSAMPLING, total)
        return DevicePast(
            ring=past.ring,
            convolved=convolved,
            frames=past.frames + self.chunk,
            filled=min(past.filled + self.chunk, self.kept_frames),
            log_mels=past.log_mels - self.left + chunk_end,
            before=chunk_end,
            ahead=total - SPOILT_BEFORE_CUT - chunk_end,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """The numbers of `StepRow` on the device, (B, 1) each; a row of zeros is none."""

    size: Tensor
    lead: Tensor
    fresh: Tensor
    fresh_at: Tensor
    window_at: Tensor
    left: Tensor
    new: Tensor
    heard: Tensor
    look_back: Tensor
    ring: Tensor
    frames: Tensor
    filled: Tensor
    chunk: Tensor
    stored: Tensor
    convolved: Tensor
    next_convolved: Tensor
