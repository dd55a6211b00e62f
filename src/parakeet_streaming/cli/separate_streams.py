"""Samples of several channels in; a stream for each, and the events of all in one order, out.

Rules of this file:

1. Samples of a channel that its stream does not take leave a gap there; other channels have theirs.
2. A stream that fails ends all: its error is raised where events are read.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.live.stream import LiveStream

_ENDED: Final = None


class SeparateStreams:
    """The channels of one source, each a stream of one engine."""

    def __init__(self, streams: Sequence[LiveStream], labels: Sequence[str]) -> None:
        """Takes streams that nothing reads from.

        Args:
            streams: one for each channel.
            labels: what the channels are called.
        """
        self.streams = tuple(streams)
        self._labels = tuple(labels)
        self._told: queue.SimpleQueue[ChannelEvent | BaseException | None] = queue.SimpleQueue()
        self._open = len(streams)
        for number in range(len(streams)):
            reader = threading.Thread(target=self._read, args=(number,), name="reading")
            reader.daemon = True
            reader.start()

    def push(self, samples: NDArray[np.float32], /) -> int:
        """Takes samples (n, channels); never waits. How many all streams took."""
        frames = samples.reshape(len(samples), len(self.streams))
        columns = (np.ascontiguousarray(column) for column in frames.T)
        return min(
            stream.push(column) for stream, column in zip(self.streams, columns, strict=True)
        )

    def push_gap(self, samples: int, /) -> None:
        """So many samples of each channel are missing."""
        for stream in self.streams:
            stream.push_gap(samples)

    def wait_for_room(self, samples: int, /) -> int:
        """Waits until all streams would take that many, or take no more."""
        return min(stream.wait_for_room(samples) for stream in self.streams)

    def finish(self) -> None:
        """No more samples; any thread may call it."""
        for stream in self.streams:
            stream.finish()

    def get(self, timeout_s: float | None = None, /) -> ChannelEvent | None:
        """The next event of any channel; None after the last one of all.

        Raises:
            TimeoutError: none came for so long.
        """
        while self._open:
            try:
                told = self._told.get(timeout=timeout_s)
            except queue.Empty:
                raise TimeoutError from None
            if isinstance(told, BaseException):
                raise told
            if told is not _ENDED:
                return told
            self._open -= 1
        return None

    def transcript(self) -> SeparateTranscript:
        """Everything committed so far."""
        numbered = enumerate(zip(self.streams, self._labels, strict=True))
        return SeparateTranscript(
            tuple(
                ChannelTranscript(stream.transcript(), number, label)
                for number, (stream, label) in numbered
            )
        )

    def _read(self, number: int) -> None:
        try:
            while (event := self.streams[number].get()) is not None:
                self._told.put(ChannelEvent(number, event))
        except BaseException as error:  # told where the events are read
            self._told.put(error)
        else:
            self._told.put(_ENDED)
