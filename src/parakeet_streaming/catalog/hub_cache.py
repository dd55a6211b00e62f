"""The hub's cache on this disk in; which models it has, and where, out.

```
cache/models--owner--name/refs/main             a commit, as text
                          snapshots/COMMIT/x    links to blobs
                          blobs/DIGEST          files, or links into the store that models share
cache/blobs/DI/DIGEST
```

Rules of this file:

1. A snapshot is a folder that is named by a commit and lies in the cache by its real path. What a
   file in `refs` says is a commit, or nothing: it is never a way to another place.
2. Whatever else lies in the cache is passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.hub_ids import is_hub_name
from parakeet_streaming.errors import ModelFormatError

_PREFIX: Final = "models--"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_MOST_IN_A_REF: Final = 128
"""Bytes that are read of a file in `refs`; a commit and a line's end have 42 at most."""


def check_ref(cache: Path, name: str, revision: str) -> None:
    """Refuses a branch or tag for which the cache has something else than a commit.

    Raises:
        ModelFormatError: it has.
    """
    ref = _home(cache, name) / "refs" / revision
    if not os.path.lexists(ref) or ref.is_dir():
        return
    if not ref.is_file() or not _COMMIT.fullmatch(_start_of(ref)):
        raise ModelFormatError(f"{ref} names no commit; remove it and fetch the model again")


def check_snapshot(cache: Path, name: str, folder: Path) -> None:
    """Refuses a folder that is no snapshot of a model by its real path.

    Raises:
        ModelFormatError: it lies elsewhere.
    """
    if not _is_inside(cache, name, folder):
        raise ModelFormatError(
            f"{folder} does not lie in the hub's cache but leads outside it; give the folder "
            "to which it leads, if you trust that"
        )


def cached_snapshots(cache: Path) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Hub ids and their snapshots, the latest first."""
    for home in _entries(cache):
        name = home.name.removeprefix(_PREFIX).replace("--", "/", 1)
        if home.name.startswith(_PREFIX) and is_hub_name(name):
            found = [
                folder
                for folder in _entries(home / "snapshots")
                if _COMMIT.fullmatch(folder.name) and _is_inside(cache, name, folder)
            ]
            yield name, tuple(sorted(found, key=_changed_s, reverse=True))


def snapshot_bytes(folder: Path) -> int:
    """The size of all files of a snapshot."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(path.stat().st_size for path in files if path.is_file())


def blob_folders(path: Path) -> tuple[tuple[Path, Path], ...]:
    """Where a link in a snapshot may lead: blobs of its repository, and those that all share.

    Args:
        path: of the link. Of what lies in no snapshot, nothing is given.
    """
    for snapshots in path.absolute().parents:
        home = snapshots.parent
        if snapshots.name == "snapshots" and home.name.startswith(_PREFIX):
            real = home.resolve()
            return ((real / "blobs", real.parent / "blobs"),)
    return ()


def _home(cache: Path, name: str) -> Path:
    return cache / f"{_PREFIX}{name.replace('/', '--')}"


def _is_inside(cache: Path, name: str, folder: Path) -> bool:
    try:
        real = folder.resolve(strict=True)
        return real == _home(cache.resolve(), name) / "snapshots" / folder.name
    except (OSError, RuntimeError):  # a link to itself, or to nothing
        return False


def _entries(folder: Path) -> list[Path]:
    """Folders in a folder; none where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _changed_s(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # it has just been removed
        return 0.0


def _start_of(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_IN_A_REF).decode("ascii", "replace").strip()
