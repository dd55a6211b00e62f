"""What NVIDIA NeMo's boosting tree answers, against ours without fences, token for token.

`nemo_boosting.py` makes the cases.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming import Boosting, ContextConfig, Phrase
from parakeet_streaming.boosting.compiled import PhraseBiases
from parakeet_streaming.catalog.vocabulary import read_vocabulary

GOLDEN = Path(__file__).parent / "golden"
ANSWERS = json.loads((GOLDEN / "boosting.json").read_text(encoding="utf-8"))
LISTS, CASES, BATCHES = (ANSWERS[name] for name in ("lists", "cases", "batches"))


def case_id(case):
    how = case.get("list", "batch"), case.get("alpha", ""), case.get("depth_scaling", "")
    return "-".join(map(str, (case["audio"], case["context"], *how)))


def boosting_of(name, alpha, score=1.0, scaling=2.0):
    phrases = [Phrase(text, weight or score) for text, weight, _ in LISTS[name]]
    return Boosting.unfenced(phrases, alpha, scaling)


def samples_of(case):
    samples, _ = soundfile.read(GOLDEN / "audio" / case["audio"], dtype="float32")
    return samples


def context_of(recognizer, case, samples):
    if case["context"] == "offline":
        return recognizer.offline_context(len(samples) / 16_000)
    return ContextConfig(*case["context"])


def told(tokens):
    return {
        "tokens": [token.id for token in tokens],
        "frames": [token.start_frame for token in tokens],
        "durations": [token.duration_frames for token in tokens],
    }


def test_there_are_enough_cases_and_phrases_change_most_of_them():
    assert len(CASES) + len(BATCHES) >= 130
    assert sum(case["differs"] for case in CASES) > 90


@pytest.mark.parametrize("name", LISTS)
def test_phrases_are_split_as_the_tokenizer_splits_them(name):
    vocabulary = read_vocabulary(GOLDEN / "tdt-tiny-onnx" / "vocab.txt")
    chosen = boosting_of(name, 1.0)
    found = [list(tokens) for tokens, _ in PhraseBiases(vocabulary).splits(chosen)]
    assert found == [tokens for _, _, tokens in LISTS[name]]


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_stream_with_a_list(golden_recognizer, case):
    chosen = boosting_of(case["list"], case["alpha"], case["context_score"], case["depth_scaling"])
    samples = samples_of(case)
    context = context_of(golden_recognizer, case, samples)
    stream = golden_recognizer.stream(context, phrases=chosen)
    for piece in np.array_split(samples, 7):
        stream.feed(piece)
    stream.finish()
    assert told(stream.tokens) == {name: case[name] for name in ("tokens", "frames", "durations")}


@pytest.mark.parametrize("case", BATCHES, ids=case_id)
def test_a_batch_of_streams_with_lists_of_their_own(golden_recognizer, case):
    samples = samples_of(case)
    context = context_of(golden_recognizer, case, samples)
    streams = [
        golden_recognizer.stream(context, phrases=None if each is None else boosting_of(*each))
        for each in case["lists"]
    ]
    for stream in streams:
        stream.push(samples)
        stream.end()
    while any(stream.ready for stream in streams):
        golden_recognizer.step(streams)
    found = [told(stream.tokens) for stream in streams]
    assert [(each["tokens"], each["frames"]) for each in found] == [
        (each["tokens"], each["frames"]) for each in case["streams"]
    ]
