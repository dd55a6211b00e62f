"""What is chosen of boosting."""

import pytest

from parakeet_streaming.boosting.options import Boosting, boosting_of
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.errors import OptionError


def test_what_callers_give():
    assert boosting_of(None) is None
    assert boosting_of([]) is None
    assert boosting_of(["a"], 0) is None
    chosen = boosting_of(["a", Phrase("b", 2)])
    assert chosen == Boosting((Phrase("a"), Phrase("b", 2.0)))
    assert boosting_of(chosen) is chosen
    assert boosting_of(chosen, 2).boost == 2
    assert hash(boosting_of(["a"], 2)) == hash(boosting_of(["a"], 2))


def test_a_boost_needs_phrases():
    with pytest.raises(OptionError, match="give phrases"):
        boosting_of(None, 2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"boost": 11},
        {"boost": -1},
        {"window": -1},
        {"most_step": "x"},
        {"cases": 1},
        {"word_starts": None},
        {"other_splits": 9},
        {"share": -1},
        {"depth_scaling": float("inf")},
    ],
)
def test_a_choice_out_of_its_limits_is_refused(wrong):
    (name,) = wrong
    with pytest.raises(OptionError, match=name):
        Boosting(("a",), **wrong)


def test_without_fences_there_is_one_split_of_one_case():
    chosen = Boosting.unfenced(["a"], 2.0)
    fences = chosen.window, chosen.most_step, chosen.share, chosen.cases, chosen.other_splits
    assert fences == (None, None, 0, False, 0)
