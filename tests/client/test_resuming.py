"""Options of going on."""

import pytest

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
