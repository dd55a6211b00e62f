"""Nothing in; a folder on a disk of a few megabytes, which can be filled, out.

Where this program may not mount one, the folder is a usual one, and there is nothing to fill.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SIZE: Final = "8m"
_PIECE: Final = bytes(1 << 16)


class SmallDisk:
    """A disk of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._filling = folder, folder / "filling"

    def fill(self) -> None:
        """Leaves no room for another byte.

        Raises:
            RuntimeError: it is no disk of its own any more.
        """
        if not self._folder.is_mount():
            raise RuntimeError(f"{self._folder} is no disk of its own, and is not filled")
        with self._filling.open("ab", buffering=0) as file:
            for size in (len(_PIECE), 1):
                try:
                    while file.write(_PIECE[:size]) == size:
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """Gives the room back."""
        self._filling.unlink(missing_ok=True)


@contextmanager
def small_disk() -> Iterator[tuple[SmallDisk | None, Path]]:
    """The disk, if there can be one, and a folder for logs and what is uploaded."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as made:
        folder = Path(made)
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", made]
        try:
            mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
        except OSError:
            mounted = False
        try:
            yield (SmallDisk(folder) if mounted else None), folder
        finally:
            if mounted:
                subprocess.run(["umount", "-l", made], capture_output=True, check=False)
