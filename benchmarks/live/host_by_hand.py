"""A case in; what the loop costs, turned by hand in one thread under a clock of its own, out.

Rules of this file:

1. Nothing sleeps: the device's sleep moves the clock, and so does waiting. What the host computes
   takes no time by that clock, so lateness here is that of the schedule alone.
2. Each turn of speech and pause is counted for itself, and the cheapest counts: what else a machine
   does can only make one dearer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from benchmarks.live.host_trial import PACKET_S, ROUNDS, Case, HostCost, Listener, packets
from benchmarks.live.sleeping_device import PERIOD_S, ScheduledVoice, SleepingDevice, Texts
from parakeet_streaming import BatchLimits, Recognizer
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.ingest import AudioIngest
from parakeet_streaming.live.loop import StreamLoop
from parakeet_streaming.live.opening import StreamOpener

_REST_S: Final = 0.002
"""The clock moves on by so much where there is nothing to do."""


@dataclass
class Clock:
    """Seconds that pass where somebody waits."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds


class Turned:
    """An engine without its thread, and its streams."""

    def __init__(self, case: Case) -> None:
        self.clock = clock = Clock()
        self.device, self.voice = SleepingDevice(sleep=clock.wait), ScheduledVoice()
        self.listener = Listener(counts=True)
        self.worker_s = self.push_s = 0.0
        self.pushed = 0
        limits = BatchLimits.for_device(case.batch)
        recognizer = Recognizer(self.device, Texts(), name="sleeping")
        voice = self.voice if case.vad else None
        admission: Admission[str] = Admission(case.streams, batch_streams=case.batch)
        self._loop = StreamLoop(recognizer, voice, clock, lambda: None, admission, limits)
        opener = StreamOpener(self._loop, recognizer, voice, clock, 60.0)
        opened = [opener.open(case.options, self.listener.take) for _ in range(case.streams)]
        self._ingests = [cast(AudioIngest, task.ingest) for task in opened]
        self._packets = packets()
        self._began_s = clock()

    @property
    def own_s(self) -> float:
        """Processor time of the device's own book-keeping."""
        return self.device.own_s + self.voice.own_s

    def run(self, seconds: float) -> None:
        """Pushes and turns for so long, by its clock."""
        clock, ends_s = self.clock, self.clock() + seconds
        while clock() < ends_s:
            began_s = time.thread_time()
            self._push()
            pushed_s = time.thread_time()
            again_s = self._loop.turn(clock())
            self.worker_s += time.thread_time() - pushed_s
            self.push_s += pushed_s - began_s
            if again_s is None or again_s > clock():
                clock.wait(_REST_S)

    def _push(self) -> None:
        count = len(self._ingests)
        due = int((self.clock() - self._began_s) * count / PACKET_S)
        for number in range(self.pushed, due):
            turn, at = divmod(number, count)
            if turn >= at % ROUNDS:
                self._ingests[at].push(self._packets[number % len(self._packets)])
        self.pushed = due


def measure_by_hand(case: Case) -> HostCost:
    """Runs one case; its seconds are those of the clock."""
    turned, context = Turned(case), case.options.context
    turned.run(context.left + context.latency_s + 2 * context.chunk)
    turned.listener.late_s.clear()
    found = [_period(case, turned) for _ in range(max(1, round(case.seconds / PERIOD_S)))]
    return min(found, key=lambda each: each.worker_us)


def _period(case: Case, turned: Turned) -> HostCost:
    device, listener = turned.device, turned.listener
    before = (device.rows, device.calls, turned.own_s, turned.pushed)
    turned.worker_s = turned.push_s = 0.0
    turned.run(PERIOD_S)
    rows, calls = max(1, device.rows - before[0]), max(1, device.calls - before[1])
    own_s, pushed = turned.own_s - before[2], max(1, turned.pushed - before[3])
    return HostCost(
        streams=case.streams,
        steps=rows,
        batch=rows / calls,
        worker_us=1e6 * (turned.worker_s - own_s) / rows,
        device_us=1e6 * own_s / rows,
        worker_share=turned.worker_s / PERIOD_S,
        push_us=1e6 * turned.push_s / pushed,
        push_late_s=0.0,
        late_s=tuple(float(each) for each in np.quantile(listener.late_s, (0.5, 0.95, 0.99))),
    )
