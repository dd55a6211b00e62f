"""What the host does for each stream and step in front of a device: processor time of its threads.

python -m benchmarks.live.host                         1,000 streams at 2-0.25-0.25, cached
python -m benchmarks.live.host --streams 4000 --vad none --profile 40

Streams of a real `LiveEngine` stand before a device that sleeps for as long as an H100 would
compute (`sleeping_device.py`), and are fed in real time by one thread, in packets of 80 ms of int16.
Counted is the processor time of the engine's one thread, divided by streams and steps; what the
device's own book-keeping takes of it is shown apart, and so is what the feeding thread takes. The
goal is 30 µs: half a core for 4,000 streams with a step each in 0.24 s.
Needs the dependency group `bench`. Tables go to standard output, progress to standard error.

Rules of this file:

1. Nothing counts until left contexts are full.
2. How late a text is counts from the moment at which the last sample of its window was pushed. The
   feeding thread may be late itself, where streams are more than it can feed: that is shown, too.
3. A profile changes what it measures: its numbers are parts, not times.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import json
import pstats
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.sleeping_device import ScheduledVoice, SleepingDevice, Texts
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from parakeet_streaming import (
    BatchLimits,
    ContextConfig,
    DelayRange,
    Event,
    LiveEngine,
    LiveOptions,
    LiveStream,
    Partial,
    Recognizer,
    VadOptions,
)
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

GOAL_US: Final = 30.0
WORKER: Final = "parakeet-live"
PACKET_S: Final = 0.08
_PACKETS: Final = 64
_MOST_REST_S: Final = 0.002
"""The feeding thread sleeps at most so long, and then pushes all that is due."""


@dataclass(frozen=True)
class Case:
    """What is measured."""

    streams: int
    context: str = "2-0.25-0.25"
    cached: bool = True
    vad: bool = False
    seconds: float = 10.0
    batch: int = 512

    @property
    def options(self) -> LiveOptions:
        """Of each stream."""
        delay = DelayRange.fixed(ContextConfig.parse(self.context))
        return LiveOptions(delay, VadOptions() if self.vad else None, cached=self.cached)


@dataclass(frozen=True)
class HostCost:
    """What one case has shown; times in microseconds are the processor's."""

    streams: int
    steps: int
    """Of streams, in all."""
    batch: float
    """Streams of a step, on the average."""
    worker_us: float
    """Of the engine's thread, for each stream and step, the device's own part left out."""
    device_us: float
    """What the device's book-keeping takes of that thread beside it."""
    worker_share: float
    """Of a core, both."""
    push_us: float
    """Of the feeding thread, for each packet."""
    push_late_s: float
    """How late it was at most."""
    late_s: tuple[float, ...]
    """Of texts: median, 95 %, 99 %."""

    @property
    def streams_on_half_a_core(self) -> float:
        """How many would take half a core, at the same rate of steps."""
        return self.streams * 0.5 / (self.worker_share or 1e-9)


@dataclass
class Listener:
    """Takes events in the engine's thread."""

    counts: bool = False
    late_s: list[float] = field(default_factory=list)
    profile: cProfile.Profile | None = None

    def take(self, event: Event) -> None:
        """Notes how late a step's text is; switches the profile on and off in its own thread."""
        if type(event) is Partial:
            if self.counts and event.timing is not None:
                self.late_s.append(event.timing.lag_s)
            if self.profile is not None and not self.counts:
                self.profile.disable()
                self.profile = None


class Feeder:
    """One thread that feeds all streams in real time."""

    def __init__(self, streams: Sequence[LiveStream]) -> None:
        self.pushed = 0
        self.latest_s = 0.0
        self._streams = streams
        drawn = np.random.default_rng(1)
        noise = drawn.normal(0, 1_000, (_PACKETS, round(PACKET_S * SAMPLE_RATE_HZ)))
        self._packets: list[NDArray[np.int16]] = list(noise.astype(np.int16))
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def __enter__(self) -> Feeder:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.thread.join()

    def _run(self) -> None:
        """Streams begin one after the other over the time of a packet."""
        streams, packets, count = self._streams, self._packets, len(self._streams)
        began_s, apart_s = time.perf_counter(), PACKET_S / len(self._streams)
        while not self._stop.is_set():
            passed_s = time.perf_counter() - began_s
            due = int(passed_s / apart_s)
            if due <= self.pushed:
                time.sleep(min(_MOST_REST_S, (self.pushed + 1) * apart_s - passed_s))
                continue
            self.latest_s = max(self.latest_s, passed_s - self.pushed * apart_s)
            for number in range(self.pushed, due):
                streams[number % count].push(packets[number % _PACKETS])
            self.pushed = due


def cpu_s(thread: threading.Thread) -> float:
    """Processor time of a thread so far."""
    assert thread.ident is not None, "a thread that has begun"
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def measure(case: Case, profile: cProfile.Profile | None = None) -> HostCost:
    """Runs one case."""
    device, voice, listener = SleepingDevice(), ScheduledVoice(), Listener()
    recognizer = Recognizer(device, Texts(), name="sleeping")
    threads = set(threading.enumerate())
    engine = LiveEngine(
        recognizer,
        voice if case.vad else None,
        most_streams=case.streams,
        limits=BatchLimits(case.batch, max_audio_s=86_400.0),
    )
    (worker,) = (each for each in threading.enumerate() if each not in threads)
    options = case.options
    try:
        streams = [engine.open(options, listener.take) for _ in range(case.streams)]
        context = options.context
        gc.collect()
        gc.freeze()
        with Feeder(streams) as feeder:
            time.sleep(context.left + context.latency_s + 2 * context.chunk)
            if profile is not None:
                _profile_from(streams[0], listener, profile)
            listener.counts, feeder.latest_s = True, 0.0
            before = _Counts.of(device, voice, worker, feeder)
            time.sleep(case.seconds)
            after = _Counts.of(device, voice, worker, feeder)
            listener.counts = False
            time.sleep(2 * context.chunk)
    finally:
        engine.close(drain=False)
        gc.unfreeze()
    return _cost(case, before, after, listener, feeder)


@dataclass(frozen=True)
class _Counts:
    at_s: float
    calls: int
    rows: int
    own_s: float
    worker_s: float
    feeder_s: float
    pushed: int

    @classmethod
    def of(
        cls,
        device: SleepingDevice,
        voice: ScheduledVoice,
        worker: threading.Thread,
        feeder: Feeder,
    ) -> _Counts:
        """All of them now."""
        own_s = device.own_s + voice.own_s
        times = (own_s, cpu_s(worker), cpu_s(feeder.thread))
        return cls(time.perf_counter(), device.calls, device.rows, *times, feeder.pushed)


def _cost(
    case: Case, before: _Counts, after: _Counts, listener: Listener, feeder: Feeder
) -> HostCost:
    rows, calls = after.rows - before.rows, max(1, after.calls - before.calls)
    own_s, worker_s = after.own_s - before.own_s, after.worker_s - before.worker_s
    pushed, each = max(1, after.pushed - before.pushed), 1e6 / max(1, rows)
    late_s = np.quantile(listener.late_s or [np.nan], (0.5, 0.95, 0.99))
    return HostCost(
        streams=case.streams,
        steps=rows,
        batch=rows / calls,
        worker_us=each * (worker_s - own_s),
        device_us=each * own_s,
        worker_share=worker_s / (after.at_s - before.at_s),
        push_us=1e6 * (after.feeder_s - before.feeder_s) / pushed,
        push_late_s=feeder.latest_s,
        late_s=tuple(float(each) for each in late_s),
    )


def _profile_from(stream: LiveStream, listener: Listener, profile: cProfile.Profile) -> None:
    """Switches a profile on in the engine's thread, which alone can do so for itself."""
    listener.profile = profile
    take = listener.take
    begun = threading.Event()

    def begin(event: Event) -> None:
        if not begun.is_set():
            begun.set()
            profile.enable()
        take(event)

    listener.counts = True
    task = stream._task
    task.on_event = begin
    begun.wait(10)


def parts(profile: cProfile.Profile, steps: int, most: int) -> str:
    """Time of each file, and of the longest functions, for each stream and step."""
    told = io.StringIO()
    stats = pstats.Stats(profile, stream=told)
    by_file: dict[str, float] = {}
    rows: list[tuple[float, int, str]] = []
    for (path, _, name), (_, calls, own_s, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        file = "/".join(Path(path).parts[-2:]) if "/" in path else "built in"
        by_file[file] = by_file.get(file, 0.0) + own_s
        rows.append((own_s, calls, f"{file}: {name}"))
    files = sorted(by_file.items(), key=lambda each: -each[1])[:most]
    return "\n\n".join(
        (
            table(("file", "µs"), [(name, f"{1e6 * s / steps:.1f}") for name, s in files]),
            table(
                ("function", "µs", "calls"),
                [
                    (name, f"{1e6 * own_s / steps:.1f}", f"{calls / steps:.1f}")
                    for own_s, calls, name in sorted(rows, reverse=True)[:most]
                ],
            ),
        )
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    print(f"{machine_table()}\n", flush=True)
    found: dict[str, HostCost] = {}
    for vad in {"both": (False, True), "none": (False,), "only": (True,)}[asked.vad]:
        name = "with voice activity" if vad else "all of it decoded"
        say(f"{asked.streams} streams, {name}")
        case = Case(
            asked.streams, asked.context, not asked.windows, vad, asked.seconds, asked.batch
        )
        profile = cProfile.Profile() if asked.profile else None
        found[name] = cost = measure(case, profile)
        if profile is not None:
            print(f"{name}:\n\n{parts(profile, cost.steps, asked.profile)}\n", flush=True)
    mode = "windows" if asked.windows else "cached"
    print(f"Context {asked.context}, {mode}; goal: {GOAL_US:g} µs for each stream and step.\n")
    print(_table(found))
    if asked.json:
        told = {"machine": machine()} | {name: asdict(each) for name, each in found.items()}
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


def _table(found: dict[str, HostCost]) -> str:
    head = (
        "streams that say something",
        "number",
        "in a step",
        "host, µs",
        "device's book-keeping, µs",
        "of a core",
        "on half a core",
        "a push, µs",
        "pushes late, ms",
        "texts late, ms: p50",
        "p95",
        "p99",
    )
    rows = [
        (
            name,
            each.streams,
            f"{each.batch:.0f}",
            f"{each.worker_us:.1f}",
            f"{each.device_us:.1f}",
            percent(each.worker_share),
            f"{each.streams_on_half_a_core:.0f}",
            f"{each.push_us:.1f}",
            f"{1000 * each.push_late_s:.0f}",
            *(f"{1000 * late_s:.0f}" for late_s in each.late_s),
        )
        for name, each in found.items()
    ]
    return table(head, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--streams", type=int, default=1_000, help="default: %(default)s")
    add("--seconds", type=float, default=10.0, help="that count (default: %(default)g)")
    add("--context", default="2-0.25-0.25", help="preset or left-chunk-right")
    add("--windows", action="store_true", help="whole windows in place of cached streams")
    add("--vad", choices=("both", "none", "only"), default="both", help="with voice activity")
    add("--batch", type=int, default=512, help="streams of a step, at most (default: %(default)s)")
    add("--profile", type=int, default=0, metavar="N", help="show the N longest parts")
    add("--json", type=Path, metavar="FILE", help="write all of it there, too")
    return parser


if __name__ == "__main__":
    main()
