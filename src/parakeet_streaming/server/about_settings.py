"""What is known of a setting beside its name: its help, its bounds and its check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a setting, beside its type and default."""

    panel: str
    """Where the help shows it."""
    help: str
    least: float | None = None
    above: float | None = None
    most: float | None = None
    check: Callable[[Any], Any] | None = None
    """Takes a value and gives it as it is used; raises ValueError for one that cannot be used."""
    secret: bool = False
    """Whether messages must not show its value."""
    default_in_words: str | None = None


def setting(default: _T, panel: str, help: str, **about: Any) -> _T:  # noqa: ANN401
    """A field of `Settings`; `about`: what else `About` has."""
    metadata = {"about": About(panel, help, **about)}
    made: _T = field(default=default, metadata=metadata, repr=not about.get("secret", False))
    return made
