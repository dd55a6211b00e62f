"""What streams cost that say nothing, and how quickly many joins are decided.

python -m benchmarks.live.idle                       1,000 streams, 20 s for each case
python -m benchmarks.live.idle --streams 100 --seconds 5

Open and without audio: the processor time of the process, as part of one core; the goal is below
2 % for 1,000 streams. With digital silence in real time, in packets of 100 ms, without voice
activity and with it: whatever it is; what the pushing thread takes of it is shown too. A burst of
joins: 1,000 calls of
`open` at once, total and longest, where all are let in and where most are refused, by a fixed
bound or because the measured load is full; the goal is below 0.2 s in total.
Needs the dependency group `bench`. The tables go to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.live.arrivals import RATE_HZ, Clock, RealClock
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.speech.book import speech_of
from parakeet_streaming import (
    ContextConfig,
    DelayRange,
    LiveEngine,
    LiveOptions,
    LiveStream,
    Recognizer,
    VadOptions,
    load,
    load_vad,
)
from parakeet_streaming.errors import CapacityError

IDLE_GOAL: Final = 0.02
"""Part of one core."""
JOINS_GOAL_S: Final = 0.2
PACKET_S: Final = 0.1
_SETTLE_S: Final = 1.0
_REST_S: Final = 0.002
"""The pushing thread sleeps at least so long, and then pushes all that is due."""


@dataclass(frozen=True)
class Idle:
    """Streams that are open and say nothing."""

    name: str
    streams: int
    seconds: float
    core_share: float
    """Processor time of the process by time."""
    pushing_share: float
    """Of which the thread took that pushes."""
    backlog_s: float
    """The greatest of all streams at the end."""


@dataclass(frozen=True)
class Joins:
    """A burst of calls of `open`."""

    name: str
    calls: int
    let_in: int
    total_s: float
    longest_s: float


@dataclass(frozen=True)
class CpuShare:
    """Processor time by time while something ran."""

    process: float
    thread: float
    """Of which this thread."""
    took_s: float


def cpu_share(act: Callable[[], None]) -> CpuShare:
    """The processor time of this process, and of this thread, while `act` runs."""
    began_s = time.perf_counter(), time.process_time(), time.thread_time()
    act()
    ended_s = time.perf_counter(), time.process_time(), time.thread_time()
    took_s, process_s, thread_s = (end - begin for begin, end in zip(began_s, ended_s, strict=True))
    return CpuShare(process_s / took_s, thread_s / took_s, took_s)


def without_audio(recognizer: Recognizer, streams: int, seconds: float) -> Idle:
    """Streams that are open and get nothing."""
    say(f"{streams} streams without audio")
    with _engine(recognizer, streams) as engine:
        opened = _opened(engine, streams, vad=False)
        time.sleep(_SETTLE_S)
        share = cpu_share(lambda: time.sleep(seconds))
        return _idle("no audio", engine, opened, share)


def with_silence(recognizer: Recognizer, streams: int, seconds: float, *, vad: bool) -> Idle:
    """Streams that get digital silence in real time."""
    name = "digital silence, " + ("with voice activity" if vad else "all of it decoded")
    say(f"{streams} streams: {name}")
    with _engine(recognizer, streams) as engine:
        opened = _opened(engine, streams, vad=vad)
        push_silence(opened, _SETTLE_S, RealClock())
        share = cpu_share(lambda: push_silence(opened, seconds, RealClock()))
        return _idle(name, engine, opened, share)


def push_silence(streams: Sequence[LiveStream], seconds: float, clock: Clock) -> None:
    """Pushes a packet of silence into each stream as it is due; streams are due one by one."""
    packet = np.zeros(round(PACKET_S * RATE_HZ), np.float32)
    began_s = clock.now()
    pushed, apart_s = 0, PACKET_S / len(streams)
    while (passed_s := clock.now() - began_s) < seconds:
        if passed_s < pushed * apart_s:
            clock.wait_until(began_s + pushed * apart_s + _REST_S)
            continue
        streams[pushed % len(streams)].push(packet)
        pushed += 1


def _idle(name: str, engine: LiveEngine, opened: Sequence[LiveStream], share: CpuShare) -> Idle:
    backlog_s = engine.stats().backlog_s
    return Idle(name, len(opened), share.took_s, share.process, share.thread, backlog_s)


def burst(name: str, engine: LiveEngine, calls: int) -> Joins:
    """Calls `open` as fast as it can be done."""
    options = _options(vad=True)
    opened: list[LiveStream] = []
    took_s = []
    for _ in range(calls):
        began_s = time.perf_counter()
        with suppress(CapacityError):
            opened.append(engine.open(options))
        took_s.append(time.perf_counter() - began_s)
    return Joins(name, calls, len(opened), sum(took_s), max(took_s))


def bursts(recognizer: Recognizer, calls: int) -> Iterator[Joins]:
    """Bursts of joins where all are let in, and where most are refused."""
    for name, most in (("all let in", calls), (f"at most {calls // 10}", calls // 10)):
        say(f"{calls} joins: {name}")
        with _engine(recognizer, most) as engine:
            yield burst(name, engine, calls)
    say(f"{calls} joins: full by its load")
    with _engine(recognizer, None) as engine:
        # From the steps of one stream the engine learns what a stream costs.
        stream = engine.open(_options(vad=True))
        stream.push(speech_of(10.0))
        stream.finish()
        for _ in stream:
            pass
        yield burst("as many as the measured load allows", engine, calls)


def idle_table(found: Sequence[Idle]) -> str:
    """One row per case."""
    rows = [
        (each.name, each.streams, f"{each.seconds:.0f} s", percent(each.core_share),
         percent(each.pushing_share), f"{each.backlog_s:.2f} s")
        for each in found
    ]  # fmt: skip
    head = (
        "silent streams", "streams", "for", "of one core", "of it pushing", "backlog: most",
    )  # fmt: skip
    return table(head, rows)


def join_table(found: Sequence[Joins]) -> str:
    """One row per burst."""
    rows = [
        (each.name, each.calls, each.let_in, f"{1000 * each.total_s:.1f} ms",
         f"{1000 * each.longest_s:.2f} ms")
        for each in found
    ]  # fmt: skip
    return table(("a burst of joins", "calls", "let in", "in total", "longest"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    recognizer = load(asked.model, threads=asked.threads)
    joins = list(bursts(recognizer, asked.streams))
    idle = [
        without_audio(recognizer, asked.streams, asked.seconds),
        with_silence(recognizer, asked.streams, asked.seconds, vad=False),
        with_silence(recognizer, asked.streams, asked.seconds, vad=True),
    ]
    print(f"{idle_table(idle)}\n\n{join_table(joins)}\n")
    slowest_s = max(each.total_s for each in joins)
    print(
        f"Without audio {percent(idle[0].core_share)} of a core (goal: below {IDLE_GOAL:.0%}); "
        f"joins within {slowest_s:.3f} s (goal: below {JOINS_GOAL_S:g} s)."
    )
    if asked.json is not None:
        report = {
            "machine": asdict(machine()),
            "idle": [asdict(each) for each in idle],
            "joins": [asdict(each) for each in joins],
        }
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _engine(recognizer: Recognizer, most_streams: int | None) -> Iterator[LiveEngine]:
    engine = LiveEngine(recognizer, load_vad(), most_streams=most_streams)
    # Comes back when it is known what steps take, so that no call of `open` waits for that.
    asyncio.run(engine.__aenter__())
    try:
        yield engine
    finally:
        engine.close(drain=False)


def _opened(engine: LiveEngine, streams: int, *, vad: bool) -> list[LiveStream]:
    options = _options(vad=vad)
    # A callback that drops events, so that none pile up.
    return [engine.open(options, lambda _: None) for _ in range(streams)]


def _options(*, vad: bool) -> LiveOptions:
    delay = DelayRange.fixed(ContextConfig.balanced())
    return LiveOptions(delay, VadOptions() if vad else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--streams", type=int, default=1000, help="and calls of a burst (default: %(default)s)")
    add("--seconds", type=float, default=20.0, help="of each case (default: %(default)g)")
    add("--threads", type=int, help="of the encoder (default: one per core)")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    main()
