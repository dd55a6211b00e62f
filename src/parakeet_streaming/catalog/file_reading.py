"""A path of a model's file in; its content, or our own error for whatever it provokes, out.

Rules of this file:

1. `reading` is the one place that turns what a file provokes into our own error. The parse stands
   inside it, and so does what is made of the result: a file decides both.
2. What can only be a mistake of ours (`AttributeError`, `NameError`, `AssertionError`) is raised as
   it is. All else stays chained as the cause.
3. Only regular files are opened. What a path is, is asked before, so that a pipe without a writer
   does not make anyone wait.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from parakeet_streaming.catalog.limits import MOST_TEXT_BYTES
from parakeet_streaming.errors import (
    FileAccessError,
    ModelFormatError,
    ModelPartMissingError,
    ParakeetError,
)

_LFS_POINTER: Final = b"version https://git-lfs"
_OUR_MISTAKES: Final = (AttributeError, NameError, AssertionError)
_MOST_REASON_CHARACTERS: Final = 200
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe (FIFO)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def reading(path: Path, broken: str = "is broken") -> Iterator[None]:
    """Turns what a file provokes, while it is read and used, into our own error.

    Args:
        path: the file or folder, for the message.
        broken: what to say of it where its content is at fault.

    Raises:
        ModelPartMissingError: it is not there, or is a link to what is not there.
        FileAccessError: the system does not let it be read.
        ModelFormatError: it is no file, or its content is at fault.
    """
    try:
        yield
    except (ParakeetError, *_OUR_MISTAKES):
        raise
    except OSError as error:
        if error.errno is None:  # not the system's, but a parser's
            raise _broken(path, broken, error) from error
        named = error.filename if isinstance(error.filename, (str, bytes)) else path
        raise _inaccessible(Path(os.fsdecode(named)), error) from error
    except Exception as error:  # protobuf has errors of its own, in a package without types
        raise _broken(path, broken, error) from error


def exists(path: Path) -> bool:
    """Whether anything is at a path; nothing can be where the name is longer than names may be.

    A link that leads nowhere is no nothing: somebody meant a file to be there.

    Raises:
        ModelPartMissingError: a link to what is not there.
        ModelFormatError: a link that leads back to itself.
        FileAccessError: a folder on the way may not be searched.
    """
    with reading(path):
        try:
            if path.exists():
                return True
            if path.is_symlink():
                path.stat()  # the system says why
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
        return False


def open_file(path: Path) -> BinaryIO:
    """A regular file, open for reading.

    Raises:
        ParakeetError: as `reading`.
    """
    with reading(path):
        _refuse_other_kinds(path, path.stat())
        # Not path.open(), which takes no opener.
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
        try:
            _refuse_other_kinds(path, os.fstat(file.fileno()))
        except BaseException:
            file.close()
            raise
        return file


def read_bytes(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> bytes:
    """All of a file that is no larger than `most_bytes`.

    Raises:
        ModelFormatError: it is larger, or only a pointer of Git LFS to the file.
        ParakeetError: as `reading`.
    """
    with reading(path), open_file(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ModelFormatError(
            f"{path} is larger than {most_bytes} bytes, which no such file of a model is; fetch it "
            "again"
        )
    _refuse_pointer(path, content)
    return content


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file.

    Raises:
        ModelFormatError: no JSON, too deep, too large, or no object.
        ParakeetError: as `reading`.
    """
    content = read_bytes(path)
    with reading(path, "is no JSON"):
        told = json.loads(content.decode("utf-8-sig"))
    if not isinstance(told, dict):
        raise ModelFormatError(f"{path} holds no JSON object; fetch it again")
    return told


def refuse_pointer(path: Path) -> None:
    """Refuses a file that Git LFS has left as a pointer to the real one.

    Raises:
        ModelFormatError: it is such a pointer.
        ParakeetError: as `reading`.
    """
    with reading(path), open_file(path) as file:
        _refuse_pointer(path, file.read(len(_LFS_POINTER)))


def _refuse_pointer(path: Path, content: bytes) -> None:
    if content.startswith(_LFS_POINTER):
        raise ModelFormatError(
            f"{path} is a Git LFS pointer, not the file itself; run `git lfs pull` in its "
            "repository"
        )


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_other_kinds(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((named for fits, named in _KINDS if fits(found.st_mode)), "no regular file")
        raise ModelFormatError(f"{path} is {kind} where a file is needed; put the file there")


def _broken(path: Path, broken: str, error: Exception) -> ModelFormatError:
    if isinstance(error, RecursionError):
        reason = "it is nested too deep"
    elif isinstance(error, MemoryError):
        reason = "it needs more memory than there is"
    elif "set_int_max_str_digits" in str(error):  # Python's advice how to read it after all
        reason = "a number in it has thousands of digits"
    else:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ModelFormatError(f"{path} {broken}; fetch it again ({reason[:_MOST_REASON_CHARACTERS]})")


def _inaccessible(path: Path, error: OSError) -> ParakeetError:
    """The error for what the system said of a path, by what can be done."""
    if error.errno == errno.ENAMETOOLONG:
        return ModelPartMissingError(
            f"{path.name[:40]}... is longer than names of files may be, so it is not there; give "
            "a shorter name"
        )
    if error.errno == errno.ELOOP:
        return ModelFormatError(f"{path} is a link that leads back to itself; put the file there")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        if path.is_symlink():
            return ModelPartMissingError(
                f"{path} is a link to a file that is not there; fetch the model again"
            )
        return ModelPartMissingError(f"{path} is missing; fetch the model again")
    reason = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        return FileAccessError(
            f"{path} may not be read by this user ({reason}); change its permissions or those of "
            "its folder, or use a copy"
        )
    return FileAccessError(
        f"{path} cannot be read ({reason}); check the disk that it is on, or use a copy"
    )
