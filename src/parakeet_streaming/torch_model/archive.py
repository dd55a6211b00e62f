"""A `.nemo` file (a tar, perhaps gzipped) in; its members by name out.

Rules of this file:

1. No member is unpacked to the disk.
2. Only plain files are read. Links are not followed; a name that leaves the archive is refused.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError, ParakeetError

# Of a config or a tokenizer: a gzipped member may be far larger than the file it came in.
_MOST_BYTES: Final = 64 * 2**20
_BROKEN: Final = (tarfile.TarError, OSError, EOFError, zlib.error)


class Archive:
    """The members of an open archive."""

    def __init__(self, tar: tarfile.TarFile, path: Path, *, compressed: bool) -> None:
        """Lists the members.

        Raises:
            ModelFormatError: a member whose name leads out of the archive.
        """
        self._tar = tar
        self._path = path
        self._compressed = compressed
        self._members: dict[str, tarfile.TarInfo] = {}
        for member in tar.getmembers():
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts:
                raise ModelFormatError(
                    f"{path} has a member {member.name!r}, outside of itself; no model has such, "
                    "do not use this file"
                )
            if member.isreg():
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
                f"{self._path}: {name} has {size_bytes} bytes, which none has; fetch the model "
                "again"
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
        # A gzipped file can only be read backwards by unpacking it again from its start.
        return io.BytesIO(file.read()) if self._compressed else file

    def _member(self, name: str) -> tarfile.TarInfo:
        try:
            return self._members[str(PurePosixPath(name))]
        except KeyError:
            there = ", ".join(self._members) or "no files"
            raise ModelPartMissingError(
                f"{self._path} lacks {name}; it holds {there}: fetch the model again"
            ) from None


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive in `path`, while it is open.

    Raises:
        ModelFormatError: no tar, a broken one, or one with hostile members.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with tarfile.open(path, "r:gz" if compressed else "r:") as tar:
            yield Archive(tar, path, compressed=compressed)
    except ParakeetError:
        raise
    except _BROKEN as error:
        raise ModelFormatError(
            f"{path} is no whole NeMo archive: {error}; fetch it again"
        ) from error
