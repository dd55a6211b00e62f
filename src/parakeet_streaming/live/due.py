"""A window that is ready, and when, in; when its events are due out.

A window is due a chunk after it is complete; one that ends an utterance at once, since somebody
waits for it, though its stream may have had a window a moment ago. The next one counts from a chunk
later in any case: a source that hands over much at once, or commits all the time, may not keep out
those that come in real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(slots=True)
class Due:
    """A window that waits for its step."""

    lookahead_end: int
    """Position after its last sample."""
    complete_s: float
    """When that sample had arrived, on the producer's clock."""
    deadline_s: float
    """When its events are due."""
    next_s: float
    """When the next window is complete, a chunk later."""
    audio_s: float
    """What its step encodes."""
    ends: bool
    """Whether the end of an utterance waits for it."""
    known_s: float = 0.0
    """When it was known that it is not the last, by the sample after it; where more than a chunk
    waits after it, when it was complete."""

    @classmethod
    def of(
        cls,
        *,
        lookahead_end: int,
        complete_s: float,
        begin_s: float,
        chunk_s: float,
        audio_s: float,
        ends: bool,
        known_s: float = 0.0,
    ) -> Self:
        """A window that counts from `begin_s` on, when it was complete or later."""
        next_s = begin_s + chunk_s
        deadline_s = max(complete_s, begin_s - chunk_s) if ends else next_s
        return cls(lookahead_end, complete_s, deadline_s, next_s, audio_s, ends, known_s)
