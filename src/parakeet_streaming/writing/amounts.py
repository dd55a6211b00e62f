"""Parts of words in; numbers, percentages, money and times of day that begin with them out.

Rules of this file (the Associated Press's stylebook, where people write numbers in texts):

1. A number from 10 on is written in digits, a smaller one as a word; before a percentage, an amount
   of money or a time of day, any is in digits.
2. "five million" is `5 million`: millions and more stay a word where nothing follows them.
3. From 10,000 on, commas group digits; of money from 1,000 on. Numbers of four digits are mostly
   years.
4. Dollars, euros, yen and the like have their sign in front; "pounds" are money only with pence or
   sterling. Amounts below a dollar are `25 cents`.
5. Times are `5:30 p.m.`. Without a.m. or p.m. a pair of numbers is a time after `at` and the like.
6. What may mean two things stays as it was said: "thirty second", "one tenth", "ten to six".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parakeet_streaming.writing.number_words import (
    ALL_WORDS,
    DIGITS,
    ORDINALS,
    Number,
    below_100,
    grouped,
    number_at,
    ordinal_of,
)
from parakeet_streaming.writing.parts_of_words import PartsOfWords
from parakeet_streaming.writing.words_ahead import Piece

_SIGNS: Final = {
    **dict.fromkeys(("dollar", "dollars"), "$"),
    **dict.fromkeys(("euro", "euros"), "€"),
    "yen": "¥",
    **dict.fromkeys(("rupee", "rupees"), "₹"),
}
_CENTS: Final = ("cent", "cents")
_PENCE: Final = ("penny", "pence")
_POUNDS: Final = ("pound", "pounds")
_COMMAS_FROM: Final = 10_000
_MONEY_COMMAS_FROM: Final = 1_000
_MINUTES: Final = (10, 20, 25)
"""To or past an hour."""
_BEFORE_A_TIME: Final = ("at", "by", "until", "till", "around")
UNITS: Final = frozenset(
    {
        "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months",
        "year", "years", "people", "times", "percent", "per", "cent", "cents", "point",
        "pound", "pounds", *_SIGNS,
    }
)  # fmt: skip
"""What is counted: a pair of numbers before it is no time and no year."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What numbers were found to say."""

    pieces: tuple[Piece, ...]
    end: int
    """The position of the part after it."""
    is_measured: bool = False
    """Whether it is money or a percentage: "five to ten percent" is two of them."""


def amount_at(parts: PartsOfWords, at: int = 0, *, bare: bool = False) -> Amount | None:
    """What begins with the parts from a position on.

    Args:
        parts: of the words.
        at: where.
        bare: whether a number without a unit is of no interest.
    """
    for read in (_time, _money, _percentage):
        amount = read(parts, at)
        if amount is not None:
            return amount
    return None if bare else _range(parts, at) or _plain(parts, at)


def time_after(parts: PartsOfWords) -> Amount | None:
    """A time without a.m. or p.m. after a word such as `at`, the first of the parts."""
    if parts(0) not in _BEFORE_A_TIME or parts.words_to(1) != 1:
        return None
    clock = _clock(parts, 1)
    if clock is None or ":" not in clock[0]:
        return None
    following = parts(clock[1]) or ""
    if following in UNITS or following in ALL_WORDS:
        return None
    return _amount(clock[1], Piece(1, None), parts.piece(1, clock[1], clock[0]))


def _amount(end: int, *pieces: Piece | None, is_measured: bool = False) -> Amount | None:
    """An amount of these pieces, unless one of them would be a part of a word."""
    whole = tuple(piece for piece in pieces if piece is not None)
    return Amount(whole, end, is_measured) if len(whole) == len(pieces) else None


def _clock(parts: PartsOfWords, at: int) -> tuple[str, int] | None:
    """A time of day, and the position after it."""
    hour = below_100(parts, at)
    if hour is None or not 1 <= hour[0] <= 12:
        return None
    value, end = hour
    if parts(end) in ("oh", "o"):
        minute = DIGITS.get(parts(end + 1) or "", 0)
        return (f"{value}:{minute:02d}", end + 2) if minute else None
    minutes = below_100(parts, end)
    if minutes is not None and 10 <= minutes[0] <= 59:
        return f"{value}:{minutes[0]}", minutes[1]
    return str(value), end


def _time(parts: PartsOfWords, at: int) -> Amount | None:
    clock = _clock(parts, at)
    if clock is None:
        return None
    text, end = clock
    piece = parts.piece(at, end, text)
    half = (parts(end) or "").replace(".", "")
    if half in ("am", "pm"):
        return _amount(end + 1, piece, Piece(1, None))
    if half in ("a", "p") and parts(end + 1) == "m":
        return _amount(end + 2, piece, parts.piece(end, end + 2, f"{half}.m."))
    if half in ("o'clock", "o’clock") and ":" not in text:
        return _amount(end + 1, piece, Piece(1, None))
    return None


def _money(parts: PartsOfWords, at: int) -> Amount | None:
    number = number_at(parts, at)
    if number is None or number.kind not in ("cardinal", "decimal", "year", "digits"):
        return None
    end, unit = number.end, parts(number.end) or ""
    if unit in _CENTS and number.kind == "cardinal" and not number.scale:
        return _amount(
            end + 1, parts.piece(at, end, number.digits), Piece(1, None), is_measured=True
        )
    sign = _SIGNS.get(unit, "")
    if not sign and unit in _POUNDS:
        if parts(end + 1) == "sterling":
            return _with_sign(parts, at, number, "£", end + 2)
        pence = _small_coins(parts, end + 1, _PENCE)
        sign = "£" if pence is not None else ""
    if not sign:
        return None
    coins = _small_coins(parts, end + 1, _PENCE if sign == "£" else _CENTS)
    if coins is not None and number.kind != "decimal" and not number.scale:
        text = f"{sign}{grouped(number.digits, _MONEY_COMMAS_FROM)}.{coins[0]:02d}"
        return _amount(coins[1], parts.piece(at, coins[1], text), is_measured=True)
    return _with_sign(parts, at, number, sign, end + 1)


def _with_sign(parts: PartsOfWords, at: int, number: Number, sign: str, end: int) -> Amount | None:
    text = f"{sign}{grouped(number.digits, _MONEY_COMMAS_FROM)}"
    if not number.scale:
        return _amount(end, parts.piece(at, end, text), is_measured=True)
    scale_at = number.end - 1
    pieces = (parts.piece(at, scale_at, text), parts.piece(scale_at, end, number.scale))
    return _amount(end, *pieces, is_measured=True)


def _small_coins(parts: PartsOfWords, at: int, names: tuple[str, ...]) -> tuple[int, int] | None:
    """Cents after dollars: how many, and the position after them."""
    at += parts(at) == "and"
    coins = below_100(parts, at)
    if coins is None or (parts(coins[1]) or "") not in names:
        return None
    return coins[0], coins[1] + 1


def _percentage(parts: PartsOfWords, at: int) -> Amount | None:
    number = number_at(parts, at)
    if number is None or number.kind not in ("cardinal", "decimal") or number.scale:
        return None
    end = number.end
    if parts(end) == "percent":
        end += 1
    elif parts(end) == "per" and parts(end + 1) == "cent":
        end += 2
    else:
        return None
    text = f"{grouped(number.digits, _COMMAS_FROM)}%"
    return _amount(end, parts.piece(at, end, text), is_measured=True)


def _range(parts: PartsOfWords, at: int) -> Amount | None:
    """A small number that is one of two: five to ten percent."""
    number = number_at(parts, at)
    if number is None or not number.is_small or number.kind != "cardinal":
        return None
    between = parts(number.end) or ""
    if between not in ("to", "or"):
        return None
    other = amount_at(parts, number.end + 1, bare=True)
    if other is None or not other.is_measured:
        return None
    first = parts.piece(at, number.end, number.digits)
    return _amount(other.end, first, Piece(1, None), *other.pieces)


def _plain(parts: PartsOfWords, at: int) -> Amount | None:
    number = number_at(parts, at)
    if number is None:
        return None
    unsure_to = _unsure_to(parts, number)
    if unsure_to is not None:
        return Amount((Piece(parts.words_with(unsure_to), None),), unsure_to)
    if number.is_small:
        return None
    text = grouped(number.digits, _COMMAS_FROM) if number.kind == "cardinal" else number.digits
    if number.kind == "ordinal":
        text = f"{grouped(number.digits, _COMMAS_FROM)}{ordinal_of(number.value)}"
    if parts.words_to(number.end) is None:
        return _compound(parts, at, number, text)
    if not number.scale:
        return _amount(number.end, parts.piece(at, number.end, text))
    scale_at = number.end - 1
    return _amount(number.end, parts.piece(at, scale_at, text), Piece(1, None))


def _compound(parts: PartsOfWords, at: int, number: Number, text: str) -> Amount | None:
    """A number at the beginning of a longer word: `25-year-old`."""
    rest = parts.rest_of_word(number.end)
    if number.scale or any(part in ALL_WORDS for part in rest):
        return None
    end = number.end + len(rest)
    return _amount(end, parts.piece(at, end, "-".join((text, *rest))))


def _unsure_to(parts: PartsOfWords, number: Number) -> int | None:
    """The end of what may mean something else: a fraction, seconds, or minutes to an hour."""
    following = parts(number.end) or ""
    if number.kind == "ordinal":
        is_second = number.value > 20 and parts(number.end - 1) == "second"
        return number.end if is_second else None
    if number.kind != "cardinal" or number.scale:
        return None
    if number.is_small:
        return number.end + 1 if following in ORDINALS else None
    if following in ("to", "past") and number.value in _MINUTES:
        hour = below_100(parts, number.end + 1)
        if hour is not None and 1 <= hour[0] <= 12:
            return hour[1]
    return None
