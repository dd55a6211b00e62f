"""Prediction network and joint behind their port: rows alone or together, layouts, RNN-T."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model.graphs import open_decoder_joint
from parakeet_streaming.model.numpy_networks import DecoderJoint
from tests.catalog.graphs import GOLDEN, TINY_EN, int8_folder, three_file_folder


def open_folder(folder: Path) -> DecoderJoint:
    parts = find_parts(folder)
    return open_decoder_joint(parts, read_spec(parts), "cpu")


@pytest.fixture(scope="module", params=["fp32", "by the call", "by blocks", "three-file"])
def decoder_joint(request, tmp_path_factory) -> DecoderJoint:
    match request.param:
        case "fp32":
            return open_folder(GOLDEN)
        case "by the call":
            return open_folder(int8_folder())
        case "by blocks":
            return open_folder(TINY_EN)
        case _:
            return open_folder(three_file_folder(tmp_path_factory.mktemp("sherpa")))


def width_of(decoder_joint: DecoderJoint) -> int:
    return 256 if decoder_joint.blank_id == 128 else 96


def test_rows_never_influence_each_other(decoder_joint: DecoderJoint) -> None:
    generator = np.random.default_rng(0)
    _, hiddens, cells = zip(*[decoder_joint.start() for _ in range(3)], strict=True)
    tokens = [5, 9, 100]
    together = decoder_joint.advance(tokens, np.concatenate(hiddens, 1), np.concatenate(cells, 1))
    width = min(3, decoder_joint.frames_per_call)
    frames = generator.normal(size=(3, width, width_of(decoder_joint))).astype(np.float32)
    scores = decoder_joint.score(frames, together[0])
    for row, token in enumerate(tokens):
        alone = decoder_joint.advance([token], hiddens[row], cells[row])
        assert np.allclose(alone[0], together[0][row : row + 1], atol=1e-6)
        assert np.allclose(alone[1], together[1][:, row : row + 1], atol=1e-6)
        assert np.allclose(alone[2], together[2][:, row : row + 1], atol=1e-6)
        single = decoder_joint.score(frames[row : row + 1], alone[0])
        for one, many in zip(single, scores, strict=True):
            assert np.allclose(one[0], many[row], atol=1e-4)


def test_frames_scored_ahead_equal_frames_scored_alone(decoder_joint: DecoderJoint) -> None:
    generator = np.random.default_rng(0)
    output, _, _ = decoder_joint.start()
    frames = generator.normal(
        size=(1, decoder_joint.frames_per_call, width_of(decoder_joint))
    ).astype(np.float32)
    ahead, _ = decoder_joint.score(frames, output)
    for column in range(frames.shape[1]):
        alone, _ = decoder_joint.score(frames[:, column : column + 1], output)
        assert np.allclose(alone[0, 0], ahead[0, column], atol=1e-4)


def test_logits_are_divided_into_tokens_and_durations(decoder_joint: DecoderJoint) -> None:
    output, _, _ = decoder_joint.start()
    frames = np.zeros((1, 1, width_of(decoder_joint)), np.float32)
    tokens, durations = decoder_joint.score(frames, output)
    assert tokens.shape == (1, 1, decoder_joint.blank_id + 1)
    assert durations is not None
    assert durations.shape == (1, 1, 5)


def test_a_three_file_model_says_what_the_two_file_model_says(tmp_path: Path) -> None:
    audio = GOLDEN.parent / "audio" / "jfk.wav"
    samples, _ = soundfile.read(audio, dtype="float32")
    three = load(three_file_folder(tmp_path))
    assert three.transcribe(samples).tokens == load(GOLDEN).transcribe(samples).tokens
