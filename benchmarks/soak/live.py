"""A live engine under callers that come, go, stall, raise and vanish; every promise it broke out.

python -m benchmarks.soak.live                                      half an hour, and the checks
python -m benchmarks.soak.live --minutes 2 --callers 4 --seed 7 --json soak.json

Callers come at random, with random options (context, rate, voice activity, endpointing, range of
delay) and random acts: packets of any size, bursts, stalls, commits; events are read by callbacks,
threads, an event loop, now and then, or by consumers that raise or just stop; some finish, some
cancel, some are dropped without a word. The seed is printed; it fixes the callers.

While it runs, memory and threads are watched. After it every stream is checked (`checks.py` has the
rules): its tokens are compared with those of the same audio alone. The exit code is 1, with the
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
from benchmarks.live.load import Engine
from benchmarks.report.machine import machine, machine_table, refuse_compiled
from benchmarks.report.tables import progress, say, table
from benchmarks.soak.callers import Caller
from benchmarks.soak.checks import Checker, is_unmoved
from benchmarks.soak.cuts import CutRecorder
from benchmarks.soak.process import ProcessSample, growth, left_over, sample_table
from benchmarks.soak.records import CallRecord
from benchmarks.speech.book import BOOK_S, speech_of
from parakeet_streaming import LiveEngine, Recognizer, load, load_vad
from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.errors import CapacityError

_PAUSE_S: Final = 2.0
"""Silence before the book, each time it is read."""
_MOST_RING_S: Final = 30.0
_SAMPLE_S: Final = 1.0
_SAY_S: Final = 30.0


@dataclass
class SoakResult:
    """All records, kept small, so that they do not hide what grows in the engine."""

    samples: list[ProcessSample] = field(default_factory=list)
    refused: int = 0
    _packed: list[bytes] = field(default_factory=list)
    _open: list[CallRecord] = field(default_factory=list)
    """Of callers that vanished; their streams may still give events."""

    @property
    def records(self) -> list[CallRecord]:
        """Of all callers that were let in, in the order of their numbers."""
        ended = [pickle.loads(zlib.decompress(each)) for each in self._packed]
        return sorted([*ended, *self._open], key=lambda record: record.number)

    def keep(self, record: CallRecord) -> None:
        """A caller has gone."""
        if record.outcome is None:
            self._open.append(record)
        else:
            self._packed.append(zlib.compress(pickle.dumps(record)))


class Soak:
    """One thread that acts for all callers."""

    def __init__(
        self,
        engine: Engine,
        recorder: CutRecorder,
        book: NDArray[np.float32],
        clock: Clock,
        seed: int,
        callers: int,
    ) -> None:
        """`callers`: at once, at most and most of the time."""
        self.result = SoakResult()
        self._engine = engine
        self._recorder = recorder
        self._book = book
        self._clock = clock
        self._seed = seed
        self._callers = callers
        self._random = random.Random(seed)
        self._inside: list[tuple[float, int, Caller, Iterator[float]]] = []
        self._readers: list[threading.Thread] = []
        self._number = 0
        self._process = psutil.Process()

    def run(self, seconds: float, loop: asyncio.AbstractEventLoop | None) -> SoakResult:
        """Lets callers come for so long; for those that are inside then, the engine closes."""
        began_s = said_s = sample_s = self._clock.now()
        next_s = began_s
        while (now_s := self._clock.now()) < began_s + seconds:
            if now_s >= next_s:
                next_s = now_s + self._random.expovariate(self._callers / 12)
                if len(self._inside) < self._callers:
                    self._let_in(loop)
            if now_s >= sample_s:
                sample_s = now_s + _SAMPLE_S
                self._sample(now_s - began_s)
            if now_s - said_s >= _SAY_S:
                said_s = now_s
                last = self.result.samples[-1]
                say(f"{now_s - began_s:.0f} s: {self._number} callers, {last}")
            self._act(now_s)
            first_s = self._inside[0][0] if self._inside else next_s
            soon_s = min(first_s, next_s, sample_s, began_s + seconds)
            if soon_s > self._clock.now():
                self._clock.wait_until(soon_s)
        self._engine.close()
        while self._inside:
            self._act(self._clock.now())
            if self._inside and self._inside[0][0] > self._clock.now():
                self._clock.wait_until(self._inside[0][0])
        return self.result

    def _let_in(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._number += 1
        caller = Caller(self._number, self._seed, self._book, self._clock.now, loop)
        call = caller.call(self._engine, self._recorder)
        heapq.heappush(self._inside, (self._clock.now(), self._number, caller, call))

    def _act(self, now_s: float) -> None:
        while self._inside and self._inside[0][0] <= now_s:
            _, number, caller, call = heapq.heappop(self._inside)
            try:
                again_s = next(call, None)
            except CapacityError:
                self.result.refused += 1
                continue
            if again_s is not None:
                heapq.heappush(self._inside, (again_s, number, caller, call))
            elif caller.record is not None:
                self.result.keep(caller.record)
                self._readers += caller.threads

    def _sample(self, at_s: float) -> None:
        self._readers = [thread for thread in self._readers if thread.is_alive()]
        inside = [thread for *_, caller, _ in self._inside for thread in caller.threads]
        # A reader may end between the two counts; it is asked last, so it is counted as gone.
        threads = threading.active_count()
        readers = sum(thread.is_alive() for thread in (*inside, *self._readers))
        self.result.samples.append(
            ProcessSample(
                at_s,
                self._process.memory_info().rss / 2**20,
                self._engine.stats().active_streams,
                threads - readers,
                self._process.num_threads() - threads,
            )
        )


def soak(
    recognizer: Recognizer, book: NDArray[np.float32], seconds: float, seed: int, callers: int
) -> tuple[SoakResult, list[str]]:
    """The whole of it in real time: what happened, and what is left over."""
    recorder = CutRecorder(recognizer)
    engine = LiveEngine(cast("Stepper", recorder), load_vad(), most_ring_s=_MOST_RING_S)
    with _loop() as loop:
        result = Soak(engine, recorder, book, RealClock(), seed, callers).run(seconds, loop)
    del engine
    return result, left_over()


def summary(records: Sequence[CallRecord], refused: int) -> str:
    """What happened, counted."""
    rows = [
        ("streams", len(records)),
        ("refused", refused),
        ("ended", _counts(each.outcome or "vanished" for each in records)),
        ("read by", _counts(each.plan.reading for each in records)),
        ("minutes of audio", f"{sum(each.audio_s for each in records) / 60:.1f}"),
        ("tokens", sum(len(each.tokens) for each in records)),
        ("streams that nothing could move", sum(map(is_unmoved, records))),
        ("of them with voice activity", sum(
            is_unmoved(each) and each.plan.options.vad is not None for each in records
        )),
        ("streams whose chunk grew", sum(
            _grew(each) for each in records
        )),
        ("samples refused", sum(each.refused for each in records)),
    ]  # fmt: skip
    return table(("soak", ""), rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where a promise was broken."""
    asked = _parser().parse_args(arguments)
    refuse_compiled()
    seed = random.SystemRandom().randrange(2**31) if asked.seed is None else asked.seed
    print(f"{machine_table()}\n\nseed {seed}\n", flush=True)
    recognizer = load(asked.model, threads=asked.threads)
    pause = np.zeros(round(_PAUSE_S * 16_000), np.float32)
    book = np.concatenate([pause, speech_of(BOOK_S)])
    result, found = soak(recognizer, book, 60 * asked.minutes, seed, asked.callers)
    found = [*growth(result.samples), *found]
    checker = Checker(recognizer, load_vad(), book)
    records = result.records
    for record in progress(records, "streams checked"):
        found += [f"caller {record.number}: {each}" for each in checker.broken(record)]
    print(f"{summary(records, result.refused)}\n\n{sample_table(result.samples)}\n")
    print("\n".join(found) or "Nothing was broken.")
    if asked.json is not None:
        report = {"machine": asdict(machine()), "seed": seed, "broken": found}
        samples = [asdict(each) for each in result.samples]
        asked.json.write_text(json.dumps(report | {"samples": samples}, indent=1) + "\n")
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


def _grew(record: CallRecord) -> bool:
    chunk_s = record.plan.options.delay.context.chunk
    return any(cut.context.chunk > chunk_s for cut in record.cuts)


def _counts(names: Iterator[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--minutes", type=float, default=30.0, help="default: %(default)g")
    add("--callers", type=int, default=8, help="at once (default: %(default)s)")
    add("--seed", type=int, help="of the callers (default: another one each time)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
