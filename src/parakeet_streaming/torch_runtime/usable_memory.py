"""What a device has free in; what of it streams may keep, beside what steps need, out.

Rules of this file:

1. Memory is left for what steps need in passing: an eighth of the device, or what the largest steps
   that were made ready are reckoned to need. What torch has idle for them is taken off.
2. Whoever may not wait asks for what was so a moment ago: a device is asked a few times in a second
   at most, and again when something has grown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import torch

from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_runtime import devices

_FOR_STEPS: Final = 8
"""One part in so many of a device is left for steps,"""
_LEAST_FOR_STEPS: Final = 32
"""and one in so many however much torch has idle."""
_ASKED_EVERY_S: Final = 0.25
_AT_ONCE: Final = 3
"""Tensors of the largest size of a step that are there together, rounded up."""


class UsableMemory:
    """The memory of one device. Any thread."""

    def __init__(self, device: torch.device, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds; for tests."""
        self._device = device
        self._clock = clock
        self._largest_step = 0
        self._known: tuple[float, int | None] | None = None

    def steps_need(self, step_bytes: int) -> None:
        """There will be steps that need so much in passing."""
        self._largest_step = max(self._largest_step, step_bytes)
        self._known = None

    def now(self) -> int | None:
        """Bytes that streams may have more than they have; None where nothing bounds them."""
        memory = devices.memory_of(self._device)
        if memory is None:
            return None
        for_steps = max(memory.total // _FOR_STEPS, self._largest_step) - memory.idle
        return max(0, memory.free - max(for_steps, memory.total // _LEAST_FOR_STEPS))

    def lately(self) -> int | None:
        """The same, perhaps of a moment ago."""
        now_s, known = self._clock(), self._known
        if known is None or now_s - known[0] >= _ASKED_EVERY_S:
            self._known = known = (now_s, self.now())
        return known[1]

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
