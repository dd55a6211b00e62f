"""Both rings between two threads for a while; what was lost, doubled, torn or out of order, out.

python -m benchmarks.soak.rings                             ten seconds for each ring
PYTHON_GIL=0 python3.14t -m benchmarks.soak.rings           without a GIL: threads really overlap

It needs nothing but numpy. Run by a Python that was built with `--disable-gil
--with-thread-sanitizer` it also reports every two accesses that nothing orders: with
`TSAN_OPTIONS=halt_on_error=1` before it, the first one ends it with an exit code. The sanitizer
sees numpy's own copies where numpy was built with it too.

Rules of this file:

1. The writer writes counting numbers, in pieces of random lengths; the reader must read just those,
   in order, in pieces of random lengths. Both look at what the other side counts.
2. Now and then a side pauses, so that the ring is full, or empty, for a while.
3. Every second the writer closes the ring and a new one begins; what was in it must still be read.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SOURCE: Final = Path(__file__).parents[2] / "src" / "parakeet_streaming"
_ROUND_S: Final = 1.0
_TURNS: Final = 1_000
"""Between two pauses of a side."""
_NUMBERS: Final = 1 << 24
"""float32 has so many whole numbers."""


Put = Callable[[int, int], tuple[int, int]]
"""Writes numbers from one on, at most so many: how many were taken, of how many that were tried."""
Get = Callable[[int, int], tuple[int, bool]]
"""Reads at most so many numbers, from one on: how many came, and whether they were right."""


@dataclass
class Side:
    """What one side did and noticed."""

    ring: Any
    lots: Sequence[int]
    """Lengths of its pieces, over and over."""
    moved: int = 0
    refused: int = 0
    wrong: str = ""

    def turns(self, pause_s: float) -> Iterator[int]:
        """The most to move, turn by turn; a pause now and then."""
        for turn in count():
            yield self.lots[turn % len(self.lots)]
            if not 0 <= self.ring.occupancy <= self.ring.capacity:
                self.wrong = f"occupancy {self.ring.occupancy} of {self.ring.capacity}"
            if turn % _TURNS == 0:
                time.sleep(pause_s)

    def write(self, put: Put, until_s: float) -> None:
        """Writes until it is time, or the reader has gone."""
        for most in self.turns(1e-3):
            taken, tried = put(self.moved, most)
            self.moved, self.refused = self.moved + taken, self.refused + tried - taken
            if self.ring.closed or time.monotonic() > until_s:
                break
        self.ring.close()

    def read(self, get: Get) -> None:
        """Reads until the ring has ended."""
        for most in self.turns(2e-3):
            ended = self.ring.ended
            came, right = get(self.moved, most)
            self.moved += came
            if not right:
                self.wrong = f"what came after number {self.moved} is wrong"
            if ended or self.wrong:
                break
        self.ring.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a ring broke its contract."""
    asked = _parser().parse_args(arguments)
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"Python {sys.version.split()[0]}, {'with' if gil else 'without'} a GIL")
    rings, wrong = _rings(), ""
    for name, each in (("samples", _samples), ("values", _values)):
        made = carried = refused = 0
        until_s = time.monotonic() + asked.seconds
        while not wrong and time.monotonic() < until_s:
            writer, reader = each(rings, random.Random(asked.seed + made))
            wrong = _wrong(writer, reader)
            made += 1
            carried, refused = carried + reader.moved, refused + writer.refused
        print(f"{name}: {made} rings, {carried} carried, {refused} refused")
    print(wrong or "nothing was lost, doubled, torn or out of order")
    return int(bool(wrong))


def _rings() -> Any:
    """`audio/ring.py`, without what the package imports: few libraries run without a GIL."""
    package = ModuleType("parakeet_streaming")
    package.__path__ = [str(_SOURCE)]
    sys.modules[package.__name__] = package
    from parakeet_streaming.audio import ring

    return ring


def _samples(rings: Any, chance: random.Random) -> tuple[Side, Side]:
    writer, reader = rings.sample_ring(chance.choice((1, 7, 160, 1_021, 16_000)))

    def put(first: int, most: int) -> tuple[int, int]:
        return writer.write(_counted(first, most)), most

    def get(first: int, most: int) -> tuple[int, bool]:
        came = reader.read(most)
        return len(came), np.array_equal(came, _counted(first, len(came)))

    return _through(writer, reader, put, get, chance)


def _counted(first: int, numbers: int) -> NDArray[np.float32]:
    return (np.arange(first, first + numbers) % _NUMBERS).astype(np.float32)


def _values(rings: Any, chance: random.Random) -> tuple[Side, Side]:
    writer, reader = rings.value_ring(chance.choice((1, 2, 101, 1_024)))

    def put(first: int, most: int) -> tuple[int, int]:
        for at in range(most):
            if not writer.write((first + at, str(first + at))):
                return at, at + 1
        return most, most

    def get(first: int, most: int) -> tuple[int, bool]:
        for at in range(most):
            if (value := reader.read()) is None:
                return at, True
            if value != (first + at, str(first + at)):
                return at, False
        return most, True

    return _through(writer, reader, put, get, chance)


def _through(
    writer: Any, reader: Any, put: Put, get: Get, chance: random.Random
) -> tuple[Side, Side]:
    """What both sides of a ring say after a while."""
    longest = 2 * writer.capacity
    sides = [
        Side(end, [chance.randint(1, longest) for _ in range(997)]) for end in (writer, reader)
    ]
    thread = Thread(target=sides[0].write, args=(put, time.monotonic() + _ROUND_S))
    thread.start()
    sides[1].read(get)
    thread.join()
    return sides[0], sides[1]


def _wrong(writer: Side, reader: Side) -> str:
    if writer.wrong or reader.wrong:
        return writer.wrong or reader.wrong
    if not reader.moved == writer.moved == reader.ring.taken:
        return f"{writer.moved} were taken, {reader.ring.taken} counted, {reader.moved} came"
    if writer.refused != reader.ring.refused:
        return f"{writer.refused} were refused, {reader.ring.refused} counted"
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, default=0, help="of lengths and capacities")
    return parser


if __name__ == "__main__":
    sys.exit(main())
