"""The name of a model, or its text, in; the languages that clients are told, out.

What a client asked for is never told as what was heard.

Home Assistant shows a model only for languages that it names. Files of a model do not say them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parakeet_streaming.languages.codes import scripts_of
from parakeet_streaming.languages.scripts import scripts_in

_ENGLISH: Final = ("en",)
_OF_V3: Final = (
    *("bg", "hr", "cs", "da", "nl", "en", "et", "fi", "fr", "de", "el", "hu", "it"),
    *("lv", "lt", "mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)
"""Of parakeet-tdt-0.6b-v3."""


def languages_of(model: str) -> tuple[str, ...]:
    """ISO 639 codes; English, unless the name is that of a model known to have more."""
    return _OF_V3 if "v3" in model.lower().replace("_", "-").split("-") else _ENGLISH


def heard_language(known: Sequence[str], text: str) -> str:
    """The language of a text, by a model that knows some; `unknown` where several could be it."""
    if len(known) == 1:
        return known[0]
    scripts = scripts_in(text)
    fitting = [code for code in known if scripts and scripts <= (scripts_of(code) or frozenset())]
    return fitting[0] if len(fitting) == 1 else "unknown"
