"""What was chosen of boosting in; a decoder's bias out, which streams with equal choices share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final
from weakref import WeakValueDictionary

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.splits import Splitter, Tokens, WrittenPieces
from parakeet_streaming.boosting.token_tree import TokenTree
from parakeet_streaming.boosting.variants import case_variants
from parakeet_streaming.errors import OptionError

_KEPT: Final = 8
"""Biases that are kept although no stream has them: the next stream may."""


class PhraseBiases:
    """Biases of one vocabulary. Any thread may ask; two that ask at once may both compile."""

    def __init__(self, pieces: WrittenPieces) -> None:
        self._pieces = pieces
        self._splitter: Splitter | None = None
        self._known: WeakValueDictionary[Boosting, PhraseBias] = WeakValueDictionary()
        self._recent: deque[PhraseBias] = deque(maxlen=_KEPT)

    def of(self, boosting: Boosting) -> PhraseBias:
        """The bias of these choices, compiled once.

        Raises:
            OptionError: a phrase with letters that the model cannot write.
        """
        bias = self._known.get(boosting)
        if bias is None:
            bias = self._known.setdefault(boosting, self._compiled(boosting))
        if bias not in self._recent:
            self._recent.append(bias)
        return bias

    def splits(self, boosting: Boosting) -> Iterator[tuple[Tokens, float]]:
        """Tokens and weights, in the order in which the tree takes them.

        Raises:
            OptionError: a phrase with letters that the model cannot write.
        """
        return ((tokens, weight) for tokens, weight, _ in self._numbered(boosting))

    def _numbered(self, boosting: Boosting) -> Iterator[tuple[Tokens, float, int]]:
        splitter = self._splitter = self._splitter or Splitter(self._pieces)
        for number, phrase in enumerate(boosting.phrases):
            if phrase.weight == 0:
                continue
            found = False
            for text in case_variants(phrase.text) if boosting.cases else (phrase.text,):
                for begun in (f" {text}",) if boosting.word_starts else (f" {text}", text):
                    for tokens in splitter.splits(begun, boosting.other_splits):
                        found = True
                        yield tokens, phrase.weight, number
            if not found and boosting.strict:
                raise OptionError(
                    f"this model cannot write {phrase.text!r}: it has no "
                    f"{' '.join(splitter.unwritable(phrase.text)) or 'pieces for it'}; leave it "
                    "out, or spell it as it would be heard"
                )

    def _compiled(self, boosting: Boosting) -> PhraseBias:
        tree = TokenTree(boosting.boost, boosting.depth_scaling, boosting.most_step)
        for tokens, weight, number in self._numbered(boosting):
            tree.add(tokens, weight, number)
        if boosting.share:
            tree.share(boosting.share)
        assert self._splitter is not None
        return PhraseBias.of(tree, self._splitter.width, boosting.window)
