"""Tries that failed in; how long to wait before the next one, out.

Waits are drawn from 0 up to a bound that doubles ("full jitter"), so that the clients of a server
that went away do not all come back in the same moment.
"""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waits of one client. No clock: it says how long."""

    def __init__(self, first_s: float, most_s: float, draw: Callable[[], float]) -> None:
        """`draw`: gives a number from 0 to 1 at random."""
        self._bound_s, self._most_s = first_s, most_s
        self._draw = draw

    def next_s(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait; never less than what the server asks for."""
        bound_s = min(self._bound_s, self._most_s)
        self._bound_s = 2 * bound_s
        return (retry_after_s or 0.0) + self._draw() * bound_s
