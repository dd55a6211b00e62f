"""Nothing in; the folder for temporary files out, or our error where there is none."""

from __future__ import annotations

import tempfile
from pathlib import Path

from parakeet_streaming.errors import UnavailableError


def temporary_folder() -> Path:
    """The folder for temporary files: what `TMPDIR` names, if files can be made there.

    Raises:
        UnavailableError: there is no such folder.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:  # Python has tried several
        raise UnavailableError(
            "there is no folder in which temporary files can be made; let TMPDIR name one with "
            "some room"
        ) from error
