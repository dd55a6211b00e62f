"""Text in; the scripts that its letters are of, out.

Rules of this file:

1. Only letters have a script. Digits, marks, spaces and symbols are of none: every script is
   written with them. So are letters that stand for a unit or a number, such as µ and ª.
2. Names are those of ISO 15924. A letter's script is what its name in Unicode begins with.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

_NAMES: Final = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "ARMENIAN": "Armn",
    "GEORGIAN": "Geor",
    "HEBREW": "Hebr",
    "ARABIC": "Arab",
    "SYRIAC": "Syrc",
    "THAANA": "Thaa",
    "NKO": "Nkoo",
    "TIFINAGH": "Tfng",
    "ETHIOPIC": "Ethi",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "GURMUKHI": "Guru",
    "GUJARATI": "Gujr",
    "ORIYA": "Orya",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "KANNADA": "Knda",
    "MALAYALAM": "Mlym",
    "SINHALA": "Sinh",
    "MEETEI": "Mtei",
    "OL": "Olck",
    "THAI": "Thai",
    "LAO": "Laoo",
    "TIBETAN": "Tibt",
    "MYANMAR": "Mymr",
    "KHMER": "Khmr",
    "MONGOLIAN": "Mong",
    "JAVANESE": "Java",
    "CHEROKEE": "Cher",
    "CANADIAN": "Cans",
    "YI": "Yiii",
    "HANGUL": "Hang",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "BOPOMOFO": "Bopo",
    "CJK": "Hani",
}
_WIDTHS: Final = ("FULLWIDTH", "HALFWIDTH")
_LETTERS: Final = ("Lu", "Ll", "Lt", "Lo")

SCRIPTS: Final = frozenset(_NAMES.values())
"""All that are told apart."""


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str | None:
    """The script of a letter; None of any other character."""
    if unicodedata.category(character) not in _LETTERS:
        return None
    first, *rest = unicodedata.name(character, "").split(" ", 2) or [""]
    if first in _WIDTHS and rest:
        first = rest[0]
    return _NAMES.get(first.split("-", 1)[0])


def scripts_in(text: str) -> frozenset[str]:
    """The scripts of all letters of a text."""
    return frozenset(script for each in set(text) if (script := script_of(each)) is not None)
