"""Precisions are compared with float32 of the same mode."""

from pathlib import Path

import pytest

from benchmarks.accuracy.precision import CASES, Cost, compare, cost_table, recognizers_of
from benchmarks.accuracy.scores import WordErrors
from benchmarks.speech.corpora import Utterance
from parakeet_streaming.audio.files import read_audio

pytest.importorskip("torch")

RECORDING = Path(__file__).parents[3] / "examples" / "recordings" / "digits.wav"


def test_each_case_is_compared_with_float32():
    recognizers = recognizers_of("tiny-en", "cpu", 1)
    words = "three one four one five nine two six"
    said = [Utterance("digits", "somebody", words, read_audio(RECORDING))]
    costs = compare(recognizers, "5-0.5-0.5", said)
    assert [each.case for each in costs] == list(CASES)
    found = {each.case: each for each in costs}
    for case in ("windows, float32", "cached, float32"):
        assert found[case].tokens.errors == 0 < found[case].tokens.words
    assert found["windows, float32"].words == WordErrors(0, 8)


def test_the_table_has_a_row_for_each():
    told = cost_table([Cost("5-0.5-0.5", "windows, bfloat16", WordErrors(1, 8), WordErrors(1, 20))])
    assert "| `5-0.5-0.5` | windows, bfloat16 | 12.5 % | 95.00% |" in told
