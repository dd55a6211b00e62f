"""A case in; what the host took for each stream and step of it, and how late texts were, out.

Rules of this file:

1. Nothing counts until left contexts are full.
2. How late a text is counts from the moment at which the last sample of its window was pushed. The
   feeding thread may be late itself, where streams are more than it can feed: that is shown, too.
3. A profile changes what it measures: its numbers are parts, not times.
"""

from __future__ import annotations

import cProfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.live.sleeping_device import ScheduledVoice, SleepingDevice, Texts
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

PACKET_S: Final = 0.08
_PACKETS: Final = 64
ROUNDS: Final = 3
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


def packets() -> list[NDArray[np.int16]]:
    """Packets of noise; what they are changes nothing."""
    drawn = np.random.default_rng(1)
    noise = drawn.normal(0, 1_000, (_PACKETS, round(PACKET_S * SAMPLE_RATE_HZ)))
    return list(noise.astype(np.int16))


class Feeder:
    """One thread that feeds all streams in real time."""

    def __init__(self, streams: Sequence[LiveStream]) -> None:
        self.pushed = 0
        self.latest_s = 0.0
        self._streams = streams
        self._packets = packets()
        self._stop = threading.Event()
        self.thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def __enter__(self) -> Feeder:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.thread.join()

    def _run(self) -> None:
        """Packets of streams come one after the other; streams begin in one of three rounds."""
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
                turn, at = divmod(number, count)
                if turn >= at % ROUNDS:
                    streams[at].push(packets[number % _PACKETS])
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
        limits=BatchLimits.for_device(case.batch),
    )
    (worker,) = (each for each in threading.enumerate() if each not in threads)
    options = case.options
    try:
        streams = [engine.open(options, listener.take) for _ in range(case.streams)]
        context = options.context
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
