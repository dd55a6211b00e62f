"""An open file in; the same file, of which a reader takes no more than a budget, out.

Readers of archives ask for as many bytes as the archive tells them to: a header of 2 GB is 2 GB of
memory. What they ask for is counted here, before it is read.
"""

from __future__ import annotations

import io
import os
from typing import IO

from parakeet_streaming.errors import ModelFormatError


class BoundedFile(io.RawIOBase):
    """A file that can be read from anywhere."""

    def __init__(self, file: IO[bytes], what: str, *, most_bytes: int, most_sum_bytes: int) -> None:
        """Bounds a file.

        Args:
            file: it stays open when this one is closed.
            what: what messages call that which is read.
            most_bytes: of one read.
            most_sum_bytes: of all reads.
        """
        self._file = file
        self._what = what
        self._most_bytes = most_bytes
        self._most_sum_bytes = most_sum_bytes
        self._left_bytes = most_sum_bytes
        self._lifted = False

    def lift(self) -> None:
        """Ends the budget: what is read from now on has bounds of its own."""
        self._lifted = True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes.

        Raises:
            ModelFormatError: the budget does not allow it.
        """
        if not self._lifted:
            size = self._allowed(size)
        return self._file.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def _allowed(self, size: int | None) -> int:
        if size is None or size < 0:
            here = self._file.tell()
            size = self._file.seek(0, os.SEEK_END) - here
            self._file.seek(here)
        if size > self._most_bytes:
            raise ModelFormatError(
                f"{self._what} has more than {self._most_bytes} bytes, and none of a model has; do "
                "not use this file"
            )
        self._left_bytes -= size
        if self._left_bytes < 0:
            raise ModelFormatError(
                f"{self._what} and those before it have more than {self._most_sum_bytes} bytes "
                "together, and no model has so many; do not use this file"
            )
        return size
