"""What checkpoints cost: streams that are asked for them in, time and bytes beside the steps out.

python -m benchmarks.server.checkpoints tiny-en --streams 32 --context 5-0.5-0.5

Streams of real speech run in one engine, as fast as it can. Each is asked for a checkpoint after so
many seconds of its audio, as a client does that asks for them every so many seconds. Three parts
are measured: the state, which the worker takes between two steps; writing it down, and signing it,
which the server's event loop does.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from parakeet_streaming import LiveEngine, Partial, load, load_vad
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.live import driver
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.results import SnapshotTaken
from parakeet_streaming.server.checkpoint import Bound, Checkpoint, CheckpointKeys
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.session_state import SessionState
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig

_STATE: Final = SessionState(9, 3, 20, 0, 90, 1.5, 0.25, True, True, False, (1.75, 2.0))
_PIECE_S: Final = 0.1
_SPEECH: Final = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"


class Spent:
    """Seconds of calls of one kind."""

    def __init__(self) -> None:
        self.calls_s: list[float] = []

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls are counted."""

        def called(*given: Any, **named: Any) -> Any:
            begun_s = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                self.calls_s.append(time.perf_counter() - begun_s)

        return called

    @property
    def median_s(self) -> float:
        return statistics.median(self.calls_s)


def main() -> None:
    """Runs it and prints a table."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("model", nargs="?", default="tiny-en")
    reader.add_argument("--streams", type=int, default=32)
    reader.add_argument("--context", default="5-0.5-0.5")
    reader.add_argument("--every-s", type=float, default=3.0)
    reader.add_argument("--audio-s", type=float, default=30.0)
    asked = reader.parse_args()
    state, write, sign, sizes, computed_s, steps = measured(
        asked.model, asked.streams, asked.context, asked.every_s, asked.audio_s
    )
    count, audio_s = len(state.calls_s), asked.streams * asked.audio_s
    step_s = computed_s / steps
    a_step = count / steps
    print(f"{asked.model}, {asked.streams} streams, {asked.context}, every {asked.every_s:g} s")
    print(f"step: {step_s * 1e3:.2f} ms, {steps} steps, {count} checkpoints")
    for name, spent in (("state (worker)", state), ("write", write), ("sign, base64", sign)):
        part = spent.median_s * a_step / step_s
        print(f"{name:16} {spent.median_s * 1e3:7.3f} ms each, {part:7.3%} of the steps' time")
    size, rate = statistics.median(sizes), sum(sizes) / audio_s
    print(f"size             {size:7.0f} bytes of base64, {rate:.0f} bytes a second per stream")


def measured(
    model: str, streams: int, context: str, every_s: float, audio_s: float
) -> tuple[Spent, Spent, Spent, list[int], float, int]:
    """Times of the three parts, sizes, seconds of all steps and their number."""
    state, write, sign = Spent(), Spent(), Spent()
    original = driver.StreamDriver.state
    driver.StreamDriver.state = state.timed(original)  # type: ignore[method-assign]
    keys = CheckpointKeys.of_this_process()
    bound = Bound("o" * 32, "m" * 32, {"context": context, "encoding": "s16le"})
    sizes: list[int] = []
    shares: list[float] = []
    whole_steps: list[float] = []
    signing = threading.Condition()

    def signed(taken: SnapshotTaken) -> int:
        start = ChannelStart(write.timed(taken.write)(), _STATE, taken.position)
        made = Checkpoint("3f2a", 0, time.time(), 600.0, bound, (start,))
        return len(sign.timed(lambda: b64encode(keys.sign(made)))())

    def read(stream: LiveStream) -> None:
        for event in stream:
            if isinstance(event, SnapshotTaken):
                with signing:
                    sizes.append(signed(event))
                    signing.notify_all()
            elif isinstance(event, Partial) and event.timing is not None:
                shares.append(event.timing.computing_s)
                whole_steps.append(1 / event.timing.streams)

    options = LiveOptions(DelayRange.fixed(ContextConfig.parse(context)))
    try:
        with LiveEngine(load(model), load_vad(), most_streams=streams) as engine:
            opened = [engine.open(options) for _ in range(streams)]
            readers = [threading.Thread(target=read, args=(each,)) for each in opened]
            for reader in readers:
                reader.start()

            def wait_for(asked: int) -> None:
                with signing:
                    signing.wait_for(lambda: len(sizes) >= asked)

            say(opened, every_s, audio_s, wait_for)
            for reader in readers:
                reader.join()
    finally:
        driver.StreamDriver.state = original  # type: ignore[method-assign]
    return state, write, sign, sizes, sum(shares), max(1, round(sum(whole_steps)))


def say(
    streams: list[LiveStream], every_s: float, audio_s: float, wait_for: Callable[[int], None]
) -> None:
    """Pushes the same seconds into all; no further than what was asked for on the way."""
    speech, asked = read_audio(_SPEECH), 0
    piece = int(_PIECE_S * SAMPLE_RATE_HZ)
    every, at = round(every_s / _PIECE_S), 0
    for number in range(round(audio_s / _PIECE_S)):
        samples = np.take(speech, range(at, at + piece), mode="wrap")
        at += piece
        for place, stream in enumerate(streams):
            stream.push_waiting(samples)
            if (number + place) % every == every - 1:
                stream.ask_snapshot()
                asked += 1
        if number % 5 == 4:
            wait_for(asked)
    for stream in streams:
        stream.finish()


if __name__ == "__main__":
    main()
