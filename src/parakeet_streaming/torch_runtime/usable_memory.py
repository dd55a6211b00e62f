"""What a device has free in; what of it streams may keep, beside what steps need, out.

Rules of this file:

1. Memory is left for what steps need in passing: an eighth of the device, or what the largest steps
   that were made ready are reckoned to need. What torch has idle for them is taken off.
2. To ask a device takes longer than most of what is done with the answer. Whoever asks often gets
   what was so a moment ago: the device is asked when something has grown, and now and then.
"""

from __future__ import annotations

from typing import Final

import torch

from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_runtime import devices

_FOR_STEPS: Final = 8
"""One part in so many of a device is left for steps,"""
_LEAST_FOR_STEPS: Final = 32
"""and one in so many however much torch has idle."""
_ANSWERS: Final = 64
"""Answers that one question to the device is good for."""
_AT_ONCE: Final = 3
"""Tensors of the largest size of a step that are there together, rounded up."""


class UsableMemory:
    """The memory of one device. Any thread."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._largest_step = 0
        self._known: int | None = None
        self._answers = 0

    def steps_need(self, step_bytes: int) -> None:
        """There will be steps that need so much in passing."""
        self._largest_step = max(self._largest_step, step_bytes)
        self._known = None

    def now(self) -> int | None:
        """Bytes that streams may have more than they have; None where nothing bounds them."""
        memory = devices.memory_of(self._device)
        self._known, self._answers = None, 0
        if memory is not None:
            for_steps = max(memory.total // _FOR_STEPS, self._largest_step) - memory.idle
            least = memory.total // _LEAST_FOR_STEPS
            self._known = max(0, memory.free - max(for_steps, least))
        return self._known

    def lately(self) -> int | None:
        """The same, perhaps of a moment ago."""
        known, self._answers = self._known, self._answers + 1
        return self.now() if known is None or self._answers > _ANSWERS else known

    def grew(self) -> None:
        """Something that streams keep has grown: what lay elsewhere before is free."""
        devices.give_back(self._device)
        self._known = None


def step_bytes(config: EncoderConfig, rows: int, features: int, value_bytes: int) -> int:
    """What an encoder needs in passing for rows of so many feature frames, reckoned.

    The first convolution's output is by far the largest of all that it makes.
    """
    values = config.subsampling_channels * -(-features // 2) * -(-config.mel_bins // 2)
    return _AT_ONCE * rows * values * value_bytes
