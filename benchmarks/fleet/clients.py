"""How often a client was turned away in; how long it waits before it comes again out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Jitter = Literal["none", "equal", "full"]


@dataclass(frozen=True)
class Backoff:
    """Waits that grow from try to try."""

    first_s: float = 0.5
    """Before the first try again, at most."""
    most_s: float = 15.0
    times: float = 2.0
    jitter: Jitter = "full"
    """full: anything between 0 and the wait; equal: between half of it and all; none: all of it."""

    def wait_s(self, tries: int, told_s: float, drawn: float) -> float:
        """Seconds to wait.

        Args:
            tries: that have failed before.
            told_s: what `Retry-After` said; 0 where nothing was said. It is waited for in any case,
                and the backoff comes on top, so that not all come back at the same moment.
            drawn: a random number from 0 to 1.
        """
        wait_s = min(self.most_s, self.first_s * self.times ** min(tries, 64))
        if self.jitter == "full":
            wait_s *= drawn
        elif self.jitter == "equal":
            wait_s *= (1 + drawn) / 2
        return told_s + wait_s


@dataclass(frozen=True)
class Clients:
    """What all clients do."""

    backoff: Backoff = field(default_factory=Backoff)
    retry_after_s: float = 5.0
    """What a refusal tells them to wait at least; 0 where they do not heed it."""
    resume_retry_after_s: float | None = None
    """The same for streams that were lost; None for no difference."""
    patience_s: float = 30.0
    """For which someone tries to begin a session; 0 for one try."""
    keeps_s: float = 120.0
    """Audio that a client keeps: a stream that is lost for longer has a gap."""
    silent_share: float = 0.2
    """Part of the losses of a replica of which no socket tells, as when its machine is gone."""
    notices_s: tuple[float, float] = (90.0, 110.0)
    """When a client notices such a loss, evenly between: pings each 20 s, 90 s for the answer."""
    checkpoint_every_s: float = 5.0

    def told_s(self, *, lost: bool) -> float:
        """What a refusal says."""
        if lost and self.resume_retry_after_s is not None:
            return self.resume_retry_after_s
        return self.retry_after_s
