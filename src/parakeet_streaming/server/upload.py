"""Bytes of an uploaded file in, as they come; the same bytes, to threads that read them, out.

Rules of this file:

1. `IN_MEMORY_BYTES` are in memory, the rest is in a temporary file without a name, which goes with
   the upload. The event loop never waits for the disk.
2. All bytes are kept until `close`, so that any reader begins at the start.
3. A reader waits for bytes that have not come; `close` ends its waiting.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import threading
from typing import Final

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.sources.spooling import LEAST_FREE_BYTES

IN_MEMORY_BYTES: Final = 1 << 20


class Upload:
    """A file that is being uploaded. One event loop writes it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._memory = bytearray()
        """Bytes that follow those on the disk."""
        self._on_disk = 0
        self._disk: _Disk | None = None
        self._is_whole = False
        self._is_closed = False

    async def add(self, data: bytes) -> None:
        """These bytes come next.

        Raises:
            CapacityError: the disk has no room for them.
        """
        with self._changed:
            self._memory += data
            self._changed.notify_all()
        if len(self._memory) > IN_MEMORY_BYTES:
            await asyncio.to_thread(self._move_to_disk)

    @property
    def is_closed(self) -> bool:
        """Whether it was given up."""
        return self._is_closed

    def end(self) -> None:
        """No more bytes come."""
        with self._changed:
            self._is_whole = True
            self._changed.notify_all()

    def close(self) -> None:
        """Forgets everything; whoever reads gets a ConnectionError."""
        with self._changed:
            self._is_closed = True
            self._memory = bytearray()
            self._changed.notify_all()
            disk, self._disk = self._disk, None
        if disk is not None:
            disk.close()

    def reader(self) -> UploadReader:
        """All bytes from the first."""
        return UploadReader(self)

    def piece(self, start: int, most_bytes: int) -> bytes:
        """Waits for the bytes from `start`, 1 to `most_bytes` of them; none only at the end.

        Raises:
            ConnectionError: the upload was given up.
        """
        with self._changed:
            while start >= self._on_disk + len(self._memory):
                if self._is_closed or self._is_whole:
                    break
                self._changed.wait()
            if self._is_closed:
                raise ConnectionError("the upload was given up")
            if start >= self._on_disk:
                at = start - self._on_disk
                return bytes(self._memory[at : at + most_bytes])
            disk, most_bytes = self._disk, min(most_bytes, self._on_disk - start)
        assert disk is not None, "bytes were moved there"
        return disk.read(start, most_bytes)

    def _move_to_disk(self) -> None:
        with self._changed:
            if self._is_closed:
                return
            if self._disk is None:
                self._disk = _Disk()
            disk, data = self._disk, bytes(self._memory)
        disk.append(data)
        with self._changed:
            self._on_disk += len(data)
            del self._memory[: len(data)]


class UploadReader:
    """The bytes of an upload, in order; for threads."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._position = 0

    def read(self, most_bytes: int) -> bytes:
        """As `Upload.piece`, from where the last read ended."""
        piece = self._upload.piece(self._position, most_bytes)
        self._position += len(piece)
        return piece


class _Disk:
    """The temporary file. Threads take turns."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        try:
            self._file: io.FileIO | None = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _no_room() from error

    def append(self, data: bytes) -> None:
        with self._turn:
            if self._file is None:
                return
            if shutil.disk_usage(tempfile.gettempdir()).free < LEAST_FREE_BYTES + len(data):
                raise _no_room()
            try:
                self._file.seek(0, io.SEEK_END)
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
            except OSError as error:
                raise _no_room() from error

    def read(self, start: int, count: int) -> bytes:
        with self._turn:
            if self._file is None:
                raise ConnectionError("the upload was given up")
            self._file.seek(start)
            return self._file.read(count) or b""

    def close(self) -> None:
        with self._turn:
            file, self._file = self._file, None
            if file is not None:
                file.close()


def _no_room() -> CapacityError:
    return CapacityError("the server's disk has no room for this file at the moment; try later")
