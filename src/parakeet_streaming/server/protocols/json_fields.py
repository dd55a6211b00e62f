"""A JSON object with objects inside in; its fields, or what is wrong with which of them, out.

Rules of this file:

1. A field that is absent, or null, is its default. Fields that nobody asks for are no mistake.
2. A wrong value is a `WrongRequestError` that names the field by its path.
3. Whatever the value is, a message about it is short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from parakeet_streaming.server.replies import WrongRequestError

MOST_TEXT: Final = 4_096
"""Characters of a name, a prompt or the like."""
_MOST_SHOWN: Final = 60
_MOST_TEXTS: Final = 256
_MOST_OF_TEXTS: Final = 128


class Fields:
    """The fields of one object."""

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        """`path`: how the client calls the object; empty for the message itself."""
        self._values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        """Whether the client gave it; null is given, too."""
        return name in self._values

    def is_null(self, name: str) -> bool:
        """Whether the client gave null."""
        return name in self and self._values[name] is None

    def inner(self, name: str) -> Fields | None:
        """An object inside; None where there is none."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, value, "an object")
        return Fields(value, self.path(name))

    def text(self, name: str, default: str | None = None) -> str | None:
        """A string, cut to a moderate length."""
        value = self.long_text(name)
        return default if value is None else value[:MOST_TEXT]

    def long_text(self, name: str) -> str | None:
        """A string of any length."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, value, "a string")
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """One of some strings."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, value, f"one of {', '.join(choices)}")
        return value

    def number(self, name: str, least: float, most: float, default: float) -> float:
        """A number in a range."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, value, "a number")
        if not least <= value <= most:
            raise self._wrong(name, value, f"{least:g} to {most:g}")
        return value

    def whole(self, name: str, choices: Sequence[int], default: int) -> int:
        """One of some whole numbers."""
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in choices:
            raise self._wrong(name, value, f"one of {', '.join(map(str, choices))}")
        return int(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings, cut to a moderate number and length; empty where there is none."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(name, value, "an array of strings")
        return tuple(each[:_MOST_OF_TEXTS] for each in value[:_MOST_TEXTS])

    def path(self, name: str) -> str:
        """How the client calls a field."""
        return f"{self._path}.{name}" if self._path else name

    def mistake(self, name: str, what: str) -> WrongRequestError:
        """The error for a field that is wrong; `what` follows its name."""
        return WrongRequestError(f"{self.path(name)} {what}", self.path(name))

    def _wrong(self, name: str, value: object, wanted: str) -> WrongRequestError:
        return self.mistake(name, f"is {_shown(value)}; use {wanted}")


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of many digits"
    shown = json.dumps(value[:_MOST_SHOWN] if isinstance(value, str) else value)
    return f"{shown[:_MOST_SHOWN]}…" if len(shown) > _MOST_SHOWN else shown
