"""A context, bursts and step times in seconds go in; the samples a ring should hold come out.

Rules of this file:

1. A ring has to hold what can arrive between two times that the worker empties it:

   ```
   capacity = 16 kHz × (chunk + right + safety × (burst + step))
                        └── window ──┘            └ at once ┘ └ while the worker computes ┘
   ```

   chunk + right is what the first window waits for; the left context is kept by the stream, not by
   the ring. These are known exactly and count once. The burst is what the source hands over at one
   time; the step is everything the worker does before it comes back, so the longest step of all
   streams that share it. Both are measured or guessed, and so count `safety` times.
2. A ring that proves too small is followed by a larger one (`audio_queue.py`), up to `MOST_RING_S`.
   A worker that is too slow for good needs no larger ring, as any would fill; it needs fewer
   streams or larger chunks.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.limits import MOST_BURST_S, check_number
from parakeet_streaming.timeline import ContextConfig, seconds_to_samples

SAFETY: Final = 2.0
_MOST_SAFETY: Final = 10.0
MOST_RING_S: Final = 120.0
"""A ring that holds more hides a worker that is too slow."""


def ring_capacity(
    context: ContextConfig, *, burst_s: float, step_s: float, safety: float = SAFETY
) -> int:
    """Samples at 16 kHz that the ring of one stream should hold.

    Args:
        context: its effective chunk and right context count.
        burst_s: seconds of audio that the source hands over at once: the block of a microphone,
            what a network may hold back and deliver together.
        step_s: seconds that the longest step takes, measured or expected.
        safety: how many times burst and step are provided for, at least 1.

    Raises:
        OptionError: a time or a safety that makes no sense.
    """
    check_number("burst_s", burst_s, 0, MOST_BURST_S, "seconds")
    check_number("step_s", step_s, 0, MOST_BURST_S, "seconds")
    check_number("safety", safety, 1, _MOST_SAFETY)
    return seconds_to_samples(context.latency_s + safety * (burst_s + step_s))
