"""The path of a named pipe, such as a shell's <(...), goes in; a stream of its bytes comes out."""

from __future__ import annotations

import io
import os
import stat
from functools import partial
from pathlib import Path
from typing import Final

from parakeet_streaming.audio.recording_errors import as_recording_errors
from parakeet_streaming.errors import AudioFormatError
from parakeet_streaming.sources.driver_calls import DriverStuckError, in_time

_OPENING_S: Final = 20.0
"""How long a program that writes into the pipe may take to open it."""


def is_named_pipe(path: str) -> bool:
    """Whether there is a pipe at this path, or at the end of its links."""
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False


def open_named_pipe(path: str, *, opening_s: float = _OPENING_S) -> io.FileIO:
    """Opens a pipe as soon as a program writes into it.

    Raises:
        AudioFormatError: it cannot be opened, or no program writes into it within `opening_s`.
    """
    with as_recording_errors(path):
        try:
            return io.FileIO(in_time(partial(os.open, path, os.O_RDONLY), opening_s))
        except DriverStuckError as error:
            raise AudioFormatError(
                f"{path} is a pipe that no program has opened for writing within {opening_s:g} s; "
                "start that program first"
            ) from error
