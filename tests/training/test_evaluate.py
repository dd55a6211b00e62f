import numpy as np
import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import OptionError
from training.evaluate import OFFLINE, Spoken, digit_strings, recognise, word_errors, wordless
from training.manifest import DIGITS


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "", 3), ("", "a b", 2),
     ("a b c d", "b c e d", 2)],
)  # fmt: skip
def test_errors_are_the_fewest(said, heard, errors):
    assert word_errors(said.split(), heard.split()) == errors


def test_digit_strings_use_each_digit_once():
    digits = [
        Spoken("fsdd", "x", DIGITS[at % 10], np.full(100 + at, 0.1, np.float32)) for at in range(20)
    ]
    strings = digit_strings(digits)
    assert [len(each.text.split()) for each in strings] == [6, 6, 6]
    loud = [int((each.samples != 0).sum()) for each in strings]
    assert sum(loud) <= sum(each.samples.shape[0] for each in digits)


def test_contexts_are_recognised(golden_recognizer):
    samples = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    assert recognise(golden_recognizer, OFFLINE, samples) == (
        golden_recognizer.transcribe(samples).text
    )
    assert isinstance(recognise(golden_recognizer, "1-0.5-0.5", samples), str)
    with pytest.raises(OptionError, match="keeps nothing between steps"):
        recognise(golden_recognizer, "cached 1-0.5-0.5", samples)


def test_every_sound_is_tried(golden_recognizer):
    assert list(wordless(golden_recognizer, 1.0)) == ["silence", "noise", "hum", "tones", "music"]
