"""A context, bursts and step times in seconds go in; the samples a ring should hold come out.

Rules of this file:

1. A ring has to hold what can arrive between two times that the worker empties it:

   ```
   capacity = rate × (chunk + right + safety × (burst + step))
                      └── window ──┘            └ at once ┘ └ while the worker computes ┘
   ```

   chunk + right is what the first window waits for; the left context is kept by the stream, not by
   the ring. These are known exactly and count once. The burst is what the source hands over at one
   time; the step is everything the worker does before it comes back, so the longest step of all
   streams that share it. Both are measured or guessed, and so count `safety` times.
2. A ring cannot grow: `next_capacity` is for the ring that is made next, for this source or the
   next one like it. It never shrinks a ring; memory is 4 bytes a sample.
3. A worker that is too slow for good needs no larger ring, as any would fill; it needs fewer
   streams or larger chunks. So a ring grows at most fourfold at once, up to a bound.
"""

from __future__ import annotations

import math
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.timeline import ContextConfig, seconds_to_samples

SAFETY: Final = 2.0
MOST_RING_S: Final = 120.0
"""A ring that holds more hides a worker that is too slow."""

_FULL_ENOUGH: Final = 0.75
_AIM: Final = 0.5
_MOST_GROWTH: Final = 4


def ring_capacity(
    context: ContextConfig, *, burst_s: float, step_s: float, safety: float = SAFETY
) -> int:
    """Samples at the context's sample rate that the ring of one stream should hold.

    Args:
        context: its effective chunk and right context count, and its sample rate.
        burst_s: seconds of audio that the source hands over at once: the block of a microphone,
            what a network may hold back and deliver together.
        step_s: seconds that the longest step takes, measured or expected.
        safety: how many times burst and step are provided for, at least 1.

    Raises:
        OptionError: a time below 0 or not finite, or a safety below 1.
    """
    for name, seconds in (("burst_s", burst_s), ("step_s", step_s)):
        if not 0 <= seconds < math.inf:
            raise OptionError(f"{name} {seconds}; use seconds from 0 up")
    if not 1 <= safety < math.inf:
        raise OptionError(f"a safety of {safety} provides for less than is expected; use 1 or more")
    return seconds_to_samples(context.latency_s + safety * (burst_s + step_s), context.sample_rate)


def next_capacity(
    capacity_samples: int,
    *,
    high_water_samples: int,
    refused_samples: int,
    rate_hz: int,
) -> int:
    """Samples that the next ring should hold, by how full the last one was.

    The same where it was never above three quarters full; else as many as make the most that was
    there, and the samples that were refused, half of it.

    Args:
        capacity_samples: what the last ring held.
        high_water_samples: the most that was in it, as `SampleWriter.high_water`.
        refused_samples: what it did not take while open, as `SampleWriter.refused`.
        rate_hz: samples per second; a ring of `MOST_RING_S` or more does not grow.

    Raises:
        OptionError: a capacity below 1, or a count below 0.
    """
    if capacity_samples < 1 or min(high_water_samples, refused_samples) < 0:
        raise OptionError("a ring holds at least 1 sample, and its counts are not below 0")
    if not refused_samples and high_water_samples <= _FULL_ENOUGH * capacity_samples:
        return capacity_samples
    needed = capacity_samples if refused_samples else high_water_samples
    wanted = math.ceil((needed + refused_samples) / _AIM)
    most = max(capacity_samples, seconds_to_samples(MOST_RING_S, rate_hz))
    return min(wanted, _MOST_GROWTH * capacity_samples, most)
