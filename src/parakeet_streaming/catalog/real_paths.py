"""A file of a model in; its real path out, if a model's file may lie there.

Rules of this file:

1. A link leads to a file in one of the model's own folders; which these are, the caller knows.
2. In the hub's cache a link may also lead to a blob: of the same repository, or in the store that
   repositories share. Nothing else is read because a model's folder has a link to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.hub_cache import blob_folders
from parakeet_streaming.errors import ModelFormatError

_SHARED_BLOB: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}")


def real_path(path: Path, places: Iterable[Path]) -> Path | None:
    """The real path of a file; None if it lies in none of `places` and is no blob."""
    real = path.resolve()
    inside = any(real.is_relative_to(place.resolve()) for place in places)
    return real if inside or _is_blob(real, path) else None


def refuse_outside(path: Path, places: Iterable[Path]) -> None:
    """Refuses a file of a model that is a link to somewhere else.

    Raises:
        ModelFormatError: it is.
    """
    if real_path(path, places) is None:
        raise ModelFormatError(
            f"{path} is a link that leads outside the model's folder; put the file itself there"
        )


def _is_blob(real: Path, path: Path) -> bool:
    """Whether a link in the hub's cache leads to one of its blobs."""
    for own, shared in blob_folders(path):
        if real.is_relative_to(own):
            return True
        if real.is_relative_to(shared):
            return bool(_SHARED_BLOB.fullmatch(real.relative_to(shared).as_posix()))
    return False
