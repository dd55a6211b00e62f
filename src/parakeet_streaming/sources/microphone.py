"""A microphone of this machine in; float32 at its own rate out, as it records.

Rules of this file:

1. The audio thread only copies: it hands samples to `push`, which must not block, and never raises.
   Nothing is resampled here: the samples have the rate `rate_hz`, and the stream resamples.
2. Losses are counted: samples that `push` did not take, samples that the system itself dropped, and
   samples that are no sound (NaN, or absurdly large), which become silence. What the system dropped
   is told as a gap of its length, so times stay true.
3. A microphone records once and ends once, by `stop`, by being unplugged, or by an error of `push`;
   whatever ended it, `on_end` is called, so that no thread waits for samples in vain.
4. Any thread may call anything. Nothing waits for a driver for ever; that it ended is said before
   the device is closed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import (
    DeviceError,
    OptionError,
    StreamClosedError,
)
from parakeet_streaming.sources.devices import choose_device, microphone_advice
from parakeet_streaming.sources.driver_calls import (
    CLOSING_S,
    DriverStuckError,
    in_time,
    opening,
)
from parakeet_streaming.sources.dropped import DroppedSound
from parakeet_streaming.sources.portaudio import input_devices, leave_running, portaudio

__all__ = ["GONE_AFTER_S", "Microphone", "input_devices"]

_LOG: Final = logging.getLogger("parakeet_streaming.sources")

GONE_AFTER_S: Final = 5.0
"""Seconds without a sample after which a microphone counts as gone."""
LOUDEST: Final = 1e5
"""Beyond it a sample is no sound: 32,768 is full scale of a driver that forgot to scale."""


class Microphone:
    """One device, open; `start` makes it record."""

    can_wait: Final = False
    """Sound goes on whether it is taken or not."""

    def __init__(
        self,
        device: int | str | None = None,
        *,
        channels: int = 1,
        separate: bool = False,
        latency: float | Literal["low", "high"] = "low",
    ) -> None:
        """Opens a device.

        Args:
            device: its number, its name or part of it, or None for the default.
            channels: how many of its channels, from the first on, are averaged to one.
            separate: whether these are given as (n, channels) instead.
            latency: seconds of sound that the system may hold back, or its own idea of it.

        Raises:
            DeviceError: it does not open: it is held by another program, or not allowed.
            DeviceNotFoundError: there is no such device, or none at all.
            ExtraMissingError: sounddevice or PortAudio is not installed.
            OptionError: several devices match, or it has fewer channels.
        """
        self.device = choose_device(input_devices(), device)
        if not 1 <= channels <= self.device.channels:
            raise OptionError(
                f"{self.device.name!r} has no {channels} channels; use 1 to {self.device.channels}"
            )
        self.received_samples = 0
        """Samples recorded since the start."""
        self.refused_samples = 0
        """Samples of these that `push` did not take."""
        self.overflows = 0
        """How often the system dropped samples before they came here."""
        self.dropped_samples = 0
        """How many these were, where the system says when each block was recorded."""
        self.broken_samples = 0
        """Samples that were no sound."""
        self.failure: DeviceError | None = None
        """Why it ended, unless it was stopped."""
        self.channels = channels if separate else 1
        """Of the samples that `push` gets: (n,) where there is one, else (n, channels)."""
        self._push: Callable[[NDArray[np.float32]], int] | None = None  # None before the start
        self._on_gap: Callable[[int], object] | None = None
        self._on_end: Callable[[], None] | None = None
        self._stop_asked = False
        self._ended = False
        self._ending = threading.Lock()  # held for a moment only, also by the audio thread
        self._calling = threading.Lock()  # PortAudio wants one call at a time on a stream
        self._left_behind = False  # its driver did not come back from closing
        self._inside: int | None = None  # the thread that is in a call from PortAudio
        self._seen: tuple[int, float] | None = None  # samples, and when `watch` first saw so many
        self._stream = self._open(channels, latency)
        self.rate_hz = round(self._stream.samplerate)
        """Samples per second that `push` gets."""
        self._dropped = DroppedSound(self.rate_hz)

    @property
    def ended(self) -> bool:
        """Whether it records no more."""
        return self._ended

    def start(
        self,
        push: Callable[[NDArray[np.float32]], int],
        on_end: Callable[[], None] | None = None,
        on_gap: Callable[[int], object] | None = None,
    ) -> None:
        """Records from now on.

        Args:
            push: takes float32 samples, a copy of its own, and returns how many of them it took; it
                is called in PortAudio's thread and must not block.
            on_end: called once when no more samples will come, in the thread that notices it first.
            on_gap: takes how many samples the system dropped before the next block. By default it
                is `push_gap` of the object whose `push` is given, as of a `LiveStream`; where there
                is none, silence of that length is pushed.

        Raises:
            DeviceError: the device does not record, or its driver does not answer.
            StreamClosedError: it was started or stopped before.
        """
        with self._calling:
            if self._push is not None or self._stop_asked:
                raise StreamClosedError("a microphone records once; open a new one")
            self._push, self._on_end = push, on_end
            of_stream = getattr(getattr(push, "__self__", None), "push_gap", None)
            self._on_gap = on_gap or of_stream or self._push_silence
            try:
                opening(self._stream.start)
            except (self._portaudio_error, DriverStuckError) as error:
                raise self._does_not_open(error) from error

    def watch(self, now_s: float) -> bool:
        """Whether it still records. Call it about once a second: some systems do not report that a
        device is gone; it just gives no more samples.

        Args:
            now_s: seconds on any clock that only grows.
        """
        if self._push is None:
            return False
        if self._seen is None or self._seen[0] != self.received_samples:
            self._seen = (self.received_samples, now_s)
        elif now_s - self._seen[1] >= GONE_AFTER_S:
            self._end(self._gone())
        return not self._ended

    def stop(self) -> None:
        """Records no more and lets go of the device. Stopping twice is fine.

        When it returns, `push` will not be called again. A driver that does not answer is left
        behind after two seconds. Called by `push` or `on_end` themselves
        that holds too, but the device is let go of only by the next call from outside.
        """
        self._stop_asked = True
        if self._inside == threading.get_ident():
            return
        if self._calling.acquire(timeout=CLOSING_S):
            try:
                self._close()
            finally:
                self._calling.release()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _close(self) -> None:
        if self._left_behind or self._stream.closed:
            return
        try:
            in_time(self._stream.close, CLOSING_S)
        except DriverStuckError:
            self._left_behind = True
            leave_running()
            _LOG.warning("the driver of %r does not let go of it", self.device.name)

    def _open(self, channels: int, latency: float | str) -> Any:  # noqa: ANN401  it has no types
        sounddevice = portaudio()
        self._portaudio_error = sounddevice.PortAudioError
        try:
            return opening(
                lambda: sounddevice.InputStream(
                    device=self.device.index,
                    channels=channels,
                    dtype="float32",
                    samplerate=self.device.rate_hz,
                    latency=latency,
                    callback=self._record,
                    finished_callback=self._finish,
                )
            )
        except (sounddevice.PortAudioError, DriverStuckError) as error:
            raise self._does_not_open(error) from error

    def _record(self, frames: NDArray[np.float32], _count: int, times: Any, status: Any) -> None:  # noqa: ANN401
        """Takes frames (n, channels), which are valid during the call only."""
        if self._push is None or self._ended or self._stop_asked:
            return
        self._inside = threading.get_ident()
        try:
            overflow = bool(status.input_overflow)
            self.overflows += overflow
            self._tell_dropped(len(frames), times, overflow=overflow)
            samples = self._sound(frames)
            self.received_samples += len(samples)
            self.refused_samples += len(samples) - self._push(samples)
        except Exception as error:
            self._end(DeviceError(f"what {self.device.name!r} recorded was not taken: {error}"))
        finally:
            if self._stop_asked:
                self._end()
            self._inside = None

    def _sound(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Channels averaged, float32 (n,), or all of them; what is no sound is silence."""
        usable = np.abs(frames) <= LOUDEST
        if not usable.all():
            self.broken_samples += int(np.count_nonzero(~usable.all(axis=1)))
            frames = np.where(usable, frames, np.float32(0))
        if self.channels > 1:
            return frames.copy()
        mean: NDArray[np.float32] = frames.mean(axis=1)
        return mean

    def _tell_dropped(self, count: int, times: Any, *, overflow: bool) -> None:  # noqa: ANN401
        """Tells what is missing before a block of `count` samples."""
        began_s = float(getattr(times, "inputBufferAdcTime", 0.0) or 0.0)
        dropped = self._dropped.before(began_s, count, overflow=overflow)
        if dropped and self._on_gap is not None:
            self.dropped_samples += dropped
            self._on_gap(dropped)

    def _push_silence(self, samples: int) -> None:
        push = self._push
        while samples > 0 and push is not None:
            piece = min(samples, self.rate_hz)
            silence = np.zeros(piece * self.channels, np.float32)
            push(silence if self.channels == 1 else silence.reshape(piece, self.channels))
            samples -= piece

    def _finish(self) -> None:
        """PortAudio will not call again."""
        self._inside = threading.get_ident()
        try:
            self._end(None if self._stop_asked else self._gone())
        finally:
            self._inside = None

    def _end(self, failure: DeviceError | None = None) -> None:
        with self._ending:
            if self._ended:
                return
            self.failure = failure
            self._ended = True
        if self._on_end is not None:
            self._on_end()

    def _gone(self) -> DeviceError:
        return DeviceError(
            f"{self.device.name!r} gives no more sound; it was unplugged or its driver stopped: "
            "plug it in and start again"
        )

    def _does_not_open(self, error: Exception) -> DeviceError:
        if isinstance(error, DriverStuckError):
            return DeviceError(
                f"the driver of {self.device.name!r} does not answer; unplug it, or restart the "
                "sound system, and try again"
            )
        return DeviceError(
            f"{self.device.name!r} cannot be recorded from ({error}); {microphone_advice()}"
        )
