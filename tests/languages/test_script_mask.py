"""Which tokens are ruled out, by their text."""

import numpy as np
import pytest

from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.script_mask import ScriptMasks

PIECES = (
    "<unk>", "▁a", "b", "▁б", "ж", "γ", "▁", "1", ",", "<0xD0>",
    "<|ru|>", "<EOU>", "aб", "▁'s", "<blk>",
)  # fmt: skip


@pytest.fixture
def masks():
    return ScriptMasks(Vocabulary(PIECES, len(PIECES) - 1))


def left(mask):
    logits = np.zeros((2, len(PIECES)), np.float32)
    adjusted = mask.adjust(logits, np.zeros(2, np.int64))
    assert np.array_equal(adjusted[0], adjusted[1])
    return [piece for piece, logit in zip(PIECES, adjusted[0], strict=True) if logit == 0]


NONE = ["<unk>", "▁", "1", ",", "<0xD0>", "<|ru|>", "<EOU>", "<blk>"]
"""Of no script."""


@pytest.mark.parametrize(
    ("languages", "letters"),
    [
        (("en",), ["▁a", "b", "▁'s"]),
        (("de", "fr"), ["▁a", "b", "▁'s"]),
        (("ru",), ["▁б", "ж"]),
        (("el",), ["γ"]),
        (("el", "uk"), ["▁б", "ж", "γ"]),
        (("en", "ru"), ["▁a", "b", "▁б", "ж", "aб", "▁'s"]),
    ],
)
def test_tokens_of_other_scripts_are_ruled_out(masks, languages, letters):
    assert set(left(masks.of(languages))) == {*NONE, *letters}


def test_where_nothing_would_be_ruled_out_there_is_no_mask(masks):
    assert masks.scripts == {"Latn", "Cyrl", "Grek"}
    assert masks.of(()) is None
    assert masks.of(("en", "ru", "el")) is None
    latin = ScriptMasks(Vocabulary(("▁a", "1", "<blk>"), 2))
    assert latin.of(("en",)) is None
    assert ScriptMasks(Vocabulary(("1", "<blk>"), 1)).of(("en",)) is None


def test_a_language_that_is_not_written_rules_out_nothing_and_is_refused_where_it_is_checked(masks):
    assert masks.of(("ja",)) is None
    with pytest.raises(OptionError, match="writes no ja: its tokens are of Cyrl, Grek, Latn, not"):
        masks.check(("ja",))
    masks.check(("ja", "en"))
    masks.check(())


def test_equal_scripts_share_a_mask(masks):
    assert masks.of(("de",)) is masks.of(("en", "fr"))


def test_nothing_is_remembered(masks):
    mask = masks.of(("en",))
    states = np.zeros(3, np.int64)
    assert (mask.states, mask.marks) == (1, False)
    assert mask.advance(states, np.array([1, 2, 3])) is states
