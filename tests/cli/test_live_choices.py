"""Delay and endpointing of live commands."""

import pytest

from parakeet_streaming.cli.live_choices import chosen_delay, chosen_endpoint
from parakeet_streaming.errors import OptionError


def test_the_chunk_may_grow_unless_it_is_fixed():
    assert chosen_delay(None, None, None, fixed=True).longest_chunk == 0.5
    assert chosen_delay("5-1-1", None, None, fixed=False).longest_chunk == 4.0
    assert chosen_delay("5-1-1", None, 3.0, fixed=False).longest_chunk == 3.0
    with pytest.raises(OptionError, match="--longest-chunk"):
        chosen_delay(None, None, 3.0, fixed=True)


def test_utterances_end_as_asked():
    assert chosen_endpoint("off", None) is None
    assert chosen_endpoint("relaxed", 12.0).max_utterance_s == 12.0
    for words in (("off", 12.0), ("sometimes", None)):
        with pytest.raises(OptionError, match="--endpointing"):
            chosen_endpoint(*words)
