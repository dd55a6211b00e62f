r"""A user's own spelling: lines of a file in; a rule for words out.

```
# spoken => written; marks around the words and letters' case do not count
kubernetes => Kubernetes
new york city => NYC
# between slashes: a regular expression of RE2
/route (\w+)/ => Route \1
```

Rules of this file:

1. The longest phrase counts, and a phrase before an expression. Of expressions, the first counts.
2. Whole words are matched: a space in an expression is one between words, and stands outside groups
   and brackets.
3. Marks around the words stay; a mark between two of them is no match.
4. What is read and what it costs is bounded: each `MOST_…` says by how much.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import readable, shown
from parakeet_streaming.writing.expressions import Expression
from parakeet_streaming.writing.phrases import Phrases
from parakeet_streaming.writing.words_ahead import Piece, WordsAhead, Written

MOST_FILE_BYTES: Final = 1 << 20
"""Of a list: as many lines as may be, of usual length."""
MOST_REPLACEMENTS: Final = 10_000
MOST_EXPRESSIONS: Final = 200
"""Each is tried at every word."""
MOST_PHRASE_WORDS: Final = 12
"""So many words may be held back until it is known whether they are the phrase."""
MOST_PHRASE_CHARACTERS: Final = 200
_ARROW: Final = "=>"
_LEAST_SLASHES: Final = 3
"""Characters of the shortest expression, slashes included."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One line of a list."""

    spoken: str
    written: str
    is_expression: bool = False


class ReplacementRule:
    """A user's own spelling."""

    def __init__(self, replacements: Iterable[Replacement]) -> None:
        """Checks and compiles them.

        Raises:
            ExtraMissingError: there are expressions, and RE2 is not installed.
            OptionError: one of them cannot be, or there are too many.
        """
        given = list(replacements)
        expressions = [each for each in given if each.is_expression]
        if len(given) > MOST_REPLACEMENTS or len(expressions) > MOST_EXPRESSIONS:
            raise OptionError(
                f"{len(given)} replacements, {len(expressions)} of them expressions; there may be "
                f"{MOST_REPLACEMENTS} and {MOST_EXPRESSIONS}"
            )
        for each in given:
            _check(each)
        self._phrases = Phrases(
            (each.spoken, each.written) for each in given if not each.is_expression
        )
        self._expressions = [
            Expression(" ".join(each.spoken.split()), each.written) for each in expressions
        ]

    def match(self, words: WordsAhead) -> Written | None:
        """What the words from a position on are written as; None where that is as they are."""
        found = self._phrases.at(words)
        if found is not None:
            count, text = found
            return Written((_around(words, count, text),))
        for expression in self._expressions:
            if words.wanted_more:
                return None
            said = _said(words, expression)
            text_of = None if said is None else expression.written(said)
            if said is not None and text_of:
                return Written((_around(words, len(said), text_of),))
        return None


def replacements_of(text: str) -> tuple[Replacement, ...]:
    """The lines of a list.

    Raises:
        OptionError: a line that is no replacement.
    """
    replacements = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip().removeprefix("\ufeff")
        if not said or said.startswith("#"):
            continue
        try:
            replacements.append(_replacement(said))
        except OptionError as error:
            raise OptionError(f"line {number}: {error}") from error
    return tuple(replacements)


def read_replacements(path: str | Path) -> tuple[Replacement, ...]:
    """The list in a file.

    Raises:
        OptionError: it cannot be read, or has a line that is no replacement.
    """
    try:
        return replacements_of(read_list(path))
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from error


def read_list(path: str | Path) -> str:
    """The text of a file that a user wrote.

    Raises:
        OptionError: it cannot be read, is no UTF-8, or is too large.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise OptionError(f"it cannot be read: {error.strerror}") from error
    if len(data) > MOST_FILE_BYTES:
        raise OptionError(f"it has more than {MOST_FILE_BYTES} bytes; shorten it")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise OptionError("it is no text in UTF-8; save it as that") from error


def _replacement(line: str) -> Replacement:
    spoken, arrow, written = line.partition(_ARROW)
    spoken, written = spoken.strip(), written.strip()
    if not arrow:
        raise OptionError(f"{shown(line)} has no {_ARROW}; write SPOKEN {_ARROW} WRITTEN")
    is_expression = len(spoken) >= _LEAST_SLASHES and spoken[0] == spoken[-1] == "/"
    each = Replacement(spoken[1:-1] if is_expression else spoken, written, is_expression)
    _check(each)
    return each


def _check(each: Replacement) -> None:
    for name, text in (("spoken", each.spoken), ("written", each.written)):
        if not text.strip() or readable(text) != text:
            raise OptionError(f"what is {name} is {shown(text)}; write words on one line")
        if len(text) > MOST_PHRASE_CHARACTERS or len(text.split()) > MOST_PHRASE_WORDS:
            raise OptionError(
                f"{shown(text)} is too long: at most {MOST_PHRASE_WORDS} words and "
                f"{MOST_PHRASE_CHARACTERS} characters"
            )


def _said(words: WordsAhead, expression: Expression) -> list[str] | None:
    """The words that an expression matches, one by one."""
    said: list[str] = []
    for number in range(expression.words):
        word = words[number]
        if word is None or not word.core or (number and word.before):
            return None
        if not expression.fits(number, word.core):
            return None
        if word.after and number < expression.words - 1:
            return None
        said.append(word.core)
    return said


def _around(words: WordsAhead, count: int, text: str) -> Piece:
    """The text, with the marks around so many words."""
    first, last = words[0], words[count - 1]
    assert first is not None, "it was matched"
    assert last is not None, "it was matched"
    return Piece(count, f"{first.before}{text}{last.after}")
