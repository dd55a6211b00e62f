import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="the training group")

from training import reading
from training.manifest import DIGITS, normalise, read_manifest, without_marks
from training.people import Person
from training.reading import NUMBERS, ORDERS, Reading, text_to_read

SENTENCES = ["well, it was a long way, and they were tired.", "nobody came."]
PERSONS = [
    Person(number, (("af_one", 1.0),), (("af_one", 1.0),), False, 1.0, 1.0) for number in (0, 1, 2)
]


@pytest.fixture
def tones(monkeypatch):
    """Half a second for each word; a list of who has read."""
    read = []

    def read_aloud(_, person, texts, random):
        read.append(person.number)
        counts = [8_000 * len(text.split()) for text in texts]
        return [random.normal(0, 0.1, count).astype(np.float32) for count in counts]

    monkeypatch.setattr(reading, "read_aloud", read_aloud)
    monkeypatch.setattr(reading, "workers", HereAndNow)
    return read


class HereAndNow:
    """A pool without processes."""

    def __init__(self, _):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, work, tasks):
        return map(work, tasks)


def test_what_is_read_can_be_learnt():
    random = np.random.default_rng(0)
    texts = [text_to_read(SENTENCES, random) for _ in range(400)]
    assert all(normalise(without_marks(text)) == without_marks(text) for text in texts)
    numbers = {*DIGITS, *NUMBERS, "oh"}
    strings = [text for text in texts if set(without_marks(text).split()) <= numbers]
    assert 50 < len(strings) < 110
    assert any("," in text for text in strings)
    assert 30 < sum(text in ORDERS for text in texts) < 90
    assert all(normalise(order) == order for order in (*ORDERS, *NUMBERS))


def test_a_run_that_was_stopped_reads_the_same(tones, tmp_path):
    whole = Reading(tmp_path, tmp_path / "whole", 0.03, 2, 5)
    hours, clips = whole.read(SENTENCES, PERSONS)
    assert hours >= 0.03
    assert tones[:5] == [0, 1, 2, 0, 1]
    found = read_manifest(tmp_path / "whole" / "manifest.jsonl")
    assert len(found) == clips
    assert {clip.speaker for clip in found} == {"made-0000", "made-0001", "made-0002"}
    assert soundfile.info(found[0].audio).samplerate == 16_000
    stopped = Reading(tmp_path, tmp_path / "parts", 0.005, 2, 5)
    stopped.read(SENTENCES, PERSONS)
    listing = tmp_path / "parts" / "manifest.jsonl"
    listing.write_text(listing.read_text() + '{"audio": "000/000')
    Reading(tmp_path, tmp_path / "parts", 0.03, 2, 5).read(SENTENCES, PERSONS)
    first, second = (
        (tmp_path / name / "manifest.jsonl").read_text().splitlines() for name in ("whole", "parts")
    )
    assert [json.loads(line) for line in second] == [json.loads(line) for line in first]
