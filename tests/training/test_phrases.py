import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.results import Word
from training.manifest import Clip
from training.phrases import MOST_PHRASES, cut, pauses, phrases

RATE_HZ = 16_000


def spoken(*stretches):
    """Noise where somebody speaks and near silence elsewhere, from pairs of seconds."""
    samples = np.random.default_rng(0).standard_normal(3 * RATE_HZ).astype(np.float32) * 1e-4
    for start_s, end_s in stretches:
        samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] *= 1000
    return samples


def words(*times):
    return [Word(text, start, end, 1.0) for text, start, end in times]


def clip(text, tmp_path):
    return Clip(tmp_path / "a.wav", text, "anna", 3.0, "mine", "CC0")


def test_a_clip_is_cut_in_the_middle_of_a_pause():
    samples = spoken((0.2, 0.9), (1.3, 2.0))
    heard = words(("one", 0.3, 0.5), ("two", 0.6, 0.85), ("three", 1.35, 1.6), ("four", 1.7, 1.9))
    ((before, middle_s),) = pauses(samples, ["one", "two", "three", "four"], heard)
    assert before == 2
    assert middle_s == pytest.approx(1.1, abs=0.05)


@pytest.mark.parametrize("mistaken", ["two", "three"])
def test_not_beside_a_word_that_was_misheard(mistaken):
    samples = spoken((0.2, 0.9), (1.3, 2.0))
    heard = [
        Word("wrong" if word.text == mistaken else word.text, word.start, word.end, 1.0)
        for word in words(("one", 0.3, 0.5), ("two", 0.6, 0.85), ("three", 1.35, 1.6))
    ]
    assert pauses(samples, ["one", "two", "three"], heard) == []


def test_not_where_a_pause_is_short():
    samples = spoken((0.2, 0.9), (0.96, 2.0))
    heard = words(("one", 0.3, 0.85), ("two", 1.0, 1.8))
    assert pauses(samples, ["one", "two"], heard) == []


def test_a_word_known_early_is_behind_its_pause():
    samples = spoken((0.2, 0.9), (1.3, 2.0))
    heard = words(("one", 0.3, 0.85), ("and", 1.2, 1.28), ("two", 1.5, 1.9))
    ((before, _),) = pauses(samples, ["one", "and", "two"], heard)
    assert before == 1


def test_an_empty_clip_has_no_pauses():
    assert pauses(np.zeros(0, np.float32), [], []) == []


def test_phrases_are_runs_between_edges(tmp_path):
    found = {
        each.text: each
        for each in phrases(clip("a b c d", tmp_path), 3.0, [(1, 1.0), (3, 2.0)], seed=0)
    }
    assert set(found) == {"a", "b c", "d", "a b c", "b c d"}
    assert (found["b c d"].offset_s, found["b c d"].duration_s) == (1.0, 2.0)
    assert {each.corpus for each in found.values()} == {"mine-phrases"}


def test_a_few_of_many_phrases_are_drawn(tmp_path):
    edges = [(word, word * 0.5) for word in range(1, 6)]
    assert len(list(phrases(clip("a b c d e f", tmp_path), 3.0, edges, seed=0))) == MOST_PHRASES


def test_too_many_words_for_the_time_are_no_phrase(tmp_path):
    texts = [each.text for each in phrases(clip("a b c d", tmp_path), 3.0, [(3, 0.3)], seed=0)]
    assert texts == ["d"]


def test_a_clip_without_pauses_is_no_phrase(tmp_path):
    assert list(phrases(clip("a b", tmp_path), 3.0, [], seed=0)) == []


def test_phrases_of_a_part_count_from_the_file(tmp_path):
    whole = dataclasses.replace(clip("a b", tmp_path), offset_s=10.0)
    found = {each.text: each.offset_s for each in phrases(whole, 3.0, [(1, 1.0)], seed=0)}
    assert found == {"a": 10.0, "b": 11.0}


def test_a_file_that_cannot_be_read_gives_no_phrases(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    assert cut([clip("a b", tmp_path)], "tiny-en", processes=1, seed=0) == []
