"""Regular expressions of a user in; matches with whole words, in bounded time, out.

RE2 is used: its time is linear in the text whatever the expression is, and its memory is bounded.
Python's own `re` takes exponential time for expressions such as `(a+)+b`.

This is the one file that imports it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.plain_text import shown

_MOST_MEMORY: Final = 1 << 20
"""Bytes of one compiled expression."""
MOST_WORD_CHARACTERS: Final = 200
"""Of a word that an expression looks at; a longer one is none."""
_GROUP: Final = re.compile(r"\\([0-9]|\\)")


class Expression:
    """One expression, for words one by one: the spaces in it are those between words."""

    def __init__(self, pattern: str, replacement: str) -> None:
        r"""Compiles it.

        Args:
            pattern: in RE2's syntax; letters' case does not count.
            replacement: `\1` is what the first group has found.

        Raises:
            ExtraMissingError: RE2 is not installed.
            OptionError: no expression, or one that is too large.
        """
        try:
            import re2
        except ImportError as error:
            raise ExtraMissingError(
                "regular expressions need RE2; pip install 'parakeet-streaming[text]'"
            ) from error
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        options.max_mem = _MOST_MEMORY
        try:
            self._parts: list[Any] = [re2.compile(part, options) for part in pattern.split(" ")]
            self._whole: Any = re2.compile(pattern, options)
        except (re2.error, UnicodeError) as error:
            why = error.args[0] if error.args else error
            why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
            raise OptionError(
                f"{shown(pattern)} is no expression for RE2: {why}; a space stands between words, "
                "outside groups and brackets"
            ) from error
        self._replacement = replacement
        for group in _GROUP.findall(replacement):
            if group.isdigit() and int(group) > self._whole.groups:
                raise OptionError(
                    f"{shown(replacement)} names group {group}; {shown(pattern)} does not have it"
                )

    @property
    def words(self) -> int:
        """How many words it matches."""
        return len(self._parts)

    def fits(self, number: int, word: str) -> bool:
        """Whether a word is what the expression has in that place."""
        if len(word) > MOST_WORD_CHARACTERS:
            return False
        try:
            return self._parts[number].fullmatch(word) is not None
        except UnicodeError:  # half a character
            return False

    def written(self, words: Sequence[str]) -> str | None:
        """What stands in place of words that fit one by one; None where together they do not."""
        found = self._whole.fullmatch(" ".join(words))
        if found is None:
            return None
        return _GROUP.sub(
            lambda name: "\\" if name[1] == "\\" else found.group(int(name[1])) or "",
            self._replacement,
        )
