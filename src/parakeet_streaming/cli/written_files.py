"""Paths that are written go in; what the system says of them, as facts or errors of ours, out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parakeet_streaming.errors import OptionError, ParakeetError


def status_of(path: Path) -> os.stat_result | None:
    """What the system knows of a path; None where it is not there, or cannot be looked at."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def is_folder(path: Path) -> bool:
    """Whether it is a folder that can be seen."""
    return stat.S_ISDIR(mode_of(path))


def is_regular(path: Path) -> bool:
    """Whether it is a file that can be seen, and no device or pipe."""
    return stat.S_ISREG(mode_of(path))


def check_folder_of(path: Path) -> None:
    """Refuses a path in a folder that is not there.

    Raises:
        OptionError: there is no folder for it, or nothing may be written there.
    """
    folder = path.absolute().parent
    with writing(path):
        try:
            path.lstat()
        except FileNotFoundError:
            if is_folder(folder) and not os.access(folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        except NotADirectoryError:
            pass  # its folder is a file
    if not is_folder(folder):
        raise OptionError(f"there is no folder for {path}; make it first")


def mode_of(path: Path) -> int:
    """Kind and permissions of what is there; 0 where there is nothing."""
    status = status_of(path)
    return 0 if status is None else status.st_mode


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what opening or writing a file provokes into an error about it.

    Raises:
        OptionError: it cannot be written.
    """
    try:
        yield
    except (ParakeetError, BrokenPipeError):
        raise
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        # A NUL in the name, characters that cannot be encoded, or links that lead in a circle.
        raise OptionError(f"cannot write {path}: {error}; name another file") from error
