"""A name in; this user's cache folder of that name out."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """The folder, which is created; None if it cannot be written, or the user has no home."""
    try:
        folder = _base() / "parakeet-streaming" / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # Path.home() raises RuntimeError
        return None
    return folder if os.access(folder, os.W_OK) else None


def _base() -> Path:
    """Where this user's caches are."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
