"""A file in; its SHA-256 out, computed once for each state of the file.

A model's weights take seconds. So what was computed is kept in a cache of this user's, together
with what changes when a file is replaced or written. Without such a cache it is computed each time.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.cache_folder import cache_folder, keep_text, kept_text

_FOLDER: Final = "digests"
_FILE: Final = "sha256.json"
_MOST_FILES: Final = 256
"""That are remembered; a model has some five. Of more, the last ones."""


def sha256(path: Path) -> str:
    """64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    real = path.resolve()
    key, state = str(real), _state(real)
    folder = cache_folder(_FOLDER)
    known = {} if folder is None else _kept(folder / _FILE)
    if known.get(key, [])[:-1] == state:
        return str(known[key][-1])
    with real.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if folder is not None and _state(real) == state:
        known = {name: said for name, said in known.items() if name != key}
        latest = list(known.items())[1 - _MOST_FILES :]
        keep_text(folder / _FILE, json.dumps(dict([*latest, (key, [*state, digest])])))
    return digest


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _kept(path: Path) -> dict[str, list[object]]:
    try:
        saved = json.loads(kept_text(path) or "")
    except (ValueError, RecursionError):
        return {}
    pairs = saved.items() if isinstance(saved, dict) else ()
    return {name: said for name, said in pairs if isinstance(said, list)}
