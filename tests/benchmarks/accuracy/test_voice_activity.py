"""What voice activity changes, by where it lies."""

import json

import numpy as np
import pytest

from benchmarks.accuracy.vad_effect import differences
from benchmarks.speech.corpora import Utterance
from benchmarks.speech.sparse import sparse
from parakeet_streaming import Token


def tokens(*said):
    return [
        Token(ord(text), text, round(start / 0.08), 1, start, start + 0.08, 0.9)
        for text, start in said
    ]


def test_differences_are_counted_by_where_they_are():
    speech = [(1.0, 3.0), (20.0, 22.0), (40.0, 42.0)]
    off = tokens(("a", 1.2), ("b", 2.0), ("c", 9.0), ("d", 20.4), ("e", 40.8))
    on = tokens(("a", 1.2), ("x", 2.0), ("y", 20.4), ("z", 40.8))
    found = [(each.text, each.with_vad, each.where) for each in differences(off, on, speech)]
    assert found == [
        ("b", False, "speech"), ("x", True, "speech"), ("c", False, "pause"),
        ("d", False, "carried"), ("y", True, "carried"), ("e", False, "speech"),
        ("z", True, "speech"),
    ]  # fmt: skip
    assert differences(off, off, speech) == []
    assert [each.text for each in differences(off, off[:3], [])] == ["d", "e"]


def test_sparse_speech_is_where_it_says():
    loud = np.full(16_000, 0.5, np.float32)
    said = [Utterance("c", "s", f"word {each}", loud) for each in range(9)]
    made = sparse(said, 60.0, seed=1)
    assert made.samples.shape == (960_000,)
    assert made.samples.dtype == np.float32
    assert 1 <= len(made.speech) == made.text.count("word") < 9
    quiet = np.ones(960_000, bool)
    for start, end in made.speech:
        at = slice(round(start * 16_000), round(end * 16_000))
        assert made.samples[at].mean() == pytest.approx(0.5, abs=0.01)
        quiet[at] = False
    levels = 20 * np.log10(made.samples[quiet].std())
    assert -70 < levels < -50


def test_tables_and_numbers(run, speech, cells, tmp_path):
    numbers = tmp_path / "numbers.json"
    done = run(
        "accuracy.voice_activity", speech, "--list", "list.jsonl", "--limit", "1",
        "--sparse-minutes", "0.5", "--context", "1-0.5-0.5", "--json", numbers,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, *rows = cells(done.stdout, "text")
    assert [row[0] for row in rows] == ["phone", "book", "fsdd", "sparse speech"]
    assert rows[0][5] == "0"
    effects = json.loads(numbers.read_text())["effects"]
    made = effects[-1]
    assert made["steps_on"] < made["steps_off"]
    assert made["encoder_on_s"] > 0 < made["vad_s"]
    assert len(cells(done.stdout, "computing")) == 5
