import math
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import ContextError
from parakeet_streaming.timeline import (
    FRAME_S,
    FRAME_SAMPLES,
    MAX_CONTEXT_S,
    PRESETS,
    ContextConfig,
    WindowLengths,
    check_sample_rate,
    encoder_frames,
    feature_frames,
    floor_to_frames,
    frames_to_samples,
    frames_to_seconds,
    milliseconds_to_samples,
    samples_to_seconds,
    seconds_to_samples,
)


def test_the_units_are_those_of_every_parakeet():
    assert (FRAME_SAMPLES, FRAME_S) == (1280, 0.08)


@pytest.mark.parametrize(
    ("samples", "features", "frames"),
    [
        (0, 0, 0),
        (159, 0, 0),
        (160, 1, 1),
        (1279, 7, 1),
        (1280, 8, 1),
        (1439, 8, 1),
        (1440, 9, 2),
        (64_000, 400, 50),
        (281_047, 1756, 220),
    ],
)
def test_frames_of_a_window(samples, features, frames):
    assert (feature_frames(samples), encoder_frames(samples)) == (features, frames)


@given(samples=st.integers(0, 10**7))
def test_three_halvings_make_the_encoder_s_frames(samples):
    length = feature_frames(samples)
    for _ in range(3):
        length = math.ceil(length / 2)
    assert encoder_frames(samples) == length


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [
        (0.0, 0),
        (0.07, 0),
        (0.08, 1),
        (0.1, 1),
        (0.16, 2),
        (0.24, 3),
        (0.25, 3),
        (0.29, 3),
        (0.5, 6),
        (0.56, 7),
        (0.64, 8),
        (1.0, 12),
        (1.12, 14),
        (2.0, 25),
        (2.32, 28),  # the reference's floats fall a hair short of 29
        (3.84, 48),
        (10.0, 125),
    ],
)
def test_seconds_are_floored_as_in_the_reference(seconds, frames):
    assert floor_to_frames(seconds) == frames == int(seconds * (1.0 / 0.01) / 8)


@given(seconds=st.floats(0, MAX_CONTEXT_S))
def test_flooring_is_the_reference_s_expression(seconds):
    assert floor_to_frames(seconds) == int(seconds * (1.0 / 0.01) / 8)


def test_seconds_of_frames_have_no_float_dust():
    assert [frames_to_seconds(frames) for frames in (3, 7, 14, 45_000)] == [0.24, 0.56, 1.12, 3600]
    assert frames_to_samples(3) == 3840


@given(samples=st.integers(0, 10**9), rate_hz=st.sampled_from([8_000, 16_000, 44_100, 48_000]))
def test_samples_and_seconds_go_there_and_back(samples, rate_hz):
    assert seconds_to_samples(samples_to_seconds(samples, rate_hz), rate_hz) == samples


def test_a_context_in_every_unit():
    context = ContextConfig(2.0, 0.25, 0.5)
    assert context.frames == WindowLengths(left=25, chunk=3, right=6)
    assert context.frames.window == 34
    assert context.samples == WindowLengths(left=32_000, chunk=3_840, right=7_680)
    assert context.samples.window == 43_520
    assert context.effective == (2.0, 0.24, 0.48)
    assert context.latency_s == 0.72
    assert str(context) == "2-0.25-0.5"


def test_whole_numbers_are_seconds_too():
    assert ContextConfig(10, 2, 2).effective == (10.0, 2.0, 2.0)
    assert str(ContextConfig(10, 2, 2)) == str(ContextConfig(10.0, 2.0, 2.0)) == "10-2-2"


def test_a_context_is_frozen():
    with pytest.raises(FrozenInstanceError):
        ContextConfig().chunk = 1.0


@pytest.mark.parametrize("name", ["left", "chunk", "right"])
@pytest.mark.parametrize(
    "seconds",
    [-0.1, -1, math.nan, math.inf, -math.inf, 3600.1, 10**400, True, "1", None, 1j],
)
def test_impossible_seconds_are_refused(name, seconds):
    with pytest.raises(ContextError, match=f"{name} context"):
        ContextConfig(**{name: seconds})


@pytest.mark.parametrize("chunk", [0, 0.0, 0.0799, 0.07])
def test_a_chunk_of_less_than_a_frame_is_refused(chunk):
    with pytest.raises(ContextError, match=r"use at least 0\.08 s"):
        ContextConfig(1.0, chunk, 1.0)


def test_no_left_and_no_right_are_possible():
    assert ContextConfig(0, 0.08, 0).effective == (0.0, 0.08, 0.0)
    assert ContextConfig(MAX_CONTEXT_S).left == MAX_CONTEXT_S


@pytest.mark.parametrize("rate", [0, -1, 3_999, 384_001, 16_000.0, True, "16000", None])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(ContextError, match="sample_rate"):
        ContextConfig(sample_rate=rate)
    with pytest.raises(ContextError, match="sample_rate"):
        check_sample_rate(rate)


@pytest.mark.parametrize("rate", [4_000, 8_000, 44_100, 48_000, 384_000])
def test_usual_rates_are_taken(rate):
    assert ContextConfig(sample_rate=rate).sample_rate == rate


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_a_method_and_a_name(preset):
    context = getattr(ContextConfig, preset)(8_000)
    assert (context.left, context.chunk, context.right) == PRESETS[preset]
    for spelling in (preset, preset.replace("_", "-"), f" {preset.upper()} "):
        assert ContextConfig.parse(spelling, 8_000) == context


def test_presets_come_in_order_of_latency():
    latencies = [ContextConfig.parse(preset).latency_s for preset in PRESETS]
    assert latencies == sorted(latencies) == [0.16, 0.48, 0.96, 1.92, 4.0, 4.0]
    assert ContextConfig() == ContextConfig.balanced()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10-2-2", (10, 2, 2)),
        ("0-0.08-0", (0, 0.08, 0)),
        ("  5.6-0.56-0.56\n", (5.6, 0.56, 0.56)),
    ],
)
def test_notation(text, seconds):
    context = ContextConfig.parse(text, 48_000)
    assert (context.left, context.chunk, context.right) == seconds
    assert context.sample_rate == 48_000
    assert ContextConfig.parse(str(context)) == ContextConfig(*seconds)


@pytest.mark.parametrize(
    "text",
    ["", "fast", "10", "10-2", "10-2-2-2", "-1-2-2", "10 2 2", "1,5-2-2", ".5-2-2", "1e1-2-2"],
)
def test_other_texts_are_no_context(text):
    with pytest.raises(ContextError, match="no context; write left-chunk-right"):
        ContextConfig.parse(text)


@pytest.mark.parametrize("text", ["1-0-1", "4000-1-1", f"{'9' * 400}-1-1"])
def test_a_notation_of_an_impossible_context_is_refused(text):
    with pytest.raises(ContextError, match="use"):
        ContextConfig.parse(text)


@given(left=st.floats(0, MAX_CONTEXT_S), chunk=st.floats(0.08, 60.0), right=st.floats(0, 60.0))
def test_effective_is_never_more_than_asked(left, chunk, right):
    context = ContextConfig(left, chunk, right)
    for asked, used in zip((left, chunk, right), context.effective, strict=True):
        assert asked - used + 1e-6 >= 0
        assert asked - used < FRAME_S + 1e-6


def test_milliseconds_are_thousandths_of_seconds():
    assert milliseconds_to_samples(32) == 512
    assert milliseconds_to_samples(300, 48_000) == 14_400
    assert milliseconds_to_samples(0.5) == 8
