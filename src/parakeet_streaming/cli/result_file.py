"""Text of one result in, as it comes; a file that is whole, or stays as it was, out.

Rules of this file:

1. A result grows in a file beside its own, NAME.part, and takes its name when it is whole. What a
   program that is killed has written is there; an older result is as it was.
2. A result that is not whole takes its name only where nothing else has it.
3. What is appended to, what others read while it grows, and what is no file (a device, a pipe) is
   written in place.
4. Every write is on its way to the disk when it returns.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

from parakeet_streaming.cli.output_paths import partial_path
from parakeet_streaming.cli.written_files import is_regular, status_of, writing
from parakeet_streaming.errors import OptionError


class ResultFile:
    """One file that is written."""

    def __init__(self, path: Path, *, append: bool = False, in_place: bool = False) -> None:
        """Opens it.

        Raises:
            OptionError: it cannot be written.
        """
        self._path = path
        self._part: Path | None = None
        with writing(path):
            self._real = Path(os.path.realpath(path))
            self._old = status_of(path) is not None
            if append or in_place or (self._old and not is_regular(path)):
                self._file = self._open(self._real, "a" if append else "w")
            else:
                self._file = self._beside()
            if append:
                self._end_line()

    def write(self, text: str) -> None:
        """Adds text.

        Raises:
            OptionError: the disk is full, or gone; what was written before stays.
        """
        with writing(self._path):
            self._file.write(text)
            self._file.flush()

    def restart(self) -> None:
        """Forgets what was written, where it was not written in place."""
        if self._part is not None:
            with writing(self._path):
                self._file.seek(0)
                self._file.truncate()

    def close(self, *, whole: bool, heard: bool = True) -> Path | None:
        """Closes the file; a whole result takes its name.

        Args:
            whole: whether nothing is missing.
            heard: whether a result that is not whole is worth keeping.

        Returns:
            Where a result is that could not take its name, because an older one has it.

        Raises:
            OptionError: it cannot take its name.
        """
        if self._part is None:
            with suppress(OSError):  # every write was flushed, or has raised its error
                self._file.close()
            return None
        try:
            if whole:
                os.fsync(self._file.fileno())
            self._file.close()
            if whole or (heard and not self._old):
                self._part.replace(self._real)
                return None
            if heard:
                return self._part
            self._part.unlink()
        except OSError as error:
            raise OptionError(
                f"cannot write {self._path}: {error.strerror}; the result is in {self._part}"
            ) from error
        return None

    def _beside(self) -> TextIO:
        """The file beside it; itself, where its folder takes no such file."""
        if self._old and not os.access(self._real, os.W_OK):
            raise PermissionError(None, "its permissions forbid it")
        part = partial_path(self._real)
        try:
            file = self._open(part, "w")
        except OSError as error:
            is_forbidden = self._old and isinstance(error, PermissionError)
            if not is_forbidden and error.errno != errno.ENAMETOOLONG:
                raise
            return self._open(self._real, "w")
        if self._old:
            with suppress(OSError):
                part.chmod(self._real.stat().st_mode & 0o7777)
        self._part = part
        return file

    def _end_line(self) -> None:
        """Ends the last line of what is there, which a program that was killed may not have."""
        if is_regular(self._real) and self._real.stat().st_size:
            with self._real.open("rb") as before:
                before.seek(-1, os.SEEK_END)
                if before.read() != b"\n":
                    self._file.write("\n")

    @staticmethod
    def _open(path: Path, mode: str) -> TextIO:
        # Names that are no UTF-8 may be in a comment.
        return cast("TextIO", path.open(mode, encoding="utf-8", errors="backslashreplace"))
