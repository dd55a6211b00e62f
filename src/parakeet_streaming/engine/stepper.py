"""What runs the steps of streams, as live streams need it: the recognizer's other face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parakeet_streaming.engine.snapshot import SnapshotCodec
from parakeet_streaming.engine.step import Step
from parakeet_streaming.engine.stream_state import StreamOptions, StreamState
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.ports import TokenBias
from parakeet_streaming.timeline import ContextConfig


class Stepper(Protocol):
    """Opens streams at 16 kHz and runs steps of many of them."""

    @property
    def max_window_samples(self) -> int:
        """Samples at 16 kHz of the longest window."""
        ...

    @property
    def snapshots(self) -> SnapshotCodec:
        """Writes and reads states of its streams."""
        ...

    def check_context(self, context: ContextConfig) -> None:
        """Refuses a context of windows longer than the model can take.

        Raises:
            ContextError: it is too long.
        """
        ...

    def open(self, options: StreamOptions, restored: StreamState | None = None) -> WindowedStream:
        """Opens a stream, or continues one from its state.

        Raises:
            ContextError: windows longer than the model can take.
            OptionError: `cached` with an encoder that keeps nothing, or with a stall guard.
        """
        ...

    def biases_of(self, options: StreamOptions) -> tuple[TokenBias, ...]:
        """What makes tokens of a stream with these options more or less likely; made once.

        Raises:
            OptionError: phrases with letters that the model cannot write.
        """
        ...

    def prepare(self, streams: Sequence[WindowedStream]) -> Step:
        """One step of every stream that has a window, to be run in phases.

        Raises:
            OptionError: a stream is given twice, or was opened by another recognizer.
        """
        ...
