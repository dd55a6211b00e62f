"""What reading a recording provokes in the system or a library goes in; an error of ours comes out.

Rules of this file:

1. The error is chosen by what the caller can do: find the file, mend its permissions, or the file.
2. Errors of ours, and what nobody expects of bytes (TypeError, AttributeError), are handed on.
3. The cause stays with the error.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, ParakeetError

READ_ERRORS: Final = (
    OSError,
    MemoryError,
    ArithmeticError,
    ValueError,
    LookupError,
    EOFError,
    struct.error,
)
"""What bytes can provoke: of the system, of libraries, and of numbers that a file says."""
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)


@contextmanager
def as_recording_errors(name: str) -> Iterator[None]:
    """Turns what the body provokes into errors about the recording `name`.

    Raises:
        AudioNotFoundError: there is no such file.
        AudioFormatError: it cannot be opened or read.
    """
    try:
        yield
    except ParakeetError:
        raise
    except READ_ERRORS as error:
        raise recording_error(name, error) from error


def recording_error(name: str, error: Exception) -> ParakeetError:
    """The error of ours for one that opening or reading the recording `name` has raised."""
    if isinstance(error, OSError):
        return _system_error(name, error)
    if isinstance(error, MemoryError):
        return AudioFormatError(
            f"{name} asks for more memory than there is; check that it plays, or convert it"
        )
    return AudioFormatError(
        f"{name} is broken ({reason_of(error)}); check that it plays, or convert it"
    )


def _system_error(name: str, error: OSError) -> ParakeetError:
    if error.errno in _NOT_THERE:
        return AudioNotFoundError(_not_there(name))
    if error.errno == errno.ENAMETOOLONG:
        return AudioNotFoundError(f"there is no file {name}: its name is too long for this system")
    if error.errno == errno.ELOOP:
        return AudioNotFoundError(f"{name} is a link that leads back to itself; mend the link")
    if error.errno in _FORBIDDEN:
        return AudioFormatError(
            f"{name} cannot be opened ({reason_of(error)}); check its permissions and those of its "
            "folders"
        )
    return AudioFormatError(
        f"{name} cannot be read ({reason_of(error)}); check the disk, or copy it elsewhere"
    )


def reason_of(error: Exception) -> str:
    """What the system or a library had to say, without numbers and names around it."""
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(said).strip().rstrip(".") or type(error).__name__


def _not_there(name: str) -> str:
    try:
        target = os.fsdecode(Path(name).readlink())
    except (OSError, ValueError):
        return f"there is no file {name}; check the path"
    return f"{name} is a link to {target}, which is not there; mend the link"
