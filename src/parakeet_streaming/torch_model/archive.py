"""A `.nemo` file (a tar, perhaps gzipped) in; its members by name out.

Rules of this file:

1. A gzipped archive is unpacked into one unnamed temporary file, as a stream, within a budget. Of a
   plain one nothing is copied.
2. Only plain files are read. Links are not followed; a name that leaves the archive is refused.
3. What an archive says of itself (names, headers, how many members) is read within a budget too.
"""

from __future__ import annotations

import errno
import gzip
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from parakeet_streaming.catalog.temporary import temporary_folder
from parakeet_streaming.errors import (
    ModelFormatError,
    ModelPartMissingError,
    ParakeetError,
    UnavailableError,
)
from parakeet_streaming.plain_text import listed, shown, visible
from parakeet_streaming.torch_model.bounded_file import BoundedFile

_MOST_BYTES: Final = 64 * 2**20
"""Of a config or a tokenizer, which are read as a whole: a large tokenizer has 4 MB."""
MOST_MEMBERS: Final = 1000
"""Of an archive: NeMo's have fewer than a hundred."""
MOST_HEADER_BYTES: Final = 4096
"""Of one header of a tar: as long as a path may be on most systems."""
MOST_HEADERS_BYTES: Final = 2 * 2**20
"""Of all headers together: those of `MOST_MEMBERS` that have a long name each."""
MOST_RATIO: Final = 20
"""Bytes that a byte of a gzipped archive may stand for: weights shrink to nine tenths."""
FREE_BYTES: Final = 64 * 2**20
"""What any gzipped archive may unpack to, whatever its ratio: small models are mostly text."""
MOST_UNPACKED_BYTES: Final = 64 * 2**30
"""Of a gzipped archive: twelve times the largest Parakeet."""

_GZIP: Final = b"\x1f\x8b"
_PIECE_BYTES: Final = 2**20
_BROKEN: Final = (tarfile.TarError, OSError, EOFError, zlib.error)


class Archive:
    """The members of an open archive."""

    def __init__(self, tar: tarfile.TarFile, path: Path) -> None:
        """Lists the members.

        Raises:
            ModelFormatError: a member whose name leads out of the archive, or too many.
        """
        self._tar = tar
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}
        for count, member in enumerate(tar):
            if count == MOST_MEMBERS:
                raise ModelFormatError(
                    f"{path} has more than {MOST_MEMBERS} members, and no model has so many; do "
                    "not use this file"
                )
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts:
                raise ModelFormatError(
                    f"{path} has a member {shown(member.name)}, outside of itself; no model has "
                    "such, do not use this file"
                )
            if member.isreg() and not member.issparse():
                self._members[str(name)] = member

    def read(self, name: str) -> bytes:
        """A small member as a whole.

        Raises:
            ModelPartMissingError: no such member.
            ModelFormatError: it is far too large.
        """
        size_bytes = self._member(name).size
        if size_bytes > _MOST_BYTES:
            raise ModelFormatError(
                f"{self._path}: {listed([name])} has {size_bytes} bytes, and none of a model has "
                f"more than {_MOST_BYTES}; fetch the model again"
            )
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> IO[bytes]:
        """A member that can be read from anywhere.

        Raises:
            ModelPartMissingError: no such member.
        """
        file = self._tar.extractfile(self._member(name))
        assert file is not None  # plain files have one
        return file

    def _member(self, name: str) -> tarfile.TarInfo:
        try:
            return self._members[str(PurePosixPath(name))]
        except KeyError:
            there = listed(self._members) or "no files"
            raise ModelPartMissingError(
                f"{self._path} lacks {listed([name])}; it holds {there}: fetch the model again"
            ) from None


def is_archive(path: Path) -> bool:
    """Whether a file begins as a tar, or a gzipped tar, does."""
    with path.open("rb") as file:
        try:
            head = _begin(file)
            if head == bytes(tarfile.BLOCKSIZE):  # the end of an empty one
                return True
            tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, OSError, EOFError, zlib.error):
            return False
    return True


def _begin(file: IO[bytes]) -> bytes:
    """The first header of a tar, packed or not."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    if not packed:
        return file.read(tarfile.BLOCKSIZE)
    with gzip.GzipFile(fileobj=file) as unpacked:
        return unpacked.read(tarfile.BLOCKSIZE)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive in `path`, while it is open.

    Raises:
        ModelFormatError: no tar, a broken one, or one with hostile members.
        UnavailableError: no room to unpack it.
    """
    with _named(path), ExitStack() as stack:
        yield _opened(path, stack)


def _opened(path: Path, stack: ExitStack) -> Archive:
    file: IO[bytes] = stack.enter_context(path.open("rb"))
    if file.read(2) == _GZIP:
        unpacked = tempfile.TemporaryFile(dir=temporary_folder())  # noqa: SIM115  the stack closes it
        stack.enter_context(unpacked)
        _unpack(path, file, unpacked)
        file = unpacked
    file.seek(0)
    bounded = BoundedFile(
        file, f"{path}: a header", most_bytes=MOST_HEADER_BYTES, most_sum_bytes=MOST_HEADERS_BYTES
    )
    try:
        tar = stack.enter_context(tarfile.TarFile(fileobj=bounded))
        archive = Archive(tar, path)
    except ParakeetError:
        raise
    except (ValueError, OverflowError, RecursionError) as error:
        raise tarfile.ReadError(f"its headers cannot be read, {error}") from error
    bounded.lift()
    return archive


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except ParakeetError:
        raise
    except _BROKEN as error:
        raise ModelFormatError(
            f"{path} is no whole NeMo archive: {visible(str(error))}; fetch it again"
        ) from error


def _unpack(path: Path, packed: IO[bytes], into: IO[bytes]) -> None:
    """Unpacks all of an archive, within the budget."""
    most_bytes = min(FREE_BYTES + MOST_RATIO * path.stat().st_size, MOST_UNPACKED_BYTES)
    packed.seek(0)
    written = 0
    with gzip.GzipFile(fileobj=packed) as file:
        while piece := file.read(_PIECE_BYTES):
            written += len(piece)
            if written > most_bytes:
                raise ModelFormatError(
                    f"{path} unpacks to more than {most_bytes} bytes, {MOST_RATIO} times its size "
                    f"and {FREE_BYTES}; no model shrinks so far, do not use this file"
                )
            _write(into, piece)
    into.flush()


def _write(into: IO[bytes], piece: bytes) -> None:
    try:
        into.write(piece)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        folder = temporary_folder()
        free_bytes = shutil.disk_usage(folder).free
        raise UnavailableError(
            f"{folder} has no room to unpack the archive ({free_bytes} bytes are free); make room, "
            "or let TMPDIR name another folder"
        ) from error
