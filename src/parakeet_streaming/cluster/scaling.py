"""How full each replica is in; how many replicas are wanted, out. Ray calls it, by its name.

Ray copies this file to its controller, so it imports nothing of this package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

FULLNESS: Final = "parakeet_fullness"
"""What each replica tells: the part of what it carries that it carries now."""
_WANTED_FULLNESS: Final = 0.7
"""A replica takes seconds to start, in which callers come, so that one is wanted before all are
full."""
_ROUNDING: Final = 1e-6


def fullness(streams: int, most_streams: int | None, load: float, full_load: float) -> float:
    """The part of what a replica carries that it carries now.

    Args:
        streams: that are open.
        most_streams: that may be; None where what the steps take decides alone.
        load: the part of the time that steps take.
        full_load: the load at which no more streams are let in.
    """
    by_load = load / full_load
    return by_load if most_streams is None else max(by_load, streams / most_streams)


def wanted(fullnesses: Mapping[Any, float], now: int) -> int:
    """So many replicas that each is as full as is wanted; `now` where nothing is known."""
    if not fullnesses:
        return now
    total = sum(fullnesses.values())
    # Of replicas that have told nothing yet it is known that they are new.
    return max(1, math.ceil(total / _WANTED_FULLNESS - _ROUNDING))


def wanted_replicas(context: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
    """Ray's policy: a number of replicas, and nothing to remember. Delays and bounds are Ray's."""
    told = (context.aggregated_metrics or {}).get(FULLNESS, {})
    return wanted(told, context.target_num_replicas), {}
