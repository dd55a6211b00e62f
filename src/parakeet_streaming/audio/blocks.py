"""Frames (m, channels) of any usual type go in from a reader; float32 blocks come out.

Blocks are mono (n,), the average of all channels or one of them, or (n, channels), all of them.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.audio.health import PhaseWatch
from parakeet_streaming.audio.pcm import MAX_CHANNELS, as_channels, as_mono
from parakeet_streaming.audio.recording_errors import READ_ERRORS, reason_of
from parakeet_streaming.errors import (
    AudioFormatError,
    FileAccessError,
    InputError,
    OptionError,
    ParakeetError,
    StreamClosedError,
)
from parakeet_streaming.timeline import (
    MAX_INPUT_RATE_HZ,
    MIN_INPUT_RATE_HZ,
    samples_to_seconds,
    seconds_to_samples,
)

BLOCK_S: Final = 0.5
MOST_BLOCK_S: Final = 3_600.0
"""A block is in memory as a whole."""


class FrameReader(Protocol):
    """What an `AudioFile` reads from."""

    def read(self, wanted_samples: int) -> NDArray[Any]:
        """The next frames (m, channels), m about `wanted_samples`, and 0 only at the end.

        Raises:
            AudioFormatError: what follows is broken.
        """
        ...


class AudioFile:
    """Audio that is read once, from its start to its end, as mono blocks or as all its channels.

    Raises:
        AudioFormatError: a rate outside 4–384 kHz, or more than 32 channels.
    """

    def __init__(
        self,
        name: str,
        reader: FrameReader,
        *,
        rate_hz: int,
        channels: int,
        duration_s: float | None = None,
        resources: ExitStack | None = None,
        warnings: list[str] | None = None,
        missing_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        """Read from `reader`; `name` is for messages, `resources` are taken over and closed.

        The reader adds to `warnings` while it reads. `missing_bytes` is called at the end: how many
        the file lacks by its own account, or the failure that ended it.
        """
        if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
            raise AudioFormatError(
                f"{name} has a sample rate of {rate_hz} Hz; "
                f"convert it to {MIN_INPUT_RATE_HZ}–{MAX_INPUT_RATE_HZ} Hz"
            )
        if not 1 <= channels <= MAX_CHANNELS:
            raise AudioFormatError(
                f"{name} has {channels} channels; convert it to 1–{MAX_CHANNELS} channels"
            )
        self.name = name
        self.rate_hz = rate_hz
        """Rate of the blocks, in Hz; it is the file's own."""
        self.channels = channels
        """Channels in the file; the blocks are their average."""
        self.duration_s = duration_s
        """Seconds by the file's own account, sometimes a wrong one; None when it gives none. Good
        for a progress bar; `blocks` goes on until the sound ends."""
        self._reader = reader
        self._resources: ExitStack | None = (resources or ExitStack()).pop_all()
        self._to_close: list[ExitStack] = []
        self._is_reading = False
        self._missing_bytes = missing_bytes
        self._warnings: list[str] = [] if warnings is None else warnings
        self._ahead: deque[NDArray[np.float32]] = deque()
        self._failure: InputError | FileAccessError | None = None
        self._position_samples = 0
        self._channel: int | None = None
        self._keeps_channels = False
        self._phases = PhaseWatch(rate_hz)

    def choose_channel(self, number: int) -> None:
        """Makes blocks of one channel, counted from 0, instead of the average of all.

        Raises:
            OptionError: there is no such channel.
        """
        if not 0 <= number < self.channels:
            raise OptionError(
                f"{self.name} has {self.channels} channel{'s' * (self.channels > 1)}; "
                "choose no channel, or one of them"
            )
        self._channel = number

    def keep_channels(self) -> None:
        """Makes blocks (n, channels) of all channels, instead of their average."""
        self._keeps_channels = True

    @property
    def read_s(self) -> float:
        """Seconds of sound that were read so far."""
        return samples_to_seconds(self._position_samples, self.rate_hz)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of what was read so far, such as places without sound."""
        return tuple(self._warnings)

    def blocks(self, block_s: float = BLOCK_S) -> Iterator[NDArray[np.float32]]:
        """The samples from where reading stopped to the end, as float32 mono (n,), n ≥ 1.

        After `keep_channels` a block is (n, channels).

        A block of a file is about `block_s` seconds; a live stream hands on what has arrived, at
        most that much.

        Raises:
            AudioFormatError: the rest of the file is broken; all before it was handed on.
            FileAccessError: the system does not let the rest be read.
            AudioInputError: a sample is NaN or infinite; its position counts from the file's start.
            OptionError: blocks of no length.
            StreamClosedError: the file has been closed.
        """
        if not 0 < block_s <= MOST_BLOCK_S:
            raise OptionError(
                f"blocks of {block_s} s are impossible; use more than 0 s, {MOST_BLOCK_S:g} s at "
                "most"
            )
        wanted_samples = max(1, seconds_to_samples(block_s, self.rate_hz))
        while len(block := self._next(wanted_samples)):
            yield block

    def measure(self, most_s: float) -> float | None:
        """Seconds of sound that are left, or None where they are more than `most_s`.

        It reads ahead for that; `blocks` then hands on what it read. Where the file is broken is
        its end.

        Raises:
            OptionError: no length, or an endless one.
            StreamClosedError: the file has been closed.
        """
        ahead_samples = sum(len(block) for block in self._ahead)
        if not 0 <= most_s < math.inf:
            raise OptionError(f"{most_s} s cannot be measured; use 0 s or more")
        most_samples = seconds_to_samples(most_s, self.rate_hz)
        while ahead_samples <= most_samples:
            try:
                block = self._read(seconds_to_samples(BLOCK_S, self.rate_hz))
            except (InputError, FileAccessError) as error:
                self._failure = error
                break
            if not len(block):
                break
            self._ahead.append(block)
            ahead_samples += len(block)
        else:
            return None
        return samples_to_seconds(ahead_samples, self.rate_hz)

    def _next(self, wanted_samples: int) -> NDArray[np.float32]:
        if self._resources is None:
            raise self._closed()
        if self._ahead:
            return self._ahead.popleft()
        if self._failure is not None:
            raise self._failure
        return self._read(wanted_samples)

    def _read(self, wanted_samples: int) -> NDArray[np.float32]:
        self._is_reading = True
        try:
            if self._resources is None:
                raise self._closed()
            return self._read_block(wanted_samples)
        finally:
            self._is_reading = False
            if self._resources is None:
                self._let_go()

    def _read_block(self, wanted_samples: int) -> NDArray[np.float32]:
        try:
            frames = self._reader.read(wanted_samples)
        except AudioFormatError as error:
            self._lacking_bytes()  # a read that failed says more than what it led to
            raise self._broken(str(error)) from error
        except ParakeetError:
            raise
        except READ_ERRORS as error:
            raise self._failed(error) from error
        if not len(frames):
            self._check_whole()
        if self._keeps_channels:
            block = as_channels(frames, what=self.name, first_sample=self._position_samples)
            self._position_samples += len(block)
            return block
        wanted = frames if self._channel is None or frames.ndim == 1 else frames[:, self._channel]
        block = as_mono(wanted, what=self.name, first_sample=self._position_samples)
        if self._channel is None and self.channels > 1 and self._phases.feed(frames, block):
            self._warnings.append(
                f"the channels of {self.name} cancel each other, so little is left of the speech; "
                "take one of them: --channels left or right"
            )
        self._position_samples += len(block)
        return block

    def _closed(self) -> StreamClosedError:
        return StreamClosedError(f"{self.name} has been closed; open it again")

    def _lacking_bytes(self) -> int:
        try:
            return self._missing_bytes()
        except ParakeetError:
            raise
        except READ_ERRORS as error:
            raise self._failed(error) from error

    def _check_whole(self) -> None:
        if missing_bytes := self._lacking_bytes():
            raise AudioFormatError(
                f"{self.name} is cut off after {self.read_s:.2f} s, {missing_bytes} bytes are "
                "missing; get the whole file, or go on without the rest"
            )

    def _failed(self, error: Exception) -> ParakeetError:
        if not isinstance(error, OSError):
            return self._broken(reason_of(error))
        return FileAccessError(
            f"{self.name} cannot be read after {self.read_s:.2f} s ({reason_of(error)}); "
            "check the disk, or go on without the rest"
        )

    def _broken(self, why: str) -> AudioFormatError:
        return AudioFormatError(
            f"{self.name} is broken after {self.read_s:.2f} s ({why}); "
            "repair it, or go on without the rest"
        )

    def also_close(self, resources: ExitStack) -> None:
        """Takes over what has to be closed with the file."""
        if self._resources is None:
            raise self._closed()
        self._resources.push(resources.pop_all())

    def close(self) -> None:
        """Let go of the file; closing twice is fine.

        A thread that reads at this moment lets go of it when its read comes back: a library cannot
        lose a file while it reads.
        """
        resources, self._resources = self._resources, None
        if resources is not None:
            self._to_close.append(resources)
        if not self._is_reading:
            self._let_go()

    def _let_go(self) -> None:
        with suppress(IndexError):  # one thread of two finds it
            self._to_close.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
