"""All that belongs to one live stream, wherever it lives: producer, worker, consumer.

Who may change what stands at each field. Any thread may look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from parakeet_streaming.live.meter import Meter
from parakeet_streaming.live.outbox import Outbox
from parakeet_streaming.live.seat import Seat
from parakeet_streaming.live.wire import Inlet
from parakeet_streaming.results import Event
from parakeet_streaming.timeline import ContextConfig

Outcome = Literal["finished", "cancelled", "failed"]


@dataclass(slots=True, eq=False)
class Guest:
    """One stream at the table: its producer's end, the worker's side, its consumer."""

    inlet: Inlet
    seat: Seat
    outbox: Outbox
    meter: Meter
    on_event: Callable[[Event], None] | None = None
    """Takes the events in place of the outbox; runs in the worker's thread."""
    cancelled: bool = False
    """Set by any thread, as `asked` is."""
    asked: bool = False
    """Whether the caller wants something that is no audio; the worker clears it."""
    changed: bool = True
    """Whether what is due must be looked at again; the worker's own, as all that follows."""
    waiting: bool = False
    """Whether the scheduler has it."""
    outcome: Outcome | None = None
    """How it ended."""
    error: BaseException | None = None
    """What ended it before its time."""

    def rate(self, context: ContextConfig) -> float:
        """Seconds of audio it has encoded per second of its own, with that context."""
        left, chunk, right = context.effective
        return ((0.0 if self.seat.stream.options.cached else left) + chunk + right) / chunk
