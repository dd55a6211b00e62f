"""When a driver recorded each block in; the samples that are missing before a block, out."""

from __future__ import annotations

from typing import Final

_LEAST_S: Final = 0.01
"""The clocks of drivers are not finer than that."""
_LEAST_UNTOLD_S: Final = 0.5
"""The same where the driver does not say that it dropped something."""


class DroppedSound:
    """Follows one device's blocks. No clock: times are those of the driver."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._due_s = 0.0
        """When the next block should begin; 0 where that is not known."""

    def before(self, began_s: float, samples: int, *, overflow: bool) -> int:
        """Samples that are missing before a block.

        Args:
            began_s: when its first sample was recorded; 0 from a driver that does not say.
            samples: how many it has.
            overflow: whether the driver says that sound before it was dropped.
        """
        late_s = began_s - self._due_s if self._due_s > 0 and began_s > 0 else 0.0
        # Where nothing was dropped the clocks may drift: a block is due after the one before.
        self._due_s = began_s + samples / self._rate_hz if began_s > 0 else 0.0
        least_s = _LEAST_S if overflow else _LEAST_UNTOLD_S
        return round(late_s * self._rate_hz) if late_s >= least_s else 0
