"""How long each step of a stream had to wait in; the context its next windows are cut by, out.

Rules of this file:

1. Only the chunk changes: larger chunks mean fewer steps, so less encoding, and later text. Left
   and right context, and with them the quality of the text, stay.
2. It grows quickly, when steps start later than a chunk after their audio was there, and shrinks
   slowly, when they have long been in time and the smaller chunk would leave some of the time free.
   A tenth of the time is enough: streams that were carried before others came get their chunks back
   when those have gone.
3. A chunk that had to grow again soon after it shrank waits twice as long before the next time:
   where the smaller one does not fit, it is tried ever more seldom.
4. Never beyond the user's bounds. No clock: waits and loads are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import check_number
from parakeet_streaming.timeline import FRAME_S, MAX_CONTEXT_S, ContextConfig

MOST_LOAD_TO_SHRINK: Final = 0.9
"""Part of the time steps may take with the smaller chunk; growing begins where nothing is left."""
_LATE_STEPS: Final = 2
_IN_TIME: Final = 0.25
"""Part of a chunk that a step may wait and still be in time."""
_IN_TIME_S: Final = 8.0
"""Audio decoded in time, one step after the other, before the chunk shrinks."""
_MOST_IN_TIME_S: Final = 128.0
"""The same at most, where shrinking was tried in vain."""

MOST_GROWTH: Final = 4
"""How many times its own length a chunk may reach under load, where nothing else is chosen."""


@dataclass(frozen=True, slots=True)
class DelayRange:
    """The context of a stream when there is room, and how far its chunk may grow when there is not.

    Raises:
        OptionError: the longest chunk is no length, or below the context's own chunk.
    """

    context: ContextConfig
    longest_chunk: float
    """Seconds; the context's own chunk for a stream that is never adapted."""

    def __post_init__(self) -> None:
        most_s = MOST_GROWTH * MAX_CONTEXT_S
        check_number("longest_chunk", self.longest_chunk, 0, most_s, "seconds")
        if self.longest_chunk < self.context.chunk:
            raise OptionError(
                f"longest_chunk {self.longest_chunk:g} s is below the chunk of {self.context}; "
                "give at least that"
            )

    @classmethod
    def fixed(cls, context: ContextConfig) -> DelayRange:
        """A stream whose context never changes."""
        return cls(context, context.chunk)

    @classmethod
    def growing(cls, context: ContextConfig) -> DelayRange:
        """A stream whose chunk may grow to `MOST_GROWTH` times its length."""
        return cls(context, MOST_GROWTH * context.chunk)

    @classmethod
    def parse(cls, text: str, sample_rate: int) -> DelayRange:
        """A growing range from a preset's name or from `left-chunk-right` in seconds.

        Raises:
            ContextError: as in `ContextConfig.parse`.
        """
        return cls.growing(ContextConfig.parse(text, sample_rate))

    def levels(self, longest_window_s: float) -> tuple[ContextConfig, ...]:
        """Contexts from the shortest chunk to the longest, each twice the one before.

        Args:
            longest_window_s: what the model can take.
        """
        contexts = [self.context]
        room_s = longest_window_s - self.context.left - self.context.right
        longest_s = min(self.longest_chunk, room_s)
        while contexts[-1].chunk + FRAME_S <= longest_s:
            chunk_s = min(2 * contexts[-1].chunk, longest_s)
            contexts.append(replace(self.context, chunk=chunk_s))
        return tuple(contexts)


class Adapter:
    """Which of its contexts one stream uses. Not thread-safe."""

    def __init__(self, levels: Sequence[ContextConfig], chunk_s: float | None = None) -> None:
        """`levels`: contexts of the same left and right, by rising chunk.

        Args:
            levels: the contexts to choose from.
            chunk_s: chunk of the context to begin with, as near as there is one; None for the
                smallest.
        """
        self._levels = tuple(levels)
        self._level = 0
        if chunk_s is not None:
            apart = [abs(context.chunk - chunk_s) for context in self._levels]
            self._level = apart.index(min(apart))
        self._late = 0
        self._in_time_s = 0.0
        self._patience_s = _IN_TIME_S
        self._tries = False

    @property
    def context(self) -> ContextConfig:
        return self._levels[self._level]

    @property
    def widest(self) -> ContextConfig:
        """The context of the least cost."""
        return self._levels[-1]

    @property
    def lower(self) -> ContextConfig | None:
        """The context that shrinking would choose."""
        return self._levels[self._level - 1] if self._level else None

    @property
    def is_fixed(self) -> bool:
        """Whether there is one context alone."""
        return len(self._levels) == 1

    def stepped(self, waited_s: float, load_if_lower: float) -> ContextConfig | None:
        """Takes note of a step; the context from here on, if it changes.

        Args:
            waited_s: between the moment its audio was there and the moment the step began.
            load_if_lower: part of the time that all steps would take if this stream shrank.
        """
        chunk_s = self.context.chunk
        self._late = self._late + 1 if waited_s > chunk_s else 0
        self._in_time_s = self._in_time_s + chunk_s if waited_s <= _IN_TIME * chunk_s else 0.0
        if self._late >= _LATE_STEPS and self._level + 1 < len(self._levels):
            return self._grown()
        if self._in_time_s < self._patience_s:
            return None
        if self._tries:
            # What was tried does fit.
            self._tries, self._patience_s = False, _IN_TIME_S
        return self._shrunk() if self._level and load_if_lower <= MOST_LOAD_TO_SHRINK else None

    def _grown(self) -> ContextConfig:
        if self._tries:
            self._patience_s = min(2 * self._patience_s, _MOST_IN_TIME_S)
        self._tries = False
        return self._moved(+1)

    def _shrunk(self) -> ContextConfig:
        self._tries = True
        return self._moved(-1)

    def _moved(self, by: int) -> ContextConfig:
        self._level += by
        self._late, self._in_time_s = 0, 0.0
        return self.context
