"""Blocks of samples in, one stream's steps out, with a stopwatch beside them.

The delay of a token is the time from the end of its sound to its text. A block counts as
recorded when it arrives, but never faster than it plays: where audio arrives all at once, the delay
is what it would have been live.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.cli.display import progress_bar
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.results import Partial, Transcript


class Listening:
    """One stream being fed, and how it goes."""

    def __init__(self, stream: Stream, duration_s: float | None, *, live: bool) -> None:
        self.processing_s = 0.0
        """Seconds spent computing."""
        self._stream = stream
        self._duration_s = duration_s
        self._live = live
        self._fed_samples = 0
        self._started_s: float | None = None
        self._steps_s: list[float] = []
        self._delays_s: list[float] = []

    @property
    def heard_s(self) -> float:
        """Seconds of audio fed."""
        return self._fed_samples / self._stream.context.sample_rate

    def hear(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[Partial]:
        """Feeds every block, and gives each step's result as it comes."""
        for block in blocks:
            self._fed_samples += block.shape[0]
            if self._started_s is None:
                self._started_s = time.monotonic() - self.heard_s
            self._stream.push(block)
            yield from self._run()

    def finish(self) -> Iterator[Partial]:
        """Decodes what is left."""
        self._stream.end()
        yield from self._run()

    def transcript(self) -> Transcript:
        return self._stream.transcript()

    def status(self) -> str:
        """One line: how far, how fast, how late."""
        if self._duration_s:
            share = self.heard_s / self._duration_s
            far = f"{progress_bar(share)} {_clock(self.heard_s)} of {_clock(self._duration_s)}"
        else:
            far = _clock(self.heard_s)
        return f"{far} · {self._how()}"

    def summary(self) -> str:
        """One line for the end, and a second on delays of live text."""
        lines = [f"{self.heard_s:.1f} s of audio, {self.processing_s:.2f} s of computing"]
        lines[0] += f" · {self._how()}"
        if self._live and self._delays_s:
            lines.append(
                f"text appeared {statistics.median(self._delays_s):.2f} s after it was spoken "
                f"(median of {len(self._delays_s)} tokens; the latest {max(self._delays_s):.2f} s)"
            )
        return "\n".join(lines)

    def _run(self) -> Iterator[Partial]:
        """Runs the steps that are ready, one at a time."""
        while self._stream.ready:
            start_s = time.monotonic()
            events = self._stream.step()
            took_s = time.monotonic() - start_s
            self.processing_s += took_s
            for event in events:
                if isinstance(event, Partial):
                    self._steps_s.append(took_s)
                    self._time(event, took_s)
                    yield event

    def _time(self, partial: Partial, took_s: float) -> None:
        elapsed_s = 0.0 if self._started_s is None else time.monotonic() - self._started_s
        available_s = max(elapsed_s, partial.heard_s + took_s)
        self._delays_s.extend(available_s - token.end for token in partial.tokens)

    def _how(self) -> str:
        """Speed and, live, the latency: of the context, and of a step's computing."""
        speed = self.heard_s / self.processing_s if self.processing_s else 0.0
        if not self._live:
            return f"RTFx {speed:.0f}"
        step_ms = 1000 * statistics.median(self._steps_s) if self._steps_s else 0.0
        return (
            f"RTFx {speed:.0f} · latency {self._stream.context.latency_s:.2f} s + {step_ms:.0f} ms"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
