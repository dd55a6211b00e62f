"""Tokens in; tokens whose text is what is written, as far as that is sure, out.

Rules of this file:

1. What no rule changes is passed on as it is.
2. A token that stands for others has the id and the first frame of the first, lasts to the end of
   the last, and is as sure as the least sure of them.
3. Letters are counted without spaces, which tokens and words may have in different places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from parakeet_streaming.engine.words import word_groups, word_text
from parakeet_streaming.results import Token
from parakeet_streaming.writing.rules import Rule, write

WrittenToken = tuple[Token, int]
"""A token, and how many letters the tokens had that it stands for."""


def written_tokens(
    tokens: Iterable[Token], rules: Sequence[Rule], *, ended: bool
) -> tuple[list[WrittenToken], list[Token]]:
    """What tokens are written as, and those of them of which that is not sure.

    Args:
        tokens: of whole words, but for the last one, which may go on unless they have `ended`.
        rules: see `write`.
        ended: whether no more tokens come.
    """
    groups = word_groups(tokens)
    sure = groups if ended else groups[:-1]
    written: list[WrittenToken] = []
    at = 0
    for piece in write([word_text(group) for group in sure], rules, ended=ended):
        said = [token for group in groups[at : at + piece.words] for token in group]
        at += piece.words
        if piece.text is None or piece.text == word_text(said):
            written += ((token, letters(token.text)) for token in said)
        else:
            count = sum(letters(token.text) for token in said)
            written.append((_written(said, piece.text), count))
    # A token that is nothing but a space is before the word that follows it.
    while not ended and at and not word_text(groups[at - 1]):
        at -= 1
        del written[-len(groups[at]) :]
    return written, [token for group in groups[at:] for token in group]


def letters(text: str) -> int:
    """Characters without spaces."""
    return sum(map(len, text.split()))


def after_letters(tokens: Iterable[Token], count: int) -> Iterator[Token]:
    """The tokens, or parts of tokens of several words, after so many letters."""
    for group in word_groups(tokens):
        for part in group:
            if count <= 0:
                yield part
            count -= letters(part.text)


def _written(said: Sequence[Token], text: str) -> Token:
    first, last = said[0], said[-1]
    spoken = "".join(token.text for token in said)
    before = spoken[: len(spoken) - len(spoken.lstrip())]
    after = spoken[len(spoken.rstrip()) :]
    return replace(
        first,
        text=f"{before}{text}{after}",
        duration_frames=max(0, last.start_frame + last.duration_frames - first.start_frame),
        end=max(first.start, last.end),
        confidence=min(token.confidence for token in said),
        recovered=any(token.recovered for token in said),
        boosted=any(token.boosted for token in said),
        unfinished=last.unfinished,
        spoken=spoken.strip(),
    )
