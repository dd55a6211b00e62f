"""A recognizer and voice activity in; what steps of several kinds take on this machine, out.

Rules of this file:

1. Nobody has spoken yet when an engine has to say how many streams it can carry. So steps of
   silence are run: one stream and several, short windows and long ones.
2. The first step of all is not counted: it may compile. Of the others of one kind the shortest
   counts, as whatever else this machine does can only make a step longer.
3. On a fast machine it takes a fraction of a second. On a slow one it ends after a few seconds with
   what was measured until then.
4. What goes wrong here is left to the streams: they meet the same error, and report it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import numpy as np

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.timed_step import run_step
from parakeet_streaming.ports import Floats, VoiceActivity
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


def warm_up(
    stepper: Stepper,
    vad: VoiceActivity | None,
    clock: Callable[[], float],
    step_took: StepTook,
    vad_took: Callable[[float, float], None],
) -> None:
    """Measures steps, and voice activity; see the rules."""
    try:
        _measure_steps(stepper, clock, step_took)
        if vad is not None:
            _measure_vad(vad, clock, vad_took)
    except Exception as error:
        _LOG.warning("nothing could be measured before the first stream: %r", error)


def _measure_steps(stepper: Stepper, clock: Callable[[], float], step_took: StepTook) -> None:
    began_s = clock()
    longest_s = samples_to_seconds(stepper.max_window_samples)
    kinds = [(streams, window_s) for streams, window_s in KINDS if window_s <= longest_s]
    shortest_s: dict[tuple[int, float], float] = {}
    for number in range(_ROUNDS):
        for kind in kinds:
            if number == 0 and kind == kinds[0]:
                _step(stepper, clock, *kind)
            if clock() - began_s > (_MOST_S if number == 0 else _ENOUGH_S):
                break
            took_s = _step(stepper, clock, *kind)
            shortest_s[kind] = min(took_s, shortest_s.get(kind, took_s))
    for (streams, window_s), took_s in shortest_s.items():
        if took_s > 0:
            step_took(streams * window_s, took_s, streams)


def _step(stepper: Stepper, clock: Callable[[], float], streams: int, window_s: float) -> float:
    """Seconds that a step of so many windows of silence takes."""
    context = ContextConfig(0.0, window_s / 2, window_s / 2)
    opened = [stepper.open(StreamOptions(context)) for _ in range(streams)]
    silence = np.zeros(seconds_to_samples(window_s) + 1, np.float32)
    for each in opened:
        window = each.window
        window.feed(silence)
    _, times = run_step(stepper, opened, clock)
    return times.took_s


def _measure_vad(
    vad: VoiceActivity, clock: Callable[[], float], vad_took: Callable[[float, float], None]
) -> None:
    streams = max(streams for streams, _ in KINDS)
    block = np.zeros(_FRAMES * vad.frame_samples, np.float32)
    shortest_s = min(_judge(vad, clock, [block] * streams) for _ in range(_ROUNDS))
    if shortest_s > 0:
        vad_took(samples_to_seconds(streams * block.shape[0]), shortest_s)


def _judge(vad: VoiceActivity, clock: Callable[[], float], blocks: list[Floats]) -> float:
    began_s = clock()
    vad.probabilities(blocks, [vad.start() for _ in blocks])
    return clock() - began_s
