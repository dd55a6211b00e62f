"""The name of a model in; the languages that clients are told it knows, out.

Home Assistant shows a model only for languages that it names. Files of a model do not say them.
"""

from __future__ import annotations

from typing import Final

_ENGLISH: Final = ("en",)
_OF_V3: Final = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""Of parakeet-tdt-0.6b-v3."""


def languages_of(model: str) -> tuple[str, ...]:
    """ISO 639 codes; English, unless the name is that of a model known to have more."""
    return _OF_V3 if "v3" in model.lower().replace("_", "-").split("-") else _ENGLISH
