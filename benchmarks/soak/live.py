"""A live engine under callers who come, go, stall, raise and vanish; every promise it broke out.

python benchmarks/soak.py                                      half an hour, and a while to judge
python benchmarks/soak.py --minutes 2 --crowd 4 --seed 7 --json soak.json

Callers come at random, with random options (context, rate, voice activity, endpointing, range of
delay) and random whims: packets of any size, bursts, stalls, pauses, commits; events are read by
callbacks, threads, an event loop, now and then, or by consumers that raise or just stop; some
finish, some cancel, some are dropped without a word. The seed is printed; it fixes the callers.

While it runs, memory and threads are watched. Behind it every stream is judged (`judging.py` has
the rules): its text is compared with that of the same audio alone. The exit code is 1, with the
reasons, where a promise was broken.
Needs the dependency group `bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import pickle
import random
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, cast

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.live.arrivals import Clock, RealClock
from benchmarks.live.speakers import Engine
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import progress, say, table
from benchmarks.soak.callers import Visitor
from benchmarks.soak.checks import Judge, is_unmoved
from benchmarks.soak.cuts import Witness
from benchmarks.soak.process import Look, broken_as_a_whole, left_behind, look_table
from benchmarks.soak.records import Story
from benchmarks.speech.book import speech_of
from parakeet_streaming import LiveEngine, Recognizer, load, load_vad
from parakeet_streaming.errors import CapacityError

_BOOK_S: Final = 45.0
_PAUSE_S: Final = 2.0
"""Silence in front of the book, each time it is heard."""
_MOST_RING_S: Final = 30.0
_LOOK_S: Final = 1.0
_SAY_S: Final = 30.0


@dataclass
class Soaked:
    """What became of it all, kept small: what grows here would hide what grows there."""

    looks: list[Look] = field(default_factory=list)
    not_let_in: int = 0
    _packed: list[bytes] = field(default_factory=list)
    _open: list[Story] = field(default_factory=list)
    """Of callers that vanished; their streams may still tell something."""

    @property
    def stories(self) -> list[Story]:
        """Of all callers that were let in, in the order of their numbers."""
        ended = [pickle.loads(zlib.decompress(each)) for each in self._packed]
        return sorted([*ended, *self._open], key=lambda story: story.number)

    def keep(self, story: Story) -> None:
        """A caller has gone."""
        if story.outcome is None:
            self._open.append(story)
        else:
            self._packed.append(zlib.compress(pickle.dumps(story)))


class Soak:
    """One thread that acts for all callers."""

    def __init__(
        self,
        engine: Engine,
        witness: Witness,
        book: NDArray[np.float32],
        clock: Clock,
        seed: int,
        crowd: int,
    ) -> None:
        """`crowd`: callers at once, at most and most of the time."""
        self.soaked = Soaked()
        self._engine = engine
        self._witness = witness
        self._book = book
        self._clock = clock
        self._seed = seed
        self._crowd = crowd
        self._whims = random.Random(seed)
        self._inside: list[tuple[float, int, Visitor, Iterator[float]]] = []
        self._readers: list[threading.Thread] = []
        self._number = 0
        self._process = psutil.Process()

    def run(self, seconds: float, loop: asyncio.AbstractEventLoop) -> Soaked:
        """Lets them come for so long; those who are inside then see the engine close."""
        began_s = said_s = look_s = self._clock.now()
        next_s = began_s
        while (now_s := self._clock.now()) < began_s + seconds:
            if now_s >= next_s:
                next_s = now_s + self._whims.expovariate(self._crowd / 12)
                if len(self._inside) < self._crowd:
                    self._welcome(loop)
            if now_s >= look_s:
                look_s = now_s + _LOOK_S
                self._look(now_s - began_s)
            if now_s - said_s >= _SAY_S:
                said_s = now_s
                last = self.soaked.looks[-1]
                say(f"{now_s - began_s:.0f} s: {self._number} callers, {last}")
            self._act(now_s)
            first_s = self._inside[0][0] if self._inside else next_s
            soon_s = min(first_s, next_s, look_s, began_s + seconds)
            if soon_s > self._clock.now():
                self._clock.wait_until(soon_s)
        self._engine.close()
        while self._inside:
            self._act(self._clock.now())
            if self._inside and self._inside[0][0] > self._clock.now():
                self._clock.wait_until(self._inside[0][0])
        return self.soaked

    def _welcome(self, loop: asyncio.AbstractEventLoop) -> None:
        self._number += 1
        visitor = Visitor(self._number, self._seed, self._book, self._clock.now, loop)
        visit = visitor.visit(self._engine, self._witness)
        heapq.heappush(self._inside, (self._clock.now(), self._number, visitor, visit))

    def _act(self, now_s: float) -> None:
        while self._inside and self._inside[0][0] <= now_s:
            _, number, visitor, visit = heapq.heappop(self._inside)
            try:
                again_s = next(visit, None)
            except CapacityError:
                self.soaked.not_let_in += 1
                continue
            if again_s is not None:
                heapq.heappush(self._inside, (again_s, number, visitor, visit))
            elif visitor.story is not None:
                self.soaked.keep(visitor.story)
                self._readers += visitor.threads

    def _look(self, at_s: float) -> None:
        self._readers = [thread for thread in self._readers if thread.is_alive()]
        inside = [thread for *_, visitor, _ in self._inside for thread in visitor.threads]
        # A reader may end between the two counts; it is asked last, so it is counted as gone.
        threads = threading.active_count()
        readers = sum(thread.is_alive() for thread in (*inside, *self._readers))
        self.soaked.looks.append(
            Look(
                at_s,
                self._process.memory_info().rss / 2**20,
                self._engine.stats().active_streams,
                threads - readers,
                self._process.num_threads() - threads,
            )
        )


def soak(
    recognizer: Recognizer, book: NDArray[np.float32], seconds: float, seed: int, crowd: int
) -> tuple[Soaked, list[str]]:
    """The whole of it in real time: what happened, and what is left behind."""
    witness = Witness(recognizer)
    engine = LiveEngine(cast("Recognizer", witness), load_vad(), most_ring_s=_MOST_RING_S)
    with _loop() as loop:
        soaked = Soak(engine, witness, book, RealClock(), seed, crowd).run(seconds, loop)
    del engine
    return soaked, left_behind()


def summary(stories: Sequence[Story], not_let_in: int) -> str:
    """What happened, counted."""
    rows = [
        ("streams", len(stories)),
        ("not let in", not_let_in),
        ("ended", _counts(each.outcome or "vanished" for each in stories)),
        ("read by", _counts(each.manner.reading for each in stories)),
        ("minutes of audio", f"{sum(each.audio_s for each in stories) / 60:.1f}"),
        ("tokens", sum(len(each.heard) for each in stories)),
        ("streams that nothing could move", sum(map(is_unmoved, stories))),
        ("of them with voice activity", sum(
            is_unmoved(each) and each.manner.options.vad is not None for each in stories
        )),
        ("streams whose chunk grew", sum(
            _grew(each) for each in stories
        )),
        ("samples refused", sum(each.refused for each in stories)),
    ]  # fmt: skip
    return table(("soak", ""), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a promise was broken."""
    asked = _parser().parse_args(arguments)
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    print(f"{machine_table()}\n\nseed {seed}\n", flush=True)
    recognizer = load(asked.model, threads=asked.threads)
    pause = np.zeros(round(_PAUSE_S * 16_000), np.float32)
    book = np.concatenate([pause, speech_of(_BOOK_S)])
    soaked, found = soak(recognizer, book, 60 * asked.minutes, seed, asked.crowd)
    found = [*broken_as_a_whole(soaked.looks), *found]
    judge = Judge(recognizer, load_vad(), book)
    stories = soaked.stories
    for story in progress(stories, "streams judged"):
        found += [f"caller {story.number}: {each}" for each in judge.broken(story)]
    print(f"{summary(stories, soaked.not_let_in)}\n\n{look_table(soaked.looks)}\n")
    print("\n".join(found) or "Nothing was broken.")
    if asked.json is not None:
        told = {"machine": asdict(machine()), "seed": seed, "broken": found}
        looks = [asdict(each) for each in soaked.looks]
        asked.json.write_text(json.dumps(told | {"looks": looks}, indent=1) + "\n")
    return int(bool(found))


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="loop")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _grew(story: Story) -> bool:
    chunk_s = story.manner.options.delay.context.chunk
    return any(cut.context.chunk > chunk_s for cut in story.cuts)


def _counts(names: Iterator[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--minutes", type=float, default=30.0, help="default: %(default)g")
    add("--crowd", type=int, default=8, help="callers at once (default: %(default)s)")
    add("--seed", type=int, help="of the callers (default: another one each time)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
