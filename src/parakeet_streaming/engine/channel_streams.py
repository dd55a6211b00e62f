"""Samples of several channels in; events of a stream for each, stepped together, out.

Rules of this file:

1. All streams have one context, and get samples together. So they are ready together, and a step is
   one encoder call for all of them; the text of each is what it would be alone.
2. Silence costs next to nothing. Windows in which all samples are one value are encoded once, which
   changes no token. A channel that is nothing else, and is to be decoded as a whole in one window,
   is cut into shorter ones for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.pcm import as_channels
from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.engine.equal_windows import EqualWindows
from parakeet_streaming.engine.step import Step
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.timeline import ContextConfig

_SILENT_CONTEXT: Final = ContextConfig(left=2.0, chunk=10.0, right=2.0)
"""Of a channel without any sound."""


class _Steps(Protocol):
    """A recognizer."""

    def prepare(
        self, streams: Sequence[WindowedStream], equal_windows: EqualWindows | None = None
    ) -> Step: ...


class ChannelStreams:
    """The channels of one recording, each recognised for itself. Not thread-safe."""

    def __init__(
        self, recognizer: _Steps, streams: Sequence[Stream], labels: Sequence[str]
    ) -> None:
        """Takes streams that nothing was pushed to.

        Args:
            recognizer: which opened them.
            streams: one for each channel, of one context.
            labels: what the channels are called.
        """
        self._recognizer = recognizer
        self._streams = tuple(streams)
        self._labels = tuple(labels)
        self._equal_windows = EqualWindows()
        self._values: list[float | None] = [None] * len(streams)
        self._has_sound = [False] * len(streams)

    @property
    def context(self) -> ContextConfig:
        """The one that they were opened with; its rate is that of the samples."""
        return self._streams[0].context

    @property
    def ready(self) -> bool:
        """Whether a step would give events."""
        return any(stream.ready for stream in self._streams)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Takes samples (n, channels); runs nothing.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
            StreamClosedError: the streams have ended.
        """
        frames = as_channels(samples)
        if frames.shape[1] != len(self._streams):
            raise AudioInputError(
                f"samples have {frames.shape[1]} channels; there are streams for "
                f"{len(self._streams)}"
            )
        for number, stream in enumerate(self._streams):
            channel = np.ascontiguousarray(frames[:, number])
            stream.push(channel)
            self._listen(number, channel)

    def end(self) -> None:
        """No more samples will come. Calling it again does nothing."""
        for stream, has_sound in zip(self._streams, self._has_sound, strict=True):
            stream.end()
            windowed = stream.windowed
            context, window = windowed.context, windowed.window
            shorter = replace(_SILENT_CONTEXT, sample_rate=context.sample_rate)
            untouched = window.decoded_samples == 0
            if not has_sound and untouched and _is_longer(context, shorter):
                windowed.use(shorter)

    def step(self) -> list[ChannelEvent]:
        """Runs one step of every stream that is ready, and gives their events."""
        step = self._recognizer.prepare(
            [stream.windowed for stream in self._streams], self._equal_windows
        )
        step.encode()
        step.decode()
        return [
            ChannelEvent(channel, event)
            for channel, events in enumerate(step.commit())
            for event in events
        ]

    def run(self) -> list[ChannelEvent]:
        """Runs every step that is ready."""
        events: list[ChannelEvent] = []
        while self.ready:
            events += self.step()
        return events

    def transcript(self) -> SeparateTranscript:
        """Everything committed so far."""
        return SeparateTranscript(
            tuple(
                ChannelTranscript(stream.transcript(), number, label)
                for number, (stream, label) in enumerate(
                    zip(self._streams, self._labels, strict=True)
                )
            )
        )

    def _listen(self, number: int, channel: NDArray[np.float32]) -> None:
        """Takes note of whether a channel has had any sound."""
        if self._has_sound[number] or not len(channel):
            return
        first = self._values[number]
        value = float(channel[0]) if first is None else first
        self._values[number] = value
        self._has_sound[number] = not bool((channel == value).all())


def _is_longer(context: ContextConfig, than: ContextConfig) -> bool:
    one, other = context.samples, than.samples
    return one.window > other.window
