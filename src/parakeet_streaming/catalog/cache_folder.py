"""A name in; this user's cache folder of that name, and what stands in its files, out.

Rules of this file:

1. What a cache says is believed, and what it compiled is run. So a cache is used only if it is this
   user's by owner and mode: the folders that are made here and each file in them belong to the user
   and cannot be written by others, and nobody else can put folders in their place.
2. Anything else is not used and told once; that costs time and is no error.
3. Windows has no owners and modes of this kind; there, caches are below the user's profile.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path, PurePath
from typing import Final

MOST_BYTES: Final = 1 << 20
"""Of a file that `kept_text` reads; what is kept today has less than 2 kB."""

_OURS: Final = "parakeet-streaming"
_FOR_THE_USER: Final = 0o700
_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_LOG: Final = logging.getLogger(__name__)


def cache_folder(name: str) -> Path | None:
    """The folder, which is created; None where it is not used, which is told once.

    Args:
        name: a folder below the package's own.
    """
    folder, reason = _usable(name)
    if reason is not None:
        _tell(reason)
    return folder


def cache_in_words(name: str) -> str:
    """Where the folder is, or why it is not used."""
    folder, reason = _usable(name)
    return str(folder) if folder is not None else f"none: {reason or 'it cannot be written'}"


def _usable(name: str) -> tuple[Path | None, str | None]:
    """The folder; or None and, where it is there and is not the user's, the reason."""
    try:
        base = _base()
        base.mkdir(parents=True, exist_ok=True)
        folders = [base]
        for part in (_OURS, *PurePath(name).parts):
            folders.append(folders[-1] / part)
            folders[-1].mkdir(mode=_FOR_THE_USER, exist_ok=True)
        reason = _not_safe(base) or _not_ours(folders[1:]) or _not_ours(_files(folders[-1]))
    except (OSError, RuntimeError):  # Path.home() raises RuntimeError
        return None, None
    if reason is None and os.access(folders[-1], os.W_OK):
        return folders[-1], None
    return None, reason


def kept_text(path: Path) -> str | None:
    """What a file of a cache says; None if there is none, or none that can be believed."""
    try:
        size_bytes = path.stat().st_size
        if _not_ours([path]) or not path.is_file() or size_bytes > MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def keep_text(path: Path, text: str) -> None:
    """Writes a file of a cache, whole or not at all, for this user alone."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
        Path(file.name).replace(path)
    except OSError:
        return


def _base() -> Path:
    """Where this user's caches are."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # One that depends on where the program was started is none, as the standard says too.
    return told if told.is_absolute() else Path.home() / ".cache"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_symlink() or not path.is_dir())


def _not_safe(base: Path) -> str | None:
    """Why others could put their own in the place of folders in `base`; None if they could not.

    Groups are trusted here: many systems give each user a group of his own.
    """
    if not hasattr(os, "geteuid"):
        return None
    real = base.resolve()
    if real.stat().st_uid not in (0, os.geteuid()):
        return f"{base} belongs to another user; {_ADVICE}"
    for folder in (real, *real.parents):
        mode = folder.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            return f"all users may rename what is in {folder}; {_ADVICE}"
    return None


def _not_ours(paths: list[Path]) -> str | None:
    """Why files and folders, or what links lead to, are not the user's; None if they are."""
    if not hasattr(os, "geteuid"):
        return None
    for path in paths:
        try:
            link, real = path.lstat(), path.stat()
        except FileNotFoundError:  # removed by another process, or a link to nothing
            continue
        if {link.st_uid, real.st_uid} != {os.geteuid()}:
            return f"{path} belongs to another user; remove it, or {_ADVICE}"
        if not (stat.S_ISREG(real.st_mode) or stat.S_ISDIR(real.st_mode)):
            return f"{path} is no file; remove it, or {_ADVICE}"  # a pipe would make all wait
        if real.st_mode & _BY_OTHERS:
            return f"others may write {path}; remove it or take that right away, or {_ADVICE}"
    return None


_ADVICE: Final = "let XDG_CACHE_HOME name a folder that is yours alone"


@cache
def _tell(reason: str) -> None:
    _LOG.warning("nothing is kept between starts, and each takes longer: %s", reason)
