"""What voice activity changes, told apart by where somebody speaks."""

import json

import numpy as np
import pytest

from parakeet_streaming import Word


@pytest.fixture(scope="module")
def silence(program):
    return program("silence")


def words(*said):
    return [Word(text, start, start + 0.2, 0.9) for text, start in said]


def test_differences_are_counted_where_they_are(silence):
    off = words(("a", 1.0), ("b", 2.0), ("c", 9.0), ("d", 20.0))
    on = words(("a", 1.0), ("x", 2.0), ("y", 2.2), ("d", 20.0))
    found = silence.differences(off, on, [(0.5, 3.0), (19.0, 21.0)])
    assert [(each.without, each.within) for each in found] == [("b c", "x y")]
    assert (found[0].in_speech, found[0].elsewhere) == (1, 1)
    assert silence.differences(off, off, []) == []
    (lost,) = silence.differences(off, off[:3], [])
    assert (lost.without, lost.within, lost.in_speech, lost.elsewhere) == ("d", "", 0, 1)


def test_sparse_speech_is_where_it_says(silence, program):
    corpora = program("corpora")
    loud = np.full(16_000, 0.5, np.float32)
    said = [corpora.Utterance("c", "s", f"word {each}", loud) for each in range(9)]
    made = silence.sparse(said, 60.0, seed=1)
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
        "silence.py", speech, "--list", "list.jsonl", "--limit", "1", "--sparse-minutes", "0.5",
        "--context", "1-0.5-0.5", "--json", numbers,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, *rows = cells(done.stdout, "text")
    assert [row[0] for row in rows] == ["phone", "book", "fsdd", "sparse speech"]
    assert rows[0][5] == "0"
    effects = json.loads(numbers.read_text())["effects"]
    sparse = effects[-1]
    assert sparse["steps_on"] < sparse["steps_off"]
    assert sparse["encoder_on_s"] > 0 < sparse["vad_s"]
    assert len(cells(done.stdout, "computing")) == 5
