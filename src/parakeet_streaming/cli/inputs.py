"""Names of files, or `-`, and options in; sound that can be read, or why it cannot, out.

Rules of this file:

1. Content decides what a file is. One that no first bytes tell is raw samples where `--encoding`
   says so, and where `--rate` or `--channels` does and nothing can read it otherwise.
2. Files are looked at before a model is loaded: that may take long, or need a network.
3. A named pipe is read as standard input is: as it comes, and once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.audio.containers import sniff_file
from parakeet_streaming.audio.files import open_audio, open_file
from parakeet_streaming.audio.pcm_decoder import bytes_per_frame
from parakeet_streaming.audio.pcm_reader import BinaryStream
from parakeet_streaming.audio.raw import open_raw
from parakeet_streaming.audio.recording_errors import as_recording_errors
from parakeet_streaming.channels import labels_of
from parakeet_streaming.cli.output_paths import STDIN
from parakeet_streaming.errors import AudioFormatError, OptionError, ParakeetError
from parakeet_streaming.limits import check_whole
from parakeet_streaming.sources.named_pipes import is_named_pipe, open_named_pipe
from parakeet_streaming.sources.stdin import open_stdin
from parakeet_streaming.timeline import MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, SAMPLE_RATE_HZ

ENCODING: Final = "s16le"
"""What raw samples are, unless `--encoding` says otherwise."""
_MOST_DIGITS: Final = 9
_SEPARATE: Final = "separate"
_SIDES: Final = {"left": 0, "right": 1}


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How inputs are read; None is what was not asked for."""

    rate_hz: int | None = None
    encoding: str | None = None
    channels: str | None = None
    """How many channels raw samples have; or, of every file, `left` or `right` for one of two, or
    `separate` for each of them for itself."""
    track: str | None = None
    strict: bool = False
    names: tuple[str, ...] = ()
    """What separate channels are called; raw samples then have as many."""

    @property
    def side(self) -> int | None:
        """The one channel that is wanted."""
        return _SIDES.get(self.channels or "")

    @property
    def separate(self) -> bool:
        """Whether channels are kept apart."""
        return self.channels == _SEPARATE

    def labels(self, channels: int) -> tuple[str, ...]:
        """What channels are called; none where they are not kept apart.

        Raises:
            OptionError: too many channels, or names that do not fit.
        """
        return labels_of(self.names, channels) if self.separate else ()

    def check(self) -> None:
        """Refuses options that mean nothing, whatever is read.

        Raises:
            OptionError: an impossible rate, encoding or number of channels, or names of channels
                that are not kept apart.
        """
        if self.names and not self.separate:
            raise OptionError(f"--channel-names goes with --channels {_SEPARATE}; give both")
        if self.names:
            labels_of(self.names, len(self.names))
        bytes_per_frame(self.encoding or ENCODING, self.count)
        if self.rate_hz is not None:
            check_whole("--rate", self.rate_hz, MIN_INPUT_RATE_HZ, MAX_INPUT_RATE_HZ)

    @property
    def count(self) -> int:
        """How many channels raw samples have.

        Raises:
            OptionError: no number and none of the words.
        """
        if self.channels is None:
            return 1
        if self.side is not None:
            return len(_SIDES)
        if self.separate:
            return len(self.names) or len(_SIDES)
        if not self.channels.isdecimal() or len(self.channels) > _MOST_DIGITS:
            raise OptionError(
                f"--channels {self.channels}; use a number, left, right or {_SEPARATE}"
            )
        return int(self.channels)


def open_input(source: str, options: InputOptions) -> AudioFile:
    """Opens a file, a named pipe, or standard input.

    Raises:
        ParakeetError: why it cannot be read.
    """
    options.check()
    if source == STDIN:
        # Unbuffered: a read that waits must not hold a lock when the program ends.
        audio = _open_stream(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer), options)
    elif is_named_pipe(source):
        with ExitStack() as stack:
            pipe = stack.enter_context(open_named_pipe(source))
            audio = _open_stream(pipe, options, name=source)
            audio.also_close(stack)
    else:
        audio = _open_file(source, options)
    if options.side is not None and audio.channels > 1:
        audio.choose_channel(options.side)
    if options.separate:
        try:
            options.labels(audio.channels)
        except OptionError as error:
            audio.close()
            raise OptionError(f"{source}: {error}") from error
        audio.keep_channels()
    return audio


def comes_live(source: str) -> bool:
    """Whether it is read as it comes, and only once."""
    return source == STDIN or is_named_pipe(source)


def unreadable(sources: Iterable[str], options: InputOptions) -> dict[str, ParakeetError]:
    """Why files cannot be read, as far as a look at their beginning says it."""
    reasons: dict[str, ParakeetError] = {}
    for source in sources:
        if not comes_live(source):
            try:
                open_input(source, options).close()
            except ParakeetError as error:
                reasons[source] = error
    return reasons


def _open_stream(
    stream: BinaryStream, options: InputOptions, *, name: str = "standard input"
) -> AudioFile:
    return open_stdin(
        stream,
        rate_hz=_rate_hz(options),
        encoding=options.encoding or ENCODING,
        channels=options.count,
        track=options.track,
        strict=options.strict,
        name=name,
    )


def _open_file(source: str, options: InputOptions) -> AudioFile:
    asked = options.encoding or options.rate_hz or options.channels
    if options.encoding is not None and _is_unknown(source):
        return _open_raw(source, options)
    try:
        return open_audio(source, track=options.track, strict=options.strict)
    except AudioFormatError as error:
        if asked and _is_unknown(source):
            return _open_raw(source, options)
        if _is_unknown(source):
            raise AudioFormatError(
                f"{error}; if it is raw samples, say which: --encoding {ENCODING} --rate "
                f"{SAMPLE_RATE_HZ}"
            ) from error
        raise


def _open_raw(source: str, options: InputOptions) -> AudioFile:
    return open_raw(
        source,
        rate_hz=_rate_hz(options),
        encoding=options.encoding or ENCODING,
        channels=options.count,
    )


def _rate_hz(options: InputOptions) -> int:
    return SAMPLE_RATE_HZ if options.rate_hz is None else options.rate_hz


def _is_unknown(source: str) -> bool:
    """Whether the first bytes of a file do not tell what it is, and there are any."""
    try:
        with open_file(source) as file, as_recording_errors(source):
            return bool(file.peek(1)) and sniff_file(file) is None
    except ParakeetError:
        return False
