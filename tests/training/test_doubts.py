import json

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import AudioNotFoundError
from training.doubts import clip_key, contradicts, doubtful, without, write_doubts
from training.manifest import Clip


@pytest.mark.parametrize(
    ("said", "heard", "plainly"),
    [
        ("five", "5", False),
        ("four", "For.", False),
        ("right", "write", False),
        ("go", "Stop.", True),
        ("one two three", "one nine", False),
        ("smart mirror", "", True),
        ("yes", "€", False),
        ("backward", "back word", False),
    ],
)
def test_only_plain_contradictions_count(said, heard, plainly):
    assert contradicts(said, heard) is plainly


@pytest.fixture
def clips(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    found = []
    for at, text in enumerate(("yes", "no", "stop")):
        path = folder / f"{at}.wav"
        soundfile.write(path, np.full(16_000, 0.1 * (at + 1)), 16_000)
        found.append(Clip(path, text, "anna", 1.0, "words", "free"))
    path = folder / "2.wav"
    return [*found, Clip(path, "go", "anna", 0.5, "words", "free", offset_s=0.5)]


def hearer(answers, asked):
    replies = iter(answers)

    def hear(samples):
        asked.append(samples.shape[0])
        return next(replies)

    return hear


def test_a_clip_is_doubted_by_all_hearers(clips, tmp_path):
    first, second = [], []
    found = doubtful(
        clips,
        [
            ("one", hearer(["yes", "shop", "", "left"], first)),
            ("two", hearer(["No!", "", "left"], second)),
        ],
        tmp_path / "heard.jsonl",
    )
    assert found == clips[2:]
    assert first == [16_000, 16_000, 16_000, 8_000]
    assert second == [16_000, 16_000, 8_000]
    write_doubts(found, tmp_path / "heard.jsonl", tmp_path / "doubts.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "doubts.jsonl").read_text().splitlines()]
    assert lines == [
        {"clip": "words/2.wav", "text": "stop", "heard": {"one": "", "two": ""}},
        {"clip": "words/2.wav@0.5", "text": "go", "heard": {"one": "left", "two": "left"}},
    ]
    assert without(clips, tmp_path / "doubts.jsonl") == clips[:2]


def test_a_missing_list_is_told(clips, tmp_path):
    with pytest.raises(AudioNotFoundError, match="doubts"):
        without(clips, tmp_path / "none.jsonl")


def test_a_run_goes_on_where_it_was_stopped(clips, tmp_path):
    journal = tmp_path / "heard.jsonl"
    line = {"clip": clip_key(clips[0]), "hearer": "one", "heard": "nothing"}
    journal.write_text(json.dumps(line) + '\n{"clip": "wor\n')
    asked = []
    found = doubtful(clips, [("one", hearer(["no", "stop", "go"], asked))], journal)
    assert len(asked) == 3
    assert found == clips[:1]
    assert doubtful(clips, [("one", hearer([], []))], journal) == found
