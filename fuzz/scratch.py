"""A name and bytes in; the path of a file with them, in a folder of this process, out."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="parakeet-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def scratch_folder(name: str = "") -> Path:
    """A folder, made if it is not there, that goes with this process."""
    folder = _made() / name
    folder.mkdir(exist_ok=True)
    return folder


def scratch_file(name: str, data: bytes, folder: str = "") -> Path:
    """A file with these bytes and no others."""
    path = scratch_folder(folder) / name
    path.write_bytes(data)
    return path
