import json
from collections import Counter

import numpy as np
import pytest
import soundfile

from benchmarks.speech import corpora


def digits(speaker, count):
    return [
        corpora.Utterance("fsdd", speaker, f"{speaker}{each}", np.full(100 + each, each + 1.0, "f"))
        for each in range(count)
    ]


def test_only_labelled_lines_are_read_up_to_the_limit(speech):
    said = corpora.read_utterances(speech, "list.jsonl", 1)
    assert [each.corpus for each in said] == ["phone", "book", "fsdd"]
    assert said[0].duration_s == pytest.approx(4.394, abs=1e-3)


def test_a_line_may_be_a_part_of_a_file(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.linspace(0, 0.5, 32_000), 16_000)
    line = {"audio": "a.wav", "text": "two", "speaker": "a", "corpus": "counting"}
    parts = [line | {"offset": 0.5, "duration": 0.25}, line]
    listing = "".join(json.dumps(each) + "\n" for each in parts)
    (tmp_path / "list.jsonl").write_text(listing)
    part, whole = corpora.read_utterances(tmp_path, "list.jsonl", None)
    assert part.samples.shape == (4_000,)
    np.testing.assert_array_equal(part.samples, whole.samples[8_000:12_000])


def test_digit_strings_use_every_recording_once():
    recorded = digits("a", 13) + digits("b", 6)
    other = corpora.Utterance("book", "a", "no digit", np.ones(9, "f"))
    strings = corpora.digit_strings([*recorded, other], seed=0)
    assert [each.speaker for each in strings] == ["a", "a", "b"]
    assert {each.corpus for each in strings} == {"digit strings"}
    said = Counter(word for each in strings for word in each.text.split())
    assert len(said) == 18
    assert set(said.values()) == {1}


def test_digits_are_joined_with_pauses_only_between():
    (string,) = corpora.digit_strings(digits("a", 6), seed=3)
    lengths = [100 + int(word.removeprefix("a")) for word in string.text.split()]
    assert string.samples.shape == (sum(lengths) + 5 * 1600,)
    assert np.count_nonzero(string.samples == 0) == 5 * 1600
    assert string.samples[0] != 0
    assert string.samples[-1] != 0


def test_the_seed_fixes_the_order():
    def texts(seed):
        return [each.text for each in corpora.digit_strings(digits("a", 12), seed)]

    assert texts(0) == texts(0)
    assert texts(0) != texts(1)
