"""JSON and query values in; values of the wanted type, or an error that names the field, out.

Rules of this file:

1. A field that is not there, or null, is None. What may be left out is the protocol's to say.
2. Queries and forms have texts only, so a text that says a number, or yes and no, is taken as it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from parakeet_streaming.server.replies import WrongRequestError

_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("0", "false", "no", "off")
_MOST_SHOWN: Final = 60


def object_of(text: str | bytes) -> Mapping[str, object]:
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


def text_of(fields: Mapping[str, object], name: str) -> str | None:
    """A text.

    Raises:
        WrongRequestError: something else.
    """
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise WrongRequestError(f"{name} is {shown(value)}; give a text", name)


def number_of(fields: Mapping[str, object], name: str, least: float, most: float) -> float | None:
    """A finite number within bounds.

    Raises:
        WrongRequestError: something else.
    """
    value = fields.get(name)
    if value is None:
        return None
    number = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not least <= number <= most:
        raise WrongRequestError(
            f"{name} is {shown(value)}; give a number from {least:g} to {most:g}", name
        )
    return number


def whole_of(fields: Mapping[str, object], name: str, least: int, most: int) -> int | None:
    """A whole number within bounds.

    Raises:
        WrongRequestError: something else.
    """
    number = number_of(fields, name, least, most)
    if number is None:
        return None
    if number != int(number):
        raise WrongRequestError(f"{name} is {number:g}; give a whole number", name)
    return int(number)


def flag_of(fields: Mapping[str, object], name: str) -> bool | None:
    """Yes or no.

    Raises:
        WrongRequestError: something else.
    """
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, (int, str)) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise WrongRequestError(f"{name} is {shown(value)}; give true or false", name)


def shown(value: object) -> str:
    """A value of a client in a message, cut where it is long."""
    text = value if isinstance(value, str) else type(value).__name__
    text = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
    return repr(text) if isinstance(value, str) else text
