"""The context of a whole recording: one window, or long ones that overlap."""

import pytest

from parakeet_streaming.engine.whole_recordings import OFFLINE_CONTEXT, whole_context
from parakeet_streaming.errors import OptionError


@pytest.mark.parametrize("audio_s", [0.0, 0.01, 3.0, 300.0])
def test_what_is_short_is_one_window(audio_s):
    context = whole_context(audio_s, 6_400_000)
    assert (context.left, context.right) == (0.0, 0.0)
    assert context.samples.chunk >= audio_s * 16_000


@pytest.mark.parametrize("audio_s", [None, 400.0, 1e9])
def test_what_is_long_or_unknown_is_several(audio_s):
    assert whole_context(audio_s, 6_400_000) == OFFLINE_CONTEXT


def test_windows_are_no_longer_than_the_model_takes():
    assert whole_context(None, 640_000).samples.window <= 640_000


def test_no_number_is_refused():
    with pytest.raises(OptionError):
        whole_context("an hour", 640_000)
