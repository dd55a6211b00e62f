"""A stream whose container can only be read whole goes in; a temporary file of it comes out.

Rules of this file:

1. The file has no name and goes when it is closed.
2. It takes `MOST_SPOOLED_BYTES` at most, and leaves `LEAST_FREE_BYTES` to others.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from contextlib import ExitStack
from typing import Final, cast

from parakeet_streaming.errors import AudioFormatError, OptionError
from parakeet_streaming.sources.one_way import OneWayStream

MOST_SPOOLED_BYTES: Final = 1 << 32
"""As much as a WAV can hold: seven hours of stereo at 48 kHz, or a film."""
LEAST_FREE_BYTES: Final = 1 << 28
"""Left free on the disk of the temporary folder."""
_PIECE_BYTES: Final = 1 << 16
_CHECKED_BYTES: Final = 1 << 24
"""How much is written between two looks at what is free."""


def spooled(stream: OneWayStream, name: str, container: str) -> io.RawIOBase:
    """Waits for the end of the stream; a file at its start that holds all of it.

    Raises:
        AudioFormatError: it is longer than `MOST_SPOOLED_BYTES`.
        OptionError: the temporary folder has no room for it.
    """
    with ExitStack() as stack:
        try:
            file = cast("io.RawIOBase", stack.enter_context(tempfile.TemporaryFile(buffering=0)))
        except OSError as error:
            raise _no_room(name, container, str(error.strerror or error)) from error
        writer = io.BufferedWriter(file, _PIECE_BYTES)
        _copy(stream, writer, name, container)
        writer.detach()
        file.seek(0)
        stack.pop_all()  # whoever reads it closes it
        return file


def _copy(
    stream: OneWayStream, writer: io.BufferedWriter[io.RawIOBase], name: str, container: str
) -> None:
    length_bytes = unchecked_bytes = 0
    _check_room(name, container)
    while arrived := stream.read(_PIECE_BYTES):
        length_bytes += len(arrived)
        unchecked_bytes += len(arrived)
        if length_bytes > MOST_SPOOLED_BYTES:
            raise AudioFormatError(
                f"{name} is {container}, which can be read only when all of it is there, and is "
                f"longer than {MOST_SPOOLED_BYTES} bytes; write it to a file and name that"
            )
        if unchecked_bytes >= _CHECKED_BYTES:
            unchecked_bytes = 0
            _check_room(name, container)
        try:
            writer.write(arrived)
        except OSError as error:
            raise _no_room(name, container, str(error.strerror)) from error
    try:
        writer.flush()
    except OSError as error:
        raise _no_room(name, container, str(error.strerror)) from error


def _check_room(name: str, container: str) -> None:
    free_bytes = shutil.disk_usage(tempfile.gettempdir()).free
    if free_bytes < LEAST_FREE_BYTES:
        raise _no_room(name, container, f"{free_bytes} bytes are free there")


def _no_room(name: str, container: str, why: str) -> OptionError:
    return OptionError(
        f"{name} is {container}, which can be read only when all of it is there, and there is no "
        f"room for it in the temporary folder ({why}); set TMPDIR to another folder, or write it "
        "to a file and name that"
    )
