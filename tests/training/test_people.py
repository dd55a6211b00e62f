import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from training.people import people, read_aloud


@pytest.fixture
def folder(kokoro_folder):
    return kokoro_folder


def test_a_person_is_the_same_among_few_and_many(folder):
    many = people(folder, 40, 3)
    assert people(folder, 10, 3) == many[:10]
    assert people(folder, 10, 4) != many[:10]
    assert len({person.speaker for person in many}) == 40
    assert len({(person.sound, person.manner, person.tract) for person in many}) == 40


def test_parts_of_a_voice_make_a_whole(folder):
    for person in people(folder, 40, 0):
        for mixture in (person.sound, person.manner):
            assert len({name for name, _ in mixture}) == len(mixture) >= 2
            assert sum(part for _, part in mixture) == pytest.approx(1, abs=0.01)
        assert 0.87 < person.tract < 1.39
        assert 0.79 < person.pace < 1.26


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_voice_reads_at_its_pitch(folder):
    for person in people(folder, 4, 0):
        (heard,) = read_aloud(folder, person, ["yes, it is"], np.random.default_rng(0))
        assert heard.dtype == np.float32
        # The model says two seconds, whatever the speed; the vocal tract makes them shorter.
        assert heard.shape[0] == pytest.approx(188 * 256 / 24_000 / person.tract * 16_000, rel=0.01)
