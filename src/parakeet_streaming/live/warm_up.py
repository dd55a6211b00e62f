"""A recognizer and voice activity in; what steps of several kinds take on this machine, out.

Steps of the streams to come are made ready before, where a model can do that: on a GPU, graphs are
captured.

Rules of this file:

1. Nobody has spoken yet when an engine has to say how many streams it can carry. So steps of
   silence are run: one stream and several, short windows and long ones.
2. The first step of all is not counted: it may compile. Of the others of one kind the shortest
   counts, as whatever else this machine does can only make a step longer.
3. One measurement is made at a time, while no stream needs the worker, or while somebody waits for
   the last of them. On a fast machine all take a fraction of a second. On a slow one they end after
   a few seconds with what was measured until then.
4. What goes wrong here is left to the streams: they meet the same error, and report it.
5. Steps are made ready before there is any stream: even the first one waits for that.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.timed_step import run_step
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds, seconds_to_samples

_LOG: Final = logging.getLogger("parakeet_streaming.live")

KINDS: Final = ((1, 0.96), (3, 0.96), (1, 3.84), (3, 3.84))
"""Streams and seconds of their windows."""
_ENOUGH_S: Final = 1.0
"""After that no kind is measured again."""
_MOST_S: Final = 4.0
"""After that no other kind is measured."""
_ROUNDS: Final = 3
_FRAMES: Final = 8

StepTook = Callable[[float, float, int], None]
"""Takes seconds of audio, seconds that their step took, and its streams."""


class WarmUp:
    """What has to be measured before a second stream is let in. The worker's, but for `wait`."""

    def __init__(
        self,
        stepper: Stepper,
        vad: VoiceActivity | None,
        clock: Callable[[], float],
        step_took: StepTook,
        vad_took: Callable[[float, float], None],
        preparing: Iterator[None] | None = None,
    ) -> None:
        """`step_took` and `vad_took` take what was measured; `preparing` makes steps ready."""
        self.wanted = False
        """Whether anybody waits for it; any thread."""
        self._stepper = stepper
        self._vad = vad
        self._clock = clock
        self._step_took, self._vad_took = step_took, vad_took
        self._over = threading.Event()
        self._preparing = preparing
        self._prepared = threading.Event()
        if preparing is None:
            self._prepared.set()
        self._measurements = self._measure()

    @property
    def over(self) -> bool:
        """Whether nothing is left to measure."""
        return self._over.is_set()

    @property
    def prepares(self) -> bool:
        """Whether steps are still to be made ready."""
        return not self._prepared.is_set()

    def go_on(self) -> None:
        """Makes one step ready, or one measurement."""
        try:
            next(self._measurements, None)
        except Exception as error:
            _LOG.warning("what steps take could not be measured before the streams: %r", error)
            self._over.set()

    def run(self) -> None:
        """Makes all of them."""
        while not self.over:
            self.go_on()

    def give_up(self) -> None:
        """Measures no more."""
        self._prepared.set()
        self._over.set()

    def wait(self, rouse: Callable[[], None]) -> None:
        """Waits until nothing is left to measure; `rouse` wakes the worker. Any other thread."""
        self.wanted = True
        rouse()
        self._over.wait()

    def wait_for_steps(self, rouse: Callable[[], None]) -> None:
        """Waits until steps are ready. Any other thread."""
        self.wanted = True
        rouse()
        self._prepared.wait()

    def _measure(self) -> Iterator[None]:
        yield from self._prepare()
        yield from self._measure_steps()
        vad = self._vad
        if vad is not None:
            yield from self._measure_vad(vad)
        self._over.set()

    def _prepare(self) -> Iterator[None]:
        if self._preparing is None:
            return
        try:
            yield from self._preparing
        except Exception as error:
            _LOG.warning("steps could not be made ready before the streams: %r", error)
        self._prepared.set()

    def _measure_steps(self) -> Iterator[None]:
        stepper = self._stepper
        longest_s = samples_to_seconds(stepper.max_window_samples)
        kinds = [(streams, window_s) for streams, window_s in KINDS if window_s <= longest_s]
        shortest_s: dict[tuple[int, float], float] = {}
        spent_s = self._step(*kinds[0]) if kinds else 0.0
        for number in range(_ROUNDS):
            for kind in kinds:
                yield
                if spent_s > (_MOST_S if number == 0 else _ENOUGH_S):
                    break
                took_s = self._step(*kind)
                spent_s += took_s
                shortest_s[kind] = min(took_s, shortest_s.get(kind, took_s))
        for (streams, window_s), took_s in shortest_s.items():
            if took_s > 0:
                self._step_took(streams * window_s, took_s, streams)

    def _step(self, streams: int, window_s: float) -> float:
        """Seconds that a step of so many windows of silence takes."""
        context = ContextConfig(0.0, window_s / 2, window_s / 2)
        opened = [self._stepper.open(StreamOptions(context)) for _ in range(streams)]
        silence = np.zeros(seconds_to_samples(window_s) + 1, np.float32)
        for each in opened:
            window = each.window
            window.feed(silence)
        _, times = run_step(self._stepper, opened, self._clock)
        return times.took_s

    def _measure_vad(self, vad: VoiceActivity) -> Iterator[None]:
        streams = max(streams for streams, _ in KINDS)
        block = np.zeros(_FRAMES * vad.frame_samples, np.float32)
        shortest_s = math.inf
        for _ in range(_ROUNDS):
            yield
            began_s = self._clock()
            vad.probabilities([block] * streams, [vad.start() for _ in range(streams)])
            shortest_s = min(shortest_s, self._clock() - began_s)
        if shortest_s > 0:
            self._vad_took(samples_to_seconds(streams * block.shape[0]), shortest_s)
