"""How text is written: a frozen value, and the rules that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.writing.numbers import NumberRule
from parakeet_streaming.writing.profanity import ProfanityRule, offending_words
from parakeet_streaming.writing.replacements import Replacement, ReplacementRule
from parakeet_streaming.writing.rules import Rule

NUMBERS: Final = ("model", "digits")
PROFANITY: Final = ("keep", "mask")


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How text is written. By default it is what the model says, bit by bit.

    Raises:
        OptionError: a choice that does not exist, or a list that is too long.
        ExtraMissingError: there are regular expressions, and RE2 is not installed.
    """

    numbers: str = "model"
    """`model`, or `digits`: English numbers, dates, money and times in digits."""
    replacements: tuple[Replacement, ...] = ()
    """The user's own spelling; `read_replacements` reads a file."""
    profanity: str = "keep"
    """`keep`, or `mask`: words of a list keep their first letter only."""
    masked: tuple[str, ...] | None = None
    """The list; None for the English one that comes with the package."""

    def __post_init__(self) -> None:
        _check("numbers", self.numbers, NUMBERS)
        _check("profanity", self.profanity, PROFANITY)
        self.rules()

    @property
    def is_plain(self) -> bool:
        """Whether text stays as the model says it."""
        return self.numbers == "model" and self.profanity == "keep" and not self.replacements

    def rules(self) -> tuple[Rule, ...]:
        """In the order in which they are tried at each word."""
        rules: list[Rule] = []
        if self.replacements:
            rules.append(ReplacementRule(self.replacements))
        if self.numbers == "digits":
            rules.append(NumberRule())
        if self.profanity == "mask":
            listed = offending_words() if self.masked is None else self.masked
            rules.append(ProfanityRule(listed))
        return tuple(rules)


def _check(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{name} {value!r} does not exist; use {' or '.join(choices)}")
