"""Choices compiled to a bias: once for all that are equal."""

import numpy as np
import pytest

from parakeet_streaming.boosting.compiled import PhraseBiases
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.errors import OptionError

PIECES = ("<unk>", "▁a", "b", "▁A", "B", "▁", "a", "A", "▁ab", "<blk>")
BIASES = PhraseBiases(Vocabulary(PIECES, 9))


def written(**choices):
    phrases = choices.pop("phrases", ["ab"])
    found = BIASES.splits(Boosting(tuple(phrases), **choices))
    return [("".join(PIECES[token] for token in tokens), weight) for tokens, weight in found]


def test_equal_choices_are_one_bias():
    one = BIASES.of(Boosting(("a b", "ab")))
    assert BIASES.of(Boosting(("a b", "ab"))) is one
    assert BIASES.of(Boosting(("ab", "a b"))) is not one
    assert BIASES.of(Boosting(("a b", "ab"), boost=2.0)) is not one


def test_cases_splits_and_word_starts():
    alone = {"cases": False, "other_splits": 0}
    assert written(**alone) == [("▁ab", 1.0)]
    assert written(**alone, word_starts=False) == [("▁ab", 1.0), ("ab", 1.0)]
    assert written(cases=True, other_splits=0) == [("▁ab", 1), ("▁Ab", 1), ("▁AB", 1)]
    chosen = Boosting(("ab ab",), cases=False, other_splits=8)
    several = [tokens for tokens, _ in BIASES.splits(chosen)]
    assert several[0] == (8, 8)
    assert (1, 2, 8) in several


def test_a_case_that_cannot_be_written_is_left_out_where_another_can():
    assert written(phrases=["ba"], cases=True, other_splits=0) == [
        ("▁ba", 1),
        ("▁Ba", 1),
        ("▁BA", 1),
    ]
    with pytest.raises(OptionError, match="cannot write 'abc': it has no c"):
        written(phrases=["abc"])


def test_a_phrase_without_weight_is_left_out():
    assert written(phrases=[Phrase("abc", 0)]) == []


def test_the_fences_are_in_the_bias():
    bias = BIASES.of(Boosting(("ab",), boost=9.0, most_step=5.0, window=3.0, cases=False))
    logits = np.zeros((1, 10), np.float32)
    logits[0, 2] = 2.0
    (row,) = bias.adjust(logits.copy(), np.array([0]))
    assert row[8] == 5.0
    logits[0, 2] = 4.0
    (row,) = bias.adjust(logits.copy(), np.array([0]))
    assert row[8] == 0.0
