import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from training import augment
from training.noises import KINDS, at_level, level


@pytest.fixture
def speech():
    random = np.random.default_rng(3)
    envelope = np.abs(np.sin(np.arange(24_000) / 2_000))
    return (random.normal(0, 0.1, 24_000) * envelope).astype(np.float32)


def test_equal_seeds_give_equal_samples(speech):
    others = [speech[::-1].copy()] * 4
    for seed in range(12):
        one, two = (
            augment.augmented(speech, others, 1.0, np.random.default_rng(seed)) for _ in range(2)
        )
        np.testing.assert_array_equal(one, two)
        assert one.dtype == np.float32
        assert np.abs(one).max() <= 1
        assert np.isfinite(one).all()


def test_no_strength_changes_nothing(speech):
    unchanged = augment.augmented(speech, [], 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(unchanged, speech)


def test_speed_changes_the_length(speech):
    assert augment.at_speed(speech, 1.25).shape[0] == pytest.approx(24_000 / 1.25, abs=2)


def test_only_joining_and_speed_move_words():
    click = np.zeros(16_000, np.float32)
    click[8_000:8_040] = 0.9
    for seed in range(200):
        heard = augment.augmented(click, [], 0.999, np.random.default_rng(seed))
        assert abs(int(np.abs(heard).argmax()) - 8_020) < 400


def test_some_speeds_are_drawn_where_there_is_augmentation():
    random = np.random.default_rng(0)
    assert {augment.drawn_speed(0.0, random) for _ in range(20)} == {1.0}
    drawn = [augment.drawn_speed(1.0, random) for _ in range(200)]
    assert 100 < sum(speed != 1 for speed in drawn) < 180
    assert all(0.85 <= speed <= 1.18 for speed in drawn)


def test_noise_has_its_ratio(speech):
    noise = KINDS["noise"](24_000, np.random.default_rng(0))
    added = augment.mixed(speech, noise, 10.0) - speech
    assert 20 * np.log10(level(speech) / level(added)) == pytest.approx(10, abs=0.1)


def test_a_narrow_line_leaves_its_band_alone():
    time_s = np.arange(16_000) / 16_000
    for hz, kept in ((100, False), (1_000, True), (5_000, False)):
        tone = np.sin(2 * np.pi * hz * time_s).astype(np.float32)
        assert (level(augment.narrowed(tone, (300.0, 3_400.0))) > 0.5 * level(tone)) == kept


@pytest.mark.parametrize("seed", range(8))
def test_a_codec_keeps_the_speech_in_place(seed, speech):
    coded = augment.coded(speech, np.random.default_rng(seed))
    assert coded.shape == speech.shape
    assert np.isfinite(coded).all()
    assert level(coded) > 0.3 * level(speech)


def test_a_room_keeps_the_direct_sound_first(speech):
    click = np.zeros(4_000, np.float32)
    click[100] = 1
    heard = augment.reverberated(click, np.random.default_rng(0))
    assert heard.shape[0] > 4_000
    assert np.abs(heard[:99]).max() < 1e-6
    assert heard[100] == pytest.approx(1, abs=1e-3)


def test_joining_keeps_every_sample(speech):
    whole, starts = augment.joined([speech, speech], np.random.default_rng(0), 0.5)
    for start in starts:
        np.testing.assert_array_equal(whole[start : start + speech.shape[0]], speech)
    assert level(whole) * whole.shape[0] ** 0.5 == pytest.approx(
        level(speech) * (2 * speech.shape[0]) ** 0.5, rel=1e-2
    )
    assert 48_000 < whole.shape[0] < 48_000 + 3 * 8_000


def test_a_silence_before_the_speech_moves_it(speech):
    zeros = 0
    for seed in range(200):
        whole, starts = augment.joined([speech], np.random.default_rng(seed), 0.5, 2.0)
        later, moved = augment.joined([speech], np.random.default_rng(seed), 0.5, 3.0)
        assert 32_000 <= starts[0] == moved[0] - 16_000 <= 40_000
        np.testing.assert_array_equal(later[moved[0] :], whole[starts[0] :])
        zeros += not whole[: starts[0]].any()
    assert 60 < zeros < 100


def test_pauses_are_as_quiet_as_the_quiet_moments():
    speech = np.concatenate([np.full(16_000, 0.3), np.full(16_000, 0.01)]).astype(np.float32)
    assert augment.quiet_level(speech) == pytest.approx(0.01)
    assert augment.quiet_level(speech[:10]) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_have_level_one(kind):
    sound = KINDS[kind](20_000, np.random.default_rng(1))
    assert sound.shape == (20_000,)
    assert level(sound) == pytest.approx(1, rel=1e-3)


def test_silence_stays_silence():
    assert level(at_level(np.zeros(100, np.float32), 0.5)) == 0
