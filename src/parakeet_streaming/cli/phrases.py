"""`--phrases FILE` and `--boost` in; what a stream boosts out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from parakeet_streaming.boosting.options import Boosting, boosting_of
from parakeet_streaming.boosting.phrase_file import phrases_in
from parakeet_streaming.errors import FileAccessError, OptionError

_MOST_BYTES: Final = 1 << 20
"""Ten times what all phrases of a stream may have."""


def read_boosting(path: str | None, boost: float | None) -> Boosting | None:
    """The phrases of a file, and how strongly they are boosted; None without a file.

    Raises:
        OptionError: no such file, one that is no list of phrases, or `boost` without one.
        FileAccessError: a file that may not, or cannot, be read.
    """
    if path is None:
        if boost is not None:
            raise OptionError("--boost goes with --phrases FILE; name the file with the phrases")
        return None
    return boosting_of(phrases_in(_text_of(path), path), boost)


def _text_of(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise OptionError(f"--phrases {path}: there is no such file") from error
    except OSError as error:
        raise FileAccessError(f"--phrases {path} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise OptionError(f"--phrases {path} has more than {_MOST_BYTES:,} bytes; it is no list")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OptionError(f"--phrases {path} is no UTF-8 text; save it in that encoding") from error
