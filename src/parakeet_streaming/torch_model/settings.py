"""A section of another program's config in; checked numbers and choices out.

Rules of this file:

1. A key that the config leaves out has that program's default, which the caller gives.
2. A setting that cannot be exported is refused with its key and value; none is approximated.
3. A key that nobody here knows is refused too, unless it is null: it may change what is heard.
4. No value of a config reaches a message but by `shown`: it may have any size.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.plain_text import shown, visible

FULL_ATTENTION: Final = "use a Parakeet TDT with full attention"

# Configs write numbers with few digits: 5.96e-08 for 2 ** -24.
_CLOSE: Final = 1e-4

_MOST_TEXT: Final = 200
"""Characters of the name of a class or of a kind."""

MOST_WIDE = 65_536
"""Above any width or vocabulary of the field; a broken config must not make a huge model."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A key of which only some values can be exported."""

    wanted: tuple[object, ...]
    default: object
    """What a config means that leaves the key out."""


Rules = Mapping[str, Choice | None]
"""Every key that a section may have. None: it is read elsewhere, or changes nothing that is
heard."""


class Settings:
    """One section, with the words that lead to it."""

    def __init__(self, content: object, origin: str, path: str = "") -> None:
        """Opens a section.

        Args:
            content: what the config has there; None is an empty section.
            origin: the file, for messages.
            path: the keys that led here.

        Raises:
            ModelFormatError: it is no section.
        """
        if content is not None and not isinstance(content, Mapping):
            raise ModelFormatError(f"{origin}: {path or 'the config'} is no section of settings")
        self._content = content or {}
        self.origin = origin
        self._path = path

    def __contains__(self, key: str) -> bool:
        return self._content.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (_word(key) for key in self._content)

    def mentions(self, key: str) -> bool:
        """Whether the config has the key, be it null."""
        return key in self._content

    def section(self, key: str) -> Settings:
        """The section under a key; empty where there is none."""
        return Settings(self._content.get(key), self.origin, self._named(key))

    def value(self, key: str, default: object = None) -> object:
        """What stands under a key."""
        return self._content.get(key, default)

    def text(self, key: str, default: str) -> str:
        """The text under a key; of another value, what it is in few words."""
        value = self._content.get(key, default)
        return value if isinstance(value, str) and len(value) <= _MOST_TEXT else shown(value)

    def whole(self, key: str, default: int | None = None, most: int = MOST_WIDE) -> int:
        """A whole number from 1 to `most`.

        Raises:
            ModelFormatError: another value, or none where there is no default.
        """
        value = self._content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ModelFormatError(
                f"{self._told(key, value)}, not a whole number from 1 to "
                f"{most}; fetch the model again"
            )
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false.

        Raises:
            ModelFormatError: neither.
        """
        value = self._content.get(key, default)
        if not isinstance(value, bool):
            raise ModelFormatError(
                f"{self._told(key, value)}, neither true nor false; fetch the model again"
            )
        return value

    def check(self, rules: Rules, advice: str = FULL_ATTENTION) -> None:
        """Refuses what cannot be exported, and every key that `rules` do not have.

        Raises:
            ModelFormatError: such a value or key.
        """
        for key, choice in rules.items():
            if choice is not None:
                self.require(key, choice.wanted, choice.default, advice)
        for key, value in self._content.items():
            if key not in rules and value is not None:
                raise ModelFormatError(
                    f"{self._told(_word(key), value)}, a setting that is not "
                    "known here; it may change what the model hears, so nothing is exported: use a "
                    "newer version, or report the setting"
                )

    def require(
        self, key: str, wanted: Collection[object], default: object, advice: str = FULL_ATTENTION
    ) -> None:
        """Refuses any value that is not one of `wanted`.

        Raises:
            ModelFormatError: another value.
        """
        value = self._content.get(key, default)
        if not any(_same(value, each) for each in wanted):
            allowed = " or ".join(shown(each) for each in wanted)
            raise ModelFormatError(
                f"{self._told(key, value)}, and only {allowed} can be exported; {advice}"
            )

    def count_of_durations(self, key: str) -> int:
        """How many durations a list names.

        Raises:
            ModelFormatError: anything but 0, 1, 2, ... and at least 0 and 1.
        """
        value = self._content.get(key)
        if not isinstance(value, list) or len(value) < 2 or value != list(range(len(value))):
            raise ModelFormatError(
                f"{self._told(key, value)}, and only durations 0, 1, 2, ... "
                "can be exported; use a Parakeet TDT"
            )
        return len(value)

    def _told(self, key: str, value: object) -> str:
        return f"{self.origin}: {self._named(key)} is {shown(value)}"

    def _named(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def as_number(value: object) -> float | None:
    """The number that a config means; None where it is none. `1e-05` is text to YAML 1.1."""
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:  # of a whole number of more than 300 digits
        return math.inf if isinstance(value, int) and value > 0 else -math.inf


def _word(key: object) -> str:
    return visible(key, _MOST_TEXT) if isinstance(key, str) else shown(key)


def _same(value: object, wanted: object) -> bool:
    if value == wanted:
        return True
    if not isinstance(wanted, int | float) or isinstance(wanted, bool):
        return False
    number, other = as_number(value), as_number(wanted)
    return number is not None and other is not None and math.isclose(number, other, rel_tol=_CLOSE)
