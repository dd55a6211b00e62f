"""The biases of a stream's decoder, from what was chosen for it."""

from dataclasses import replace

import pytest

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.biases import StreamBiases, carried
from parakeet_streaming.engine.stream_state import Ahead, StreamOptions
from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.testing import FakePieces, fake_recognizer
from parakeet_streaming.timeline import ContextConfig

BIASES = StreamBiases(FakePieces(["one", "two"]))
CONTEXT = ContextConfig(0.8, 0.4, 0.4)


def test_nothing_chosen_is_no_bias():
    assert BIASES.of(StreamOptions(CONTEXT)) == ()


def test_equal_choices_share_a_bias():
    first, other = (
        BIASES.of(StreamOptions(context, boosting=Boosting(("one",))))
        for context in (CONTEXT, ContextConfig.balanced())
    )
    assert len(first) == 1
    assert first[0] is other[0]


def test_biases_that_stay_keep_their_states():
    (one,) = BIASES.of(StreamOptions(CONTEXT, boosting=Boosting(("one",))))
    (two,) = BIASES.of(StreamOptions(CONTEXT, boosting=Boosting(("two",))))
    assert carried((one, two), (3, 4), (two, one)) == (4, 3)
    assert carried((one,), (3,), (two,)) == (0,)
    assert carried((one,), (), (one,)) == (0,)
    assert carried((one,), (3,), ()) == ()


@pytest.mark.parametrize("states", [(9,), (-1,), (0, 0)])
@pytest.mark.parametrize("ahead", [False, True])
def test_a_state_in_which_no_bias_can_be_is_refused(states, ahead):
    options = StreamOptions(CONTEXT, boosting=Boosting(("one two",)))
    state = fake_recognizer([], ["one", "two"]).open(options).state()
    assert BIASES.check(state) == BIASES.of(options)
    wrong = replace(state.decoder, bias_states=states)
    state = replace(state, ahead=Ahead((), wrong)) if ahead else replace(state, decoder=wrong)
    with pytest.raises(SnapshotError, match="states of phrases"):
        BIASES.check(state)
