import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from training.manifest import DIGITS
from training.store import StoredClip
from training.strings import NEAR, Neighbours, Strings, close_cut, is_digit, is_word, rest_of

SECOND = 16_000


def clip(text, speaker, at, corpus="words", samples=SECOND):
    return StoredClip(at * 10 * SECOND, samples, text, speaker, corpus, "free")


def quiet_word(room, seconds=1.0, word=(0.4, 0.6), loud=0.3, seed=0):
    samples = np.random.default_rng(seed).normal(0, room, int(seconds * SECOND))
    start, end = (int(each * SECOND) for each in word)
    samples[start:end] += loud * np.sin(np.arange(end - start) / 5)
    return samples.astype(np.float32)


def never(_):
    raise AssertionError("a speaker of several words was read")


def test_what_counts_as_a_word():
    assert is_word(clip("smart mirror", "a", 0))
    assert not is_word(clip("a whole phrase", "a", 0))
    assert not is_word(clip("yes", "a", 0, corpus="books-phrases"))
    assert not is_word(clip("yes", "a", 0, samples=4 * SECOND))
    assert is_digit(clip("nine", "a", 0))
    assert not is_digit(clip("ten", "a", 0))


def test_words_of_one_speaker_stand_together():
    words = [clip(text, who, at) for at, (text, who) in enumerate((t, w) for w in "ab" for t in
             ("go", "stop", "left", "right"))]  # fmt: skip
    neighbours = Neighbours(words, never)
    for word in words:
        assert {each.speaker for each in neighbours.of(word)} == {word.speaker}


def test_lone_words_stand_beside_those_of_like_rooms():
    lone = [clip("yes", f"speaker {at}", at) for at in range(4 * NEAR)]
    rooms = {each.start: 0.001 if at % 2 else 0.05 for at, each in enumerate(lone)}
    neighbours = Neighbours(lone, lambda each: quiet_word(rooms[each.start], seed=each.start))
    for word in (lone[0], lone[1], lone[-1]):
        beside = neighbours.of(word)
        assert len(beside) == NEAR
        alike = [rooms[each.start] == rooms[word.start] for each in beside]
        assert np.mean(alike) > 0.7  # some stand at the end of their kind


def test_few_lone_words_have_what_there_is():
    lone = [clip("yes", f"speaker {at}", at) for at in range(3)]
    beside = Neighbours(lone, lambda each: quiet_word(0.01)).of(lone[1])
    assert {each.speaker for each in beside} == {each.speaker for each in lone}


def test_strings_of_digits_and_of_words():
    texts = [*DIGITS, "go", "stop", "left", "right"]
    strings = Strings([clip(text, "one", at) for at, text in enumerate(texts)], never)
    random = np.random.default_rng(0)
    nine, go = clip("nine", "one", 9), clip("go", "one", 10)
    only = [strings.behind(nine, random, digits_only=True) for _ in range(50)]
    assert all(is_digit(each) for found in only for each in found)
    mixed = [strings.behind(nine, random) for _ in range(100)]
    assert any(not is_digit(each) for found in mixed for each in found)
    alone = [strings.behind(go, random) for _ in range(200)]
    assert 40 < sum(not found for found in alone) < 120
    assert max(len(found) for found in alone) == 8


@pytest.mark.parametrize("room", [0.0, 0.0005, 0.01])
def test_a_close_cut_keeps_the_word(room):
    samples = quiet_word(room)
    random = np.random.default_rng(0)
    cuts = [close_cut(samples, random) for _ in range(50)]
    assert all(cut.start <= 0.4 * SECOND and cut.stop >= 0.6 * SECOND for cut in cuts)
    assert all(cut.start >= 0.18 * SECOND and cut.stop <= 0.82 * SECOND for cut in cuts)
    assert len({cut.start for cut in cuts}) > 20


def test_silence_is_not_cut():
    random = np.random.default_rng(0)
    assert close_cut(np.zeros(SECOND, np.float32), random) == slice(0, SECOND)
    assert close_cut(np.zeros(10, np.float32), random) == slice(0, 10)


@pytest.mark.parametrize("room", [0.0, 0.0005, 0.01])
def test_the_rest_of_a_word_is_its_last_sound(room):
    samples = quiet_word(room)
    random = np.random.default_rng(0)
    rests = [rest_of(samples, random) for _ in range(50)]
    assert all(480 <= each.shape[0] <= 1_760 for each in rests)
    assert len({each.shape[0] for each in rests}) > 20
    end = round(0.61 * SECOND)  # of the last moment in which some of the word is heard
    assert all((each == samples[end - each.shape[0] : end]).all() for each in rests)


def test_the_rest_of_a_short_word_is_not_the_word():
    random = np.random.default_rng(0)
    short = quiet_word(0.001, word=(0.4, 0.48))
    assert max(rest_of(short, random).shape[0] for _ in range(50)) == round(0.045 * SECOND)
    assert rest_of(np.zeros(0, np.float32), random).shape == (0,)
    assert rest_of(np.ones(10, np.float32), random).shape == (5,)
