"""A recognizer and a seed in; hundreds of streams that come and go, each checked to be as alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Recognizer, Stream

CONTEXTS = ("2-0.5-0.5", "1-0.24-0.56", "3-1.12-0.24", "0-0.4-0", "3-0.56-0.08", "5-0.5-0.5")
_JOINING = 60
_PIECE_SAMPLES = 12_000


@dataclass
class Member:
    """One stream of a crowd."""

    stream: Stream
    samples: NDArray[np.float32]
    turn: int
    """In which it comes."""
    taken: int = 0

    def hears(self, count: int) -> None:
        """Takes some more samples; behind the last ones it ends."""
        self.stream.push(self.samples[self.taken : self.taken + count])
        self.taken += count
        if self.taken >= len(self.samples):
            self.stream.end()


def check_a_crowd(
    recognizer: Recognizer,
    speech: Sequence[NDArray[np.float32]],
    *,
    count: int,
    seed: int,
    cached: bool = False,
) -> int:
    """Lets `count` streams in at random turns; gives how many tokens all of them had.

    Each has a context, a part of `speech` and a pace of its own, and must give the tokens and the
    tentative text of every step that it gives alone.
    """
    generator = np.random.default_rng(seed)
    members, alone = [], []
    for _ in range(count):
        context = ContextConfig.parse(str(generator.choice(CONTEXTS)))
        whole = speech[int(generator.integers(len(speech)))]
        first = int(generator.integers(0, len(whole) // 2))
        samples = whole[first : first + int(generator.integers(100, 32_000))]
        single = recognizer.stream(context, cached=cached)
        alone.append(_plain([*single.feed(samples), *single.finish()]))
        turn = int(generator.integers(0, _JOINING))
        members.append(Member(recognizer.stream(context, cached=cached), samples, turn))
    together = _together(recognizer, members, generator)
    for at, (found, expected) in enumerate(zip(together, alone, strict=True)):
        assert _plain(found) == expected, f"stream {at}"
    return sum(len(member.stream.tokens) for member in members)


def _together(
    recognizer: Recognizer, members: Sequence[Member], generator: np.random.Generator
) -> list[list[object]]:
    events: list[list[object]] = [[] for _ in members]
    turn = 0
    while not all(member.stream.closed for member in members):
        inside = [
            at for at, each in enumerate(members) if each.turn <= turn and not each.stream.closed
        ]
        for at in inside:
            if members[at].taken < len(members[at].samples):
                members[at].hears(int(generator.integers(1, _PIECE_SAMPLES)))
        stepped = recognizer.step([members[at].stream for at in inside])
        for at, given in zip(inside, stepped, strict=True):
            events[at] += given
        turn += 1
    return events


def _plain(events: Sequence[object]) -> list[object]:
    """Events without confidences, whose last bits may differ from batch to batch."""
    told: list[object] = []
    for event in events:
        tokens, tentative = getattr(event, "tokens", ()), getattr(event, "tentative", ())
        told.append((type(event), [_spoken(each) for each in (tokens, tentative)]))
    return told


def _spoken(tokens: Sequence[object]) -> list[tuple[object, ...]]:
    names = ("id", "start_frame", "duration_frames")
    return [tuple(getattr(token, name) for name in names) for token in tokens]
