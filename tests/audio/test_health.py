"""What is wrong with the sound is reported once when it begins and once when it is over."""

from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.audio.health import HealthLimits, HealthWatch, Level, PhaseWatch, level
from parakeet_streaming.errors import OptionError

RATE_HZ = 1_000


def sine(seconds, amplitude):
    return (amplitude * np.sin(np.arange(round(seconds * RATE_HZ)) * 0.5)).astype(np.float32)


def zeros(seconds):
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def clipped(seconds):
    return np.clip(sine(seconds, 1.5), -1, 1)


def findings_of(*sounds, **limits):
    """(trouble, whether it begins, seconds) of each finding."""
    watch = HealthWatch(RATE_HZ, HealthLimits(**limits))
    findings = watch.feed(np.concatenate(sounds))
    return [(each.trouble, each.begins, each.at_sample / RATE_HZ) for each in findings]


def test_good_sound_is_not_talked_about():
    assert (
        findings_of(sine(30, 0.1), zeros(1.9), sine(1, 0.9), sine(9.9, 0.0001), sine(1, 0.01)) == []
    )


def test_digital_silence_is_reported_once_and_its_end():
    assert findings_of(zeros(30), sine(1, 0.1), zeros(5)) == [
        ("zeros", True, 2.0),
        ("zeros", False, 30.1),
        ("zeros", True, 33.0),
    ]


def test_what_is_quiet_is_not_zeros():
    assert findings_of(sine(20, 0.0005), sine(1, 0.1)) == [
        ("quiet", True, 10.0),
        ("quiet", False, 20.1),
    ]


def test_zeros_that_turn_out_quiet():
    assert findings_of(zeros(11), sine(2, 0.0005)) == [
        ("zeros", True, 2.0),
        ("zeros", False, 11.1),
        ("quiet", True, 11.1),
    ]


def test_clipping_is_over_when_it_stays_away():
    assert findings_of(sine(2, 0.5), clipped(0.5), sine(2.5, 0.5), clipped(0.5), sine(9, 0.5)) == [
        ("clipping", True, 2.1),
        ("clipping", False, 9.4),
    ]


def test_a_few_samples_at_full_scale_are_no_clipping():
    loud = sine(1, 0.5)
    loud[[10, 500, 501, 900]] = 1
    assert findings_of(loud) == []
    loud[700] = -1
    assert findings_of(loud) == [("clipping", True, 1.0)]


def test_limits_are_what_they_say():
    assert findings_of(zeros(1), zeros_s=0.5) == [("zeros", True, 0.5)]
    assert findings_of(sine(1, 0.1), quiet_s=0.5, quiet_dbfs=-10) == [("quiet", True, 0.5)]
    assert findings_of(clipped(1), clipping_share=1) == []


@pytest.mark.parametrize(
    "limits",
    [{"zeros_s": 0}, {"quiet_s": -1}, {"clipping_over_s": 0}, {"clipping_share": 0},
     {"clipping_share": 1.1}, {"quiet_dbfs": 1}, {"quiet_dbfs": -120}],
)  # fmt: skip
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(OptionError, match=next(iter(limits))):
        HealthLimits(**limits)


@pytest.mark.parametrize(
    ("sound", "says"),
    [(zeros(3), "muted"), (sine(11, 0.0001), "level up"), (clipped(1), "level down")],
)
def test_a_finding_says_what_to_do(sound, says):
    (finding,) = HealthWatch(RATE_HZ).feed(sound)
    assert says in finding.message


def test_what_lasts_can_be_asked_for():
    watch = HealthWatch(RATE_HZ)
    watch.feed(zeros(3))
    assert watch.lasting == {"zeros"}
    watch.feed(sine(1, 0.1))
    assert watch.lasting == frozenset()


@settings(max_examples=50)
@given(
    kinds=st.lists(st.sampled_from("zqsc"), min_size=1, max_size=6),
    sizes=st.lists(st.integers(0, 3_000), min_size=1, max_size=12),
)
def test_slicing_changes_nothing(kinds, sizes):
    made = {"z": zeros, "c": clipped, "q": lambda s: sine(s, 0.0001), "s": lambda s: sine(s, 0.3)}
    sound = np.concatenate([made[kind](3.25) for kind in kinds])
    whole = HealthWatch(RATE_HZ)
    expected = whole.feed(sound)
    sliced = HealthWatch(RATE_HZ)
    findings = []
    start = 0
    for size in cycle([*sizes, 1]):
        findings += sliced.feed(sound[start : start + size])
        start += size
        if start >= len(sound):
            break
    assert findings == expected
    assert sliced.level == whole.level


def test_levels():
    assert level(np.zeros(0, np.float32)) == Level(-120, -120)
    assert level(np.zeros(9, np.float32)) == Level(-120, -120)
    assert level(np.full(9, -1, np.float32)) == Level(0, 0)
    full = level(sine(10, 1.0))
    assert full.peak_dbfs == pytest.approx(0, abs=0.01)
    assert full.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert level(sine(10, 0.1)).rms_dbfs == pytest.approx(-23.01, abs=0.01)


def test_the_level_of_the_last_whole_block():
    watch = HealthWatch(RATE_HZ)
    watch.feed(sine(0.05, 1))
    assert watch.level == Level()
    watch.feed(np.ones(100, np.float32))
    assert watch.level.peak_dbfs == 0


def phases(*gains, seconds=3.0, block=1600):
    """After how many samples a watch is sure that channels with these gains cancel each other."""
    mono = np.random.default_rng(3).normal(0, 0.1, round(16_000 * seconds)).astype(np.float32)
    frames = np.stack([gain * mono for gain in gains], axis=1)
    watch = PhaseWatch(16_000)
    return [
        at
        for at in range(0, len(frames), block)
        if watch.feed(frames[at : at + block], frames[at : at + block].mean(axis=1))
    ]


def test_channels_that_cancel_each_other_are_told_once():
    assert phases(1.0, -1.0) == [14_400]
    assert phases(1.0, -0.9) == [14_400]
    assert phases(1.0, 1.0) == phases(1.0, 0.0) == phases(1.0, 0.5) == []
    assert phases(1.0, -1.0, seconds=0.5) == []
    assert phases(0.0, 0.0) == phases(1e-4, -1e-4) == []


def test_whole_numbers_cancel_each_other_too():
    left = (np.random.default_rng(3).normal(0, 3000, 16_000)).astype(np.int16)
    watch = PhaseWatch(16_000)
    assert watch.feed(np.stack([left, -left], axis=1), np.zeros(16_000, np.float32))
    assert not watch.feed(np.zeros((0, 2), np.int16), np.zeros(0, np.float32))
