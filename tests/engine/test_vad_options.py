"""When probabilities count as speech: what may be chosen, and what follows from it."""

import math
from dataclasses import FrozenInstanceError

import pytest

from parakeet_streaming.engine.vad_options import MAX_DURATION_MS, VadOptions
from parakeet_streaming.errors import OptionError


def test_the_lower_threshold_follows_the_upper_one():
    assert VadOptions().effective_neg_threshold == 0.35
    assert VadOptions(threshold=0.1).effective_neg_threshold == 0.01
    assert VadOptions(threshold=0.005).effective_neg_threshold == 0.005
    assert VadOptions(neg_threshold=0.2).effective_neg_threshold == 0.2


@pytest.mark.parametrize(
    "wrong",
    [
        *({"threshold": each} for each in (0, 1.1, -1, math.nan)),
        *({"neg_threshold": each} for each in (0, 0.6, -1, math.nan)),
        *({"min_speech_ms": each} for each in (-1, 60_001, math.inf, math.nan)),
        *({"threshold": each} for each in ("0.5", None, True, 1e300)),
        {"neg_threshold": "0.5"},
        *({"hangover_ms": each} for each in (1e300, "600", None)),
        {"min_silence_ms": -1},
        {"prefix_padding_ms": -1},
        {"hangover_ms": -1},
    ],
)
def test_impossible_options(wrong):
    (name,) = wrong
    with pytest.raises(OptionError, match=rf"^{name} (.*use|must be a number)"):
        VadOptions(**wrong)


def test_options_are_frozen():
    with pytest.raises(FrozenInstanceError):
        VadOptions().threshold = 0.6


@pytest.mark.parametrize("threshold", [1e-9, 0.005, 0.01, 0.16, 0.5, 1])
def test_the_lower_threshold_is_a_probability_no_higher_than_the_upper_one(threshold):
    assert 0 < VadOptions(threshold).effective_neg_threshold <= threshold


@pytest.mark.parametrize(
    "name", ["min_speech_ms", "min_silence_ms", "prefix_padding_ms", "hangover_ms"]
)
def test_durations_reach_from_nothing_to_a_minute(name):
    for duration_ms in (0, MAX_DURATION_MS):
        assert getattr(VadOptions(**{name: duration_ms}), name) == duration_ms
    with pytest.raises(OptionError, match=f"^{name} 60000.5; use 0 to 60000"):
        VadOptions(**{name: MAX_DURATION_MS + 0.5})
