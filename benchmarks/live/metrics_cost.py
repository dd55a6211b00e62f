"""What measuring costs in live use: part of a core, and calls a second.

python -m benchmarks.live.metrics_cost                          32 streams for a minute
python -m benchmarks.live.metrics_cost --streams 8 --seconds 10

Streams are paced by the clock and go through `LiveEngine` as it is (`load.py` has the rules). A
stopwatch stands around everything that notes a number: the meters of streams and engine, and every
counter, level and histogram that is written without them. The stopwatch's own time counts too, so
the true cost is lower.
Needs the dependency group `bench`. The table goes to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.live.arrivals import RealClock
from benchmarks.live.load import Load
from benchmarks.report.machine import machine_table, refuse_compiled
from benchmarks.report.tables import say, table
from benchmarks.speech.book import BOOK_S, speech_of
from parakeet_streaming import DelayRange, LiveEngine, LiveOptions, VadOptions, load, load_vad
from parakeet_streaming.live.meter import EngineMeter, StreamMeter
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.metrics.registry import Counter, Gauge
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_NOTING: Final[tuple[tuple[type[Any], tuple[str, ...]], ...]] = (
    (StreamMeter, ("step_done", "reported", "counted")),
    (EngineMeter, ("step_done", "decoded", "streams_stepped", "turned")),
    (Histogram, ("record", "record_all")),
    (Counter, ("add",)),
    (Gauge, ("set",)),
)


@dataclass
class NotingTime:
    """Seconds and calls; what happens inside another call is part of it."""

    seconds: float = 0.0
    calls: int = 0
    inside: bool = False


@contextmanager
def timed_noting(noting: NotingTime) -> Iterator[None]:
    """Puts the stopwatch around everything that notes a number."""
    before = [(owner, name, getattr(owner, name)) for owner, names in _NOTING for name in names]
    for owner, name, method in before:
        setattr(owner, name, _timed(method, noting))
    try:
        yield
    finally:
        for owner, name, method in before:
            setattr(owner, name, method)


def _timed(method: Callable[..., Any], noting: NotingTime) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        if noting.inside:
            return method(*arguments, **options)
        noting.inside = True
        began_s = time.perf_counter()
        try:
            return method(*arguments, **options)
        finally:
            noting.seconds += time.perf_counter() - began_s
            noting.calls += 1
            noting.inside = False

    return timed


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    refuse_compiled()
    print(f"{machine_table()}\n", flush=True)
    delay = DelayRange.parse(asked.context, SAMPLE_RATE_HZ)
    engine = LiveEngine(load(asked.model), load_vad())
    noting = NotingTime()
    try:
        playing = Load(
            engine, LiveOptions(delay, VadOptions()), speech_of(BOOK_S), RealClock(), asked.seed
        )
        let_in = playing.open(asked.streams)
        say(f"{let_in} streams for {asked.seconds:g} s")
        with timed_noting(noting):
            phase = playing.run(asked.seconds)
    finally:
        engine.close(drain=False)
    print(f"`{asked.model}`, context {asked.context}: {let_in} streams.\n")
    row = (
        f"{100 * noting.seconds / phase.took_s:.2f} %",
        f"{noting.calls / phase.took_s:.0f}",
        f"{1e6 * noting.seconds / noting.calls:.1f} µs",
        phase.carried,
    )
    print(table(("of a core", "calls a second", "a call", "streams carried"), [row]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", nargs="?", default="tiny-en", help="folder, name or hub id (default: %(default)s)")
    add("--streams", type=int, default=32, help="default: %(default)s")
    add("--seconds", type=float, default=60.0, help="default: %(default)g")
    add("--context", default="balanced", help="preset or left-chunk-right (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the offsets of the streams")
    return parser


if __name__ == "__main__":
    main()
