"""An object of JSON, or a query, in; its fields, or what is wrong with which of them, out.

Rules of this file:

1. A field that is not there, or null, is None. What may be left out is the protocol's to say.
   Fields that nobody asks for are no mistake.
2. A wrong value is a `WrongRequestError` that names the field by its path.
3. Queries and forms have texts only, so a text that says a number, or yes and no, is taken as it.
4. Whatever the value is, a message about it is short.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from parakeet_streaming.server.replies import WrongRequestError

MOST_TEXT: Final = 4_096
"""Characters of a name, a prompt or the like."""
_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")
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

    def value(self, name: str) -> object:
        """Whatever it is; None where it is not there."""
        return self._values.get(name)

    def inner(self, name: str) -> Fields | None:
        """An object inside."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "use an object")
        return Fields(value, self.path(name))

    def text(self, name: str) -> str | None:
        """A text of any length."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(name, "use a text")

    def short_text(self, name: str) -> str | None:
        """A text, cut to a moderate length."""
        value = self.text(name)
        return None if value is None else value[:MOST_TEXT]

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of some texts."""
        value = self._values.get(name)
        if value is None or (isinstance(value, str) and value in choices):
            return value
        raise self._wrong(name, f"use one of {', '.join(choices)}")

    def number(self, name: str, least: float, most: float) -> float | None:
        """A finite number within bounds."""
        value = self._values.get(name)
        if value is None:
            return None
        number = math.nan
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            with suppress(ValueError, OverflowError):
                number = float(value)
        if not least <= number <= most:
            raise self._wrong(name, f"use a number from {least:g} to {most:g}")
        return number

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        number = self.number(name, least, most)
        if number is None:
            return None
        if number != int(number):
            raise self._wrong(name, "use a whole number")
        return int(number)

    def flag(self, name: str) -> bool | None:
        """Yes or no."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).lower() if isinstance(value, str) or value in (0, 1) else ""
        if word in _YES or word in _NO:
            return word in _YES
        raise self._wrong(name, "use true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of texts, cut to a moderate number and length; empty where there is none."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(name, "use an array of texts")
        return tuple(each[:_MOST_OF_TEXTS] for each in value[:_MOST_TEXTS])

    def path(self, name: str) -> str:
        """How the client calls a field."""
        return f"{self._path}.{name}" if self._path else name

    def mistake(self, name: str, what: str) -> WrongRequestError:
        """The error for a field that is wrong; `what` follows its name."""
        return WrongRequestError(f"{self.path(name)} {what}", self.path(name))

    def _wrong(self, name: str, wanted: str) -> WrongRequestError:
        return self.mistake(name, f"is {shown(self._values.get(name))}; {wanted}")


def object_of(text: str | bytes) -> dict[str, object]:
    """The JSON object that a message is.

    Raises:
        WrongRequestError: it is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongRequestError("this message is no JSON") from None
    if not isinstance(value, dict):
        raise WrongRequestError("this message is no JSON object")
    return value


def shown(value: object) -> str:
    """A value of a client in a message, cut where it is long."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of many digits"
    if isinstance(value, str):
        text = repr(value[: _MOST_SHOWN + 1])
        return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…'"
    return json.dumps(value)
