"""A folder and the names of an earlier model in it in; the new model in its place, or nothing new.

Rules of this file:

1. Until the new files are whole, they lie in a hidden folder inside the target, and the earlier
   model stays as it is. An error, a full disk or Ctrl-C takes away what was written.
2. Then files are renamed, which needs no room. The last one is `LAST_NAME`, without which no folder
   is a model: a kill in between never leaves a mixture that loads.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import OptionError

LAST_NAME: Final = "vocab.txt"

_EARLIER: Final = "earlier"


@contextmanager
def replacing(target: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """A folder to write in, whose files take the place of those in `target` that match `patterns`.

    Nothing is replaced if the block raises; a target that was not there is then not there either.
    """
    missing = [folder for folder in (target, *target.parents) if not folder.exists()]
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix=".export-", dir=target, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)
            _replace(Path(folder), target, patterns)
    except BaseException:
        with suppress(OSError):  # not empty: someone else has put something there
            for made in missing:
                made.rmdir()
        raise


def check_room(needed: Sequence[tuple[Path, int]], advice: str) -> None:
    """Refuses work for which a disk surely has no room.

    Args:
        needed: folders, or what will be folders, and the bytes that go into each.
        advice: what to do then.

    Raises:
        OptionError: a disk with less room than that.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size_bytes in needed:
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        disk = there.stat().st_dev
        disks[disk] = (there, disks.get(disk, (there, 0))[1] + size_bytes)
    for there, size_bytes in disks.values():
        free_bytes = shutil.disk_usage(there).free
        if free_bytes < size_bytes:
            raise OptionError(
                f"{there} has {free_bytes / 1e9:.1f} GB of room, and the export needs "
                f"{size_bytes / 1e9:.1f} GB there; {advice}"
            )


def _replace(folder: Path, target: Path, patterns: Sequence[str]) -> None:
    new = sorted(folder.iterdir(), key=lambda path: path.name == LAST_NAME)
    earlier = {path for pattern in patterns for path in target.glob(pattern) if not path.is_dir()}
    aside = folder / _EARLIER
    aside.mkdir()
    moves = [(path, aside / path.name) for path in _last_first(earlier)]
    moves += [(path, target / path.name) for path in new]
    done = []
    try:
        for source, place in moves:
            source.replace(place)
            done.append((source, place))
    except BaseException:
        for source, place in reversed(done):
            place.replace(source)
        raise


def _last_first(paths: set[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.name != LAST_NAME)
