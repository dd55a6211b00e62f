"""Lines that users write keys in, `KEY` or `NAME:KEY`, in; keys by name out.

No message shows a key, or part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import OptionError

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY: Final = re.compile(r"[!-~]+")
_RESERVED: Final = "anonymous"
"""What callers without a key are counted as."""
_MOST_KEYS: Final = 1_000
"""Each is a value of a metric's label."""


def read_key(line: str) -> tuple[str | None, str]:
    """Name and key of a line.

    Raises:
        OptionError: it holds none.
    """
    before, colon, after = line.strip().partition(":")
    is_named = bool(colon) and _NAME.fullmatch(before) is not None
    name, key = (before, after) if is_named else (None, line.strip())
    if _KEY.fullmatch(key) is None:
        raise OptionError("a key is KEY or NAME:KEY, of letters, digits and signs without spaces")
    if name == _RESERVED:
        raise OptionError(f"the name {_RESERVED!r} is taken; give the key another one")
    return name, key


def read_key_file(path: str) -> list[str]:
    """The lines of a file that hold keys.

    Raises:
        OptionError: it cannot be read, or a line of it is no key.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise OptionError(f"the file of keys {path} cannot be read: {reason}") from None
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            read_key(text)
        except OptionError as error:
            raise OptionError(f"{path}, line {number}: {error}") from None
        found.append(text)
    if not found:
        raise OptionError(f"the file of keys {path} holds none")
    return found


def named_keys(lines: Iterable[str]) -> dict[str, str]:
    """Keys by name; those without a name are key-1, key-2 ... by their place.

    Raises:
        OptionError: a name or a key is there twice, or there are too many.
    """
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        given, key = read_key(line)
        name = f"key-{number}" if given is None else given
        if name in keys:
            raise OptionError(f"the name {name!r} has two keys; give each its own name")
        if key in keys.values():
            raise OptionError(f"the key of {name!r} is there twice; each needs its own")
        keys[name] = key
    if len(keys) > _MOST_KEYS:
        raise OptionError(f"{len(keys)} keys; {_MOST_KEYS} is the most")
    return keys
