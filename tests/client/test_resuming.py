"""Options of going on."""

from dataclasses import replace

import pytest

from parakeet_streaming.client.events import CheckpointTerms
from parakeet_streaming.client.resuming import Resuming, resuming_of
from parakeet_streaming.errors import OptionError


def test_yes_and_no_are_options_too():
    assert resuming_of(True) == Resuming()
    assert resuming_of(False) is None
    assert resuming_of(Resuming(for_s=1.0)) == Resuming(for_s=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"for_s": -1.0}, {"first_wait_s": float("nan")}, {"most_wait_s": 1e9}, {"silent_s": 0.0},
        {"checkpoints_s": 0.1}, {"most_audio_s": 0.5}, {"when_full": "drop"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Resuming(**wrong)


def test_a_server_may_be_silent_between_two_checkpoints():
    terms = CheckpointTerms(3.0, 136.0, 600.0, True)
    assert Resuming().silence_s(terms) == 8.0
    assert Resuming().silence_s(replace(terms, every_s=30.0)) == 60.0


def test_audio_is_kept_as_long_as_a_checkpoint_lasts():
    terms = CheckpointTerms(3.0, 136.0, 600.0, True)
    assert Resuming().kept_s(terms) == 600.0
    assert Resuming().kept_s(replace(terms, lasts_s=20.0)) == 136.0
    assert Resuming(most_audio_s=5.0).kept_s(terms) == 5.0
    assert Resuming().kept_s(None) == 0.0
