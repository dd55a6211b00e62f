"""Parts of words in; days, months and years that begin with them out.

Rules of this file:

1. "May fifth" is `May 5`, "May fifth twenty twenty four" `May 5, 2024`, "the fifth of May" `the 5th
   of May`. A comma that the model wrote between day and year is not written again.
2. A day and a year are words of their own, with their own times.
3. "may" and "march" in small letters are verbs, unless a year follows the day, or `of` is before.
4. After `in`, `since` and the like, any pair of numbers is a year: "in fourteen ninety two".
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.writing.amounts import UNITS, amount_at
from parakeet_streaming.writing.number_words import Number, number_at, ordinal_of
from parakeet_streaming.writing.parts_of_words import PartsOfWords
from parakeet_streaming.writing.words_ahead import Piece, WordsAhead, Written

MONTHS: Final = frozenset(
    {
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    }
)  # fmt: skip
_VERBS: Final = ("may", "march")
BEFORE_A_YEAR: Final = ("in", "since", "from", "until", "before", "after", "around", "year")
_YEARS: Final = range(1000, 2100)
_KEPT: Final = Piece(1, None)


def date_at(words: WordsAhead) -> Written | None:
    """A date that begins with a month or a day, or a year after a word such as `in`."""
    first = words[0]
    assert first is not None, "a rule begins at a word"
    word = first.core.lower()
    if word in MONTHS and not first.after:
        return _month_first(words, is_verb=first.core in _VERBS)
    if word in BEFORE_A_YEAR and not first.after:
        year = _year(PartsOfWords(words.from_(1)), any_year=True)
        return None if year is None else Written((_KEPT, year))
    return _day_first(words)


def _month_first(words: WordsAhead, *, is_verb: bool) -> Written | None:
    parts = PartsOfWords(words.from_(1))
    year = _year(parts)
    if year is not None:
        return Written((_KEPT, year))
    has_the = parts(0) == "the"
    found = _day(parts, 1 if has_the else 0, ordinal_only=has_the)
    if found is None:
        return None
    day, end = found
    year = _year_after(words, parts, 1, end)
    if is_verb and year is None:
        return None
    written = f"{day.value}{ordinal_of(day.value)}" if has_the else str(day.value)
    piece = parts.piece(1 if has_the else 0, end, written)
    if piece is None:
        return None
    if year is not None and not str(piece.text).endswith(","):
        piece = Piece(piece.words, f"{piece.text},")
    pieces = (_KEPT, *([_KEPT] if has_the else []), piece)
    return Written(pieces if year is None else (*pieces, year))


def _day_first(words: WordsAhead) -> Written | None:
    parts = PartsOfWords(words)
    found = _day(parts, 0, ordinal_only=True)
    if found is None:
        return None
    day, end = found
    if parts(end) != "of" or (parts(end + 1) or "") not in MONTHS:
        return None
    piece = parts.piece(0, end, f"{day.value}{ordinal_of(day.value)}")
    if piece is None or parts.words_to(end + 2) is None:
        return None
    year = _year_after(words, parts, 0, end + 2)
    pieces = (piece, _KEPT, _KEPT)
    return Written(pieces if year is None else (*pieces, year))


def _day(parts: PartsOfWords, at: int, *, ordinal_only: bool) -> tuple[Number, int] | None:
    """The day of a month, and the position after it."""
    number = number_at(parts, at)
    kinds = ("ordinal",) if ordinal_only else ("ordinal", "cardinal")
    if number is None and parts(at) is not None:
        return None
    if number is None or number.kind not in kinds or not 1 <= number.value <= 31 or number.scale:
        return None
    if number.kind == "cardinal" and amount_at(parts, at, bare=True) is not None:
        return None  # in May five percent of them
    return number, number.end


def _year_after(words: WordsAhead, parts: PartsOfWords, skipped: int, end: int) -> Piece | None:
    """A year after the parts before `end`, with nothing or a comma between."""
    count = parts.words_to(end)
    if count is None:
        return None
    last = words[skipped + count - 1]
    if last is None or last.after not in ("", ","):
        return None
    return _year(PartsOfWords(words.from_(skipped + count)))


def _year(parts: PartsOfWords, *, any_year: bool = False) -> Piece | None:
    number = number_at(parts, 0, any_year=any_year)
    if number is None or number.value not in _YEARS or number.scale:
        return None
    if number.kind not in ("year", "cardinal") and len(number.digits) != 4:
        return None
    if number.kind in ("decimal", "ordinal", "decade"):
        return None
    if amount_at(parts, 0, bare=True) is not None or (parts(number.end) or "") in UNITS:
        return None
    return parts.piece(0, number.end, number.digits)
