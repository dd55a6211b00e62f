"""Which context a command was asked for."""

import pytest

from parakeet_streaming.cli.options import chosen_context
from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.timeline import PRESETS, ContextConfig


def test_none_was_asked_for():
    assert chosen_context(None, None) is None


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_context_under_either_option(name):
    expected = ContextConfig(*PRESETS[name])
    assert chosen_context(None, name) == chosen_context(name, None) == expected


def test_a_context_is_written_in_seconds():
    assert chosen_context("10-2-2", None) == ContextConfig(10.0, 2.0, 2.0)
    with pytest.raises(ContextError, match="is no context"):
        chosen_context("10-2", None)


@pytest.mark.parametrize("preset", ["10-2-2", "fast", ""])
def test_a_preset_that_does_not_exist(preset):
    with pytest.raises(OptionError, match=f"--preset {preset} does not exist; use one of ultra"):
        chosen_context(None, preset)


def test_one_of_the_two_alone():
    with pytest.raises(OptionError, match="exclude each other"):
        chosen_context("10-2-2", "balanced")
