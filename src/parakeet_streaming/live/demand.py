"""What streams were seen to use in; what each is to be counted as, in parts of its full cost, out.

Rules of this file:

1. The full cost of a stream is that of full windows, chunk after chunk. A stream is *new* until it
   has decoded as much as its left context holds; its windows were shorter until then.
2. A stream that is not new is counted by its own use since then: chunks that were passed over as
   quiet cost nothing. What it did a minute ago counts less than what it does now, and some of it is
   always taken as full.
3. A new stream may go on for hours, so it is counted as full, until hundreds of streams were seen:
   where most of them end while they are new, as callers with short commands do, as many new
   streams as are usual are counted by what those used.
4. Only audio that was decoded counts as time, so a source that pauses is not taken as cheap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.timeline import ContextConfig

_PRIOR_S: Final = 10.0
"""Seconds of full use that every stream is taken to have had."""
_MEMORY_S: Final = 60.0
_LEARNING: Final = 0.01
"""What one stream that ends, or stays, changes in what is expected of new ones."""
_ROOM: Final = 1.25
"""New streams, in parts of their usual number, that are counted by what is expected of them."""


@dataclass(frozen=True, slots=True)
class StreamCost:
    """What one stream asks for, per second of its own."""

    steps: float
    audio_s: float
    """Seconds of audio that its steps encode."""

    @property
    def chunk_s(self) -> float:
        """Seconds of its own from one step to the next."""
        return 1 / self.steps

    def part(self, part: Part) -> StreamCost:
        """What it asks for where it uses that part."""
        return StreamCost(self.steps * part.steps, self.audio_s * part.audio)


@dataclass(frozen=True, slots=True)
class Part:
    """How much of its full cost a stream uses."""

    steps: float
    audio: float


FULL: Final = Part(1.0, 1.0)


@dataclass(slots=True)
class Use:
    """What one stream has used."""

    new_s: float
    """Seconds that it has to decode until it is not new any more."""
    passed_s: float = 0.0
    steps: float = 0.0
    audio: float = 0.0
    """Both in seconds of full use."""

    @property
    def is_new(self) -> bool:
        return self.new_s > 0

    @property
    def part(self) -> Part:
        """Of its full cost; some full use is added, so that a few seconds say little."""
        all_s = self.passed_s + _PRIOR_S
        steps, audio = (self.steps + _PRIOR_S) / all_s, (self.audio + _PRIOR_S) / all_s
        return Part(steps if steps < 1 else 1.0, audio if audio < 1 else 1.0)

    @property
    def part_alone(self) -> Part:
        """The same, of what was seen alone."""
        if self.passed_s <= 0:
            return Part(0.0, 0.0)
        return Part(min(1.0, self.steps / self.passed_s), min(1.0, self.audio / self.passed_s))

    def stepped(self, cost: StreamCost, audio_s: float, steps: int = 1) -> None:
        """Steps that encoded so much, where `cost` is the full one."""
        self.steps += steps / cost.steps
        self.audio += audio_s / cost.audio_s

    def passed(self, seconds: float) -> bool:
        """So much more was decoded, or passed over as quiet; whether it was new until now."""
        self.passed_s += seconds
        if self.new_s > 0:
            self.new_s -= seconds
            if self.new_s > 0:
                return False
            # Its windows are full from now on.
            self.passed_s = self.steps = self.audio = 0.0
            return True
        kept = math.exp(-seconds / _MEMORY_S)
        self.passed_s *= kept
        self.steps *= kept
        self.audio *= kept
        return False


class Newcomers:
    """What is expected of streams that are new."""

    def __init__(self) -> None:
        self.part = FULL
        """What streams that are new will use in the end, on the average."""
        self.usual = 0.0
        """How many are new when one of them ends."""

    def stayed(self) -> None:
        """A stream is not new any more."""
        self._learn(FULL)

    def ended(self, part: Part, new: int) -> None:
        """A stream that was new has ended, with so many new ones open."""
        self._learn(part)
        self.usual += _LEARNING * 10 * (new - self.usual)

    def counted(self, new: int) -> Part:
        """What each of so many new ones is counted as, on the average."""
        if not new:
            return FULL
        known = min(1.0, _ROOM * self.usual / new)
        part = self.part
        return Part(1 - known * (1 - part.steps), 1 - known * (1 - part.audio))

    def _learn(self, part: Part) -> None:
        before = self.part
        self.part = Part(
            before.steps + _LEARNING * (part.steps - before.steps),
            before.audio + _LEARNING * (part.audio - before.audio),
        )


def cost_of(context: ContextConfig, *, cached: bool) -> StreamCost:
    """What a stream of that context asks for; a cached one encodes no left context again."""
    left, chunk, right = context.effective
    return StreamCost(1 / chunk, ((0.0 if cached else left) + chunk + right) / chunk)
