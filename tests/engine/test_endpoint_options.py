"""Presets by name, and numbers that make no sense."""

import math
from dataclasses import FrozenInstanceError

import pytest

from parakeet_streaming.engine.endpoint_options import PRESETS, EndpointOptions
from parakeet_streaming.errors import OptionError


def test_presets():
    assert EndpointOptions.balanced() == EndpointOptions()
    for name in PRESETS:
        assert EndpointOptions.parse(f" {name.upper()} ") == getattr(EndpointOptions, name)()
    patience = [PRESETS[name] for name in ("aggressive", "balanced", "relaxed")]
    assert list(PRESETS.values()) == patience == sorted(patience)
    with pytest.raises(OptionError, match="use aggressive, balanced, relaxed"):
        EndpointOptions.parse("fast")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"min_silence_ms": each} for each in (-1, 60_001, math.nan)),
        *({"min_blank_ms": each} for each in (-1, 1e300, "320", None, True)),
        {"blank_only_ms": -1},
        *({"max_utterance_s": each} for each in (0, 0.9, 3_601, math.inf, math.nan)),
    ],
)
def test_impossible_options(wrong):
    (name,) = wrong
    with pytest.raises(OptionError, match=rf"^{name} (.*use|must be a number)"):
        EndpointOptions(**wrong)


def test_options_are_frozen():
    with pytest.raises(FrozenInstanceError):
        EndpointOptions().min_silence_ms = 6
