"""A vocabulary and languages in; a bias that rules out tokens of other scripts, out.

Rules of this file:

1. What a token is of, its text says, not the model's name. A token without letters (a byte, a
   digit, a mark, a space, a special token) is of no script, and never ruled out.
2. A token with letters is ruled out unless all of them are of a script of one of the languages.
3. Where nothing would be ruled out, there is no mask, and nothing is computed: so it is with a
   model of one script.
4. The mask says nothing between languages of one script: tokens that are not ruled out keep their
   logits, so what has no other script in it stays bit for bit as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import numpy as np

from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.codes import scripts_of
from parakeet_streaming.languages.scripts import scripts_in
from parakeet_streaming.ports import BiasTables, Counts, Floats

_MOST_KEPT: Final = 64
"""Masks of different scripts; a vocabulary of a few scripts has few."""


class Pieces(Protocol):
    """A vocabulary, as far as scripts need it."""

    @property
    def size(self) -> int:
        """How many pieces there are; token ids are below it."""
        ...

    def text_of(self, token_id: int) -> str:
        """Text of a piece."""
        ...


class ScriptMask:
    """Rules out the same tokens at every step; frozen, and shared by all streams."""

    states: Final = 1
    marks: Final = False

    def __init__(self, ruled_out: Counts) -> None:
        """`ruled_out`: token ids."""
        self._ruled_out = ruled_out

    @property
    def tables(self) -> BiasTables:
        """One state without arcs, in which nothing is raised."""
        none, one = np.zeros(0, np.int32), np.zeros(1, np.int32)
        nothing = np.zeros(0, np.float32)
        return BiasTables(
            self._ruled_out,
            failures=one,
            refunds=np.zeros(1, np.float32),
            first=np.zeros(2, np.int32),
            tokens=none,
            targets=none,
            steps=nothing,
            at_root=nothing,
            window=None,
        )

    def adjust(self, logits: Floats, states: Counts) -> Floats:
        """The logits (R, V), in which what is ruled out is -inf."""
        logits[:, self._ruled_out] = -np.inf
        return logits

    def advance(self, states: Counts, tokens: Counts) -> Counts:
        """Nothing is remembered."""
        return states


class ScriptMasks:
    """The masks of one vocabulary. Any thread may ask; two that ask at once may both make it."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._scripts: list[frozenset[str]] | None = None
        self._known: dict[frozenset[str], ScriptMask | None] = {}

    @property
    def scripts(self) -> frozenset[str]:
        """Those of all tokens."""
        return frozenset().union(*self._of_tokens())

    def of(self, languages: Iterable[str]) -> ScriptMask | None:
        """The mask for languages; None where it would rule out nothing, or all that is written."""
        wanted = _scripts_of(languages)
        if not wanted:
            return None
        if wanted not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[wanted] = self._made(wanted)
        return self._known[wanted]

    def check(self, languages: Sequence[str]) -> None:
        """Refuses languages of which the vocabulary writes none.

        Raises:
            OptionError: it does not.
        """
        wanted = _scripts_of(languages)
        if wanted and self.scripts.isdisjoint(wanted):
            raise OptionError(
                f"this model writes no {', '.join(languages)}: its tokens are of "
                f"{', '.join(sorted(self.scripts)) or 'no script'}, not of "
                f"{', '.join(sorted(wanted))}"
            )

    def _made(self, wanted: frozenset[str]) -> ScriptMask | None:
        if self.scripts.isdisjoint(wanted):
            return None
        ruled_out = [
            token_id for token_id, scripts in enumerate(self._of_tokens()) if scripts - wanted
        ]
        return ScriptMask(np.array(ruled_out, np.int64)) if ruled_out else None

    def _of_tokens(self) -> list[frozenset[str]]:
        if self._scripts is None:
            pieces = self._pieces
            self._scripts = [scripts_in(pieces.text_of(each)) for each in range(pieces.size)]
        return self._scripts


def _scripts_of(languages: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(scripts_of(each) or frozenset() for each in languages))
