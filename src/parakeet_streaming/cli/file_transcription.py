"""Blocks of a file in, as fast as they can be read; its events, and how it goes, out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.channels import SeparateTranscript
from parakeet_streaming.cli.display import Told, clock, progress_bar
from parakeet_streaming.cli.interruption import Interruption
from parakeet_streaming.engine.channel_streams import ChannelStreams
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.results import Transcript


class FileTranscription:
    """One file that is transcribed, and how it goes."""

    def __init__(
        self,
        stream: Stream | ChannelStreams,
        blocks: Iterable[NDArray[np.float32]],
        interruption: Interruption,
        *,
        duration_s: float | None = None,
    ) -> None:
        self.processing_s = 0.0
        """Seconds spent computing."""
        self.failure: Exception | None = None
        """Why the file was not read to its end; what was read is decoded all the same."""
        self._stream = stream
        self._blocks = blocks
        self._interruption = interruption
        self._duration_s = duration_s
        self._fed_samples = 0

    @property
    def received_s(self) -> float:
        """Seconds of audio read."""
        return self._fed_samples / self._stream.context.sample_rate

    def events(self) -> Iterator[Told]:
        """Reads everything, and gives each step's events as they come."""
        try:
            for block in self._blocks:
                if self._interruption.asked:
                    break
                self._fed_samples += block.shape[0]
                self._stream.push(block)
                yield from self._run()
        except ParakeetError as error:
            self.failure = error
        self._stream.end()
        yield from self._run()

    def messages(self) -> Iterator[str]:
        """A file needs no messages while it is read."""
        return iter(())

    def transcript(self) -> Transcript | SeparateTranscript:
        return self._stream.transcript()

    def status(self) -> str:
        """One line: how far, how fast."""
        if not self._duration_s:
            return f"{clock(self.received_s)} · {self._speed()}"
        bar = progress_bar(self.received_s / self._duration_s)
        return f"{bar} {clock(self.received_s)} of {clock(self._duration_s)} · {self._speed()}"

    def summary(self) -> str:
        """One line for the end."""
        return (
            f"{self.received_s:.1f} s of audio, {self.processing_s:.2f} s of computing · "
            f"{self._speed()}"
        )

    def _run(self) -> Iterator[Told]:
        """Runs the steps that are ready, one at a time."""
        while self._stream.ready:
            start_s = time.monotonic()
            events = self._stream.step()
            self.processing_s += time.monotonic() - start_s
            yield from events

    def _speed(self) -> str:
        return f"RTFx {self.received_s / self.processing_s if self.processing_s else 0.0:.0f}"
