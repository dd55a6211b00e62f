"""Committed tokens of a long utterance in; how many of them may be told, out.

The engine may end an utterance before its last word, and what was told is never taken back. So the
last word of a long one is held back until it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parakeet_streaming.engine.words import begins_word, ends_word
from parakeet_streaming.results import Token

_HELD_BACK_S: Final = 5.0
"""So long before an utterance can end by its length, its last word is held back: a word and the
longest usual chunk."""


def sure_tokens(heard: Sequence[Token], lasts_s: float | None, most_s: float | None) -> int:
    """How many of the tokens may be told.

    Args:
        heard: all of the utterance.
        lasts_s: for how long it goes on; None where it has not begun.
        most_s: after how long one ends; None for never.
    """
    count = len(heard)
    if most_s is None or lasts_s is None or lasts_s < most_s - _HELD_BACK_S:
        return count
    for last in range(count - 1, 0, -1):
        if begins_word(heard[last].text) or ends_word(heard[last - 1].text):
            return last
    return 0
