"""Parts of words in; the English number that begins there out.

Rules of this file:

1. Parts are joined by hyphens in a word, or follow one another with nothing but a space between
   them. A mark ends a number: "twenty, three" are two.
2. `and` belongs to a number after hundred, thousand and so on, if a smaller number follows.
3. A number that begins with `a` has more than one part after it: "a hundred and five" is 105,
   "a hundred" stays.
4. Three digits or more, said one by one, are one number; `oh` is 0 among them.
5. Two numbers below 100 are a year where they can hardly be anything else: "nineteen eighty four".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DIGITS: Final = {
    word: value
    for value, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
}
TEENS: Final = {
    word: value
    for value, word in enumerate(
        (
            "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen",
        ),
        10,
    )
}  # fmt: skip
TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
SCALES: Final = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_ORDINAL_DIGITS: Final = {
    word: value
    for value, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"), 1
    )
}
_ORDINAL_TEENS: Final = {
    word: value
    for value, word in enumerate(
        (
            "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
            "seventeenth", "eighteenth", "nineteenth",
        ),
        10,
    )
}  # fmt: skip
_ORDINAL_TENS: Final = {f"{word[:-1]}ieth": value for word, value in TENS.items()}
ORDINALS: Final = {
    **_ORDINAL_DIGITS,
    **_ORDINAL_TEENS,
    **_ORDINAL_TENS,
    "hundredth": 100,
    **{f"{word}th": value for word, value in SCALES.items()},
}
_DECADES: Final = {f"{word[:-1]}ies": value for word, value in TENS.items()}
_OH: Final = ("oh", "o")
_LEAST_RUN: Final = 3
_YEAR_BEGINS: Final = range(17, 21)
"""Centuries of which a year is said without `in` before it."""
_ANY_YEAR_BEGINS: Final = range(10, 22)
ALL_WORDS: Final = frozenset(
    {*DIGITS, *TEENS, *TENS, *SCALES, *ORDINALS, *_DECADES, "hundred", "hundreds"}
)

Parts = Callable[[int], str | None]
"""The part at a position, in lower case; None where the number must end."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was said."""

    value: int
    end: int
    """The position after its last part."""
    digits: str
    """How it is written, without what belongs to its kind."""
    kind: str = "cardinal"
    """cardinal, ordinal, digits (said one by one), year, decade, or decimal."""
    scale: str = ""
    """`million` or more, written as a word after the digits."""

    @property
    def is_small(self) -> bool:
        """Whether it is below 10, and so stays a word where nothing is counted or measured."""
        return self.kind in ("cardinal", "ordinal") and self.value < 10 and not self.scale


def number_at(parts: Parts, at: int, *, any_year: bool = False) -> Number | None:
    """The number that begins there.

    Args:
        parts: of words.
        at: a position.
        any_year: whether a pair of numbers may be a year of any century.
    """
    for read in (_run, _decimal, _year(any_year), _whole):
        number = read(parts, at)
        if number is not None:
            return number
    return None


def ordinal_of(value: int) -> str:
    """21 → 21st."""
    last, tens = value % 10, value // 10 % 10
    return "th" if tens == 1 else {1: "st", 2: "nd", 3: "rd"}.get(last, "th")


def grouped(digits: str, least: int) -> str:
    """Commas after thousands, in whole numbers of at least that value."""
    whole, point, decimals = digits.partition(".")
    if whole.isdigit() and int(whole) >= least:
        whole = f"{int(whole):,}"
    return f"{whole}{point}{decimals}"


def digits_from(parts: Parts, at: int, *, after_point: bool = False) -> tuple[str, int]:
    """Digits that are said one by one, and the position after them."""
    digits = ""
    while (part := parts(at)) is not None:
        value = 0 if part in _OH and (digits or after_point) else DIGITS.get(part)
        if value is None:
            break
        digits, at = f"{digits}{value}", at + 1
    return digits, at


def below_100(parts: Parts, at: int) -> tuple[int, int] | None:
    """A number below 100, and the position after it."""
    part = parts(at)
    if part is None:
        return None
    if part in TENS:
        unit = DIGITS.get(parts(at + 1) or "", 0)
        return (TENS[part] + unit, at + 2) if unit else (TENS[part], at + 1)
    value = DIGITS.get(part, TEENS.get(part))
    return None if value is None else (value, at + 1)


def _run(parts: Parts, at: int) -> Number | None:
    digits, end = digits_from(parts, at)
    if len(digits) < _LEAST_RUN:
        return None
    while parts(end - 1) in _OH:
        digits, end = digits[:-1], end - 1
    if (parts(end) or "") in ("hundred", "point", *SCALES):
        digits, end = digits[:-1], end - 1
    if len(digits) < _LEAST_RUN:
        return None
    return Number(int(digits), end, digits, "digits")


def _year(any_year: bool) -> Callable[[Parts, int], Number | None]:
    begins = _ANY_YEAR_BEGINS if any_year else _YEAR_BEGINS

    def year(parts: Parts, at: int) -> Number | None:
        word = parts(at) or ""
        century = TEENS.get(word, TENS.get(word, 0))
        if century not in begins:
            return None
        following = parts(at + 1) or ""
        if following in _DECADES:
            return Number(0, at + 2, f"{century}{_DECADES[following]}s", "decade")
        if following == "hundreds":
            return Number(0, at + 2, f"{century}00s", "decade")
        if following in _OH:
            unit = DIGITS.get(parts(at + 2) or "", 0)
            rest = (unit, at + 3) if unit else None
        else:
            rest = below_100(parts, at + 1)
            rest = rest if rest is not None and rest[0] >= 10 else None
        if rest is None or (parts(rest[1]) or "") in ("hundred", "point", *SCALES):
            return None
        value = 100 * century + rest[0]
        return Number(value, rest[1], str(value), "year")

    return year


def _decimal(parts: Parts, at: int) -> Number | None:
    whole = _whole(parts, at)
    if whole is None or whole.kind != "cardinal" or whole.scale or parts(whole.end) != "point":
        return None
    decimals, end = digits_from(parts, whole.end + 1, after_point=True)
    if not decimals:
        rest = below_100(parts, whole.end + 1)
        if rest is None:
            return None
        decimals, end = str(rest[0]), rest[1]
    digits, scale = f"{whole.value}.{decimals}", parts(end) or ""
    if scale in SCALES and scale != "thousand":
        return Number(whole.value, end + 1, digits, "decimal", scale)
    return Number(whole.value, end, digits, "decimal")


def _whole(parts: Parts, at: int) -> Number | None:
    """A cardinal or an ordinal number."""
    return _Whole(parts, at).read()


class _Whole:
    """Reads one whole number, from its largest scale to its smallest."""

    def __init__(self, parts: Parts, at: int) -> None:
        self._parts, self._begin, self._at = parts, at, at
        self._is_ordinal = False
        self._groups = 0

    def read(self) -> Number | None:
        total, smallest, scale = 0, 10**15, ""
        while not self._is_ordinal and (group := self._group(first=self._at == self._begin)):
            value, end, ordinal = group
            word = "" if ordinal else self._parts(end) or ""
            size = SCALES.get(word.removesuffix("th"), 1) if word in (*SCALES, *ORDINALS) else 1
            ordinal = ordinal or (size > 1 and word.endswith("th"))
            end += size > 1
            if size >= smallest or (value >= smallest and size == 1):
                break
            total += value * size
            smallest, self._at, self._is_ordinal = size, end, ordinal
            scale = word if size >= SCALES["million"] and not self._groups else ""
            self._groups += 1
            if size == 1:
                break
        if self._at == self._begin or (self._parts(self._begin) == "a" and not self._says_more()):
            return None
        if self._is_ordinal:
            return Number(total, self._at, str(total), "ordinal")
        if scale:
            return Number(total, self._at, str(total // SCALES[scale]), "cardinal", scale)
        return Number(total, self._at, str(total))

    def _says_more(self) -> bool:
        """Whether more than `a hundred` or the like was said."""
        return self._at > self._begin + 2

    def _group(self, *, first: bool) -> tuple[int, int, bool] | None:
        """A number below 1000 (or hundreds up to 99), its end, and whether it is an ordinal."""
        head = self._head(first=first)
        if head is None or head[2]:
            return head
        value, end, _ = head
        word = self._parts(end) or ""
        if word not in ("hundred", "hundredth") or value == 0 or (value > 9 and value % 10 == 0):
            return head
        if word == "hundredth":
            return 100 * value, end + 1, True
        rest = self._below_100(end + 1 + (self._parts(end + 1) == "and"))
        if rest is None or rest[0] == 0:
            return 100 * value, end + 1, False
        return 100 * value + rest[0], rest[1], rest[2]

    def _head(self, *, first: bool) -> tuple[int, int, bool] | None:
        """What may stand before hundred, thousand and the like: a number below 100, or `a`."""
        at = self._at
        if first and self._parts(at) == "a":
            following = self._parts(at + 1) or ""
            is_one = following == "hundred" or following in SCALES
            return (1, at + 1, False) if is_one else None
        return self._below_100(at + (not first and self._parts(at) == "and"))

    def _below_100(self, at: int) -> tuple[int, int, bool] | None:
        part = self._parts(at) or ""
        if part in TENS:
            unit = _ORDINAL_DIGITS.get(self._parts(at + 1) or "")
            if unit:
                return TENS[part] + unit, at + 2, True
        for ordinals in (_ORDINAL_DIGITS, _ORDINAL_TEENS, _ORDINAL_TENS):
            if part in ordinals:
                return ordinals[part], at + 1, True
        plain = below_100(self._parts, at)
        return None if plain is None else (*plain, False)
