"""A recognizer, a context and a number in; that many streams with full left contexts, stepped, out.

Streams, windows, steps and words are the product's own; only the loop around them is here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig


@dataclass(frozen=True)
class StepTimes:
    """Of one step of all streams, in seconds."""

    encode_s: float
    decode_s: float
    host_s: float
    """Audio into windows, and tokens into words and events."""

    @property
    def whole_s(self) -> float:
        return self.encode_s + self.decode_s + self.host_s


class Streams:
    """Streams of one context that are stepped together."""

    def __init__(
        self,
        recognizer: Recognizer,
        context: ContextConfig,
        count: int,
        audio: Floats,
        *,
        cached: bool,
        boosting: Boosting | None = None,
    ) -> None:
        """`audio`: each stream hears it from another place on, again and again."""
        self.recognizer = recognizer
        self._audio = audio
        self._context = context
        options = StreamOptions(context, cached=cached, boosting=boosting)
        self.streams = [recognizer.open(options) for _ in range(count)]
        self._at = [(at * 7919) % len(audio) for at in range(count)]
        self.tokens = 0
        self._feed(range(count), context.samples.right)

    def fill(self) -> None:
        """Steps until every window has all of its left context."""
        lengths = self._context.samples
        for _ in range(-(-lengths.left // lengths.chunk) + 1):
            self.step()

    def step(self, which: Sequence[int] | None = None, *, sync: bool = True) -> StepTimes:
        """Feeds a chunk to those streams, or to all, and steps them."""
        chosen = range(len(self.streams)) if which is None else which
        began_s = time.perf_counter()
        self._feed(chosen, self._context.samples.chunk)
        step = self.recognizer.prepare([self.streams[at] for at in chosen])
        prepared_s = time.perf_counter()
        step.encode()
        if sync:
            synchronise()
        encoded_s = time.perf_counter()
        step.decode()
        decoded_s = time.perf_counter()
        for events in step.commit():
            self.tokens += sum(len(getattr(event, "tokens", ())) for event in events)
        ended_s = time.perf_counter()
        host_s = (prepared_s - began_s) + (ended_s - decoded_s)
        return StepTimes(encoded_s - prepared_s, decoded_s - encoded_s, host_s)

    def _feed(self, which: Sequence[int], samples: int) -> None:
        for at in which:
            start = self._at[at]
            piece = self._audio[start : start + samples]
            stream: WindowedStream = self.streams[at]
            stream.window.feed(piece)
            if len(piece) < samples:
                stream.window.feed(self._audio[: samples - len(piece)])
            self._at[at] = (start + samples) % len(self._audio)


def synchronise() -> None:
    """Waits for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
