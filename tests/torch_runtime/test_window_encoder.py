"""Whole windows on a device, against the graph that was made of the same networks."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_runtime.window_encoder import alike, heard_frames, padded
from tests.torch_runtime.test_cached_encoder import CLOSE, frames_of, sound


@pytest.fixture(scope="module")
def graph(small_folder):
    parts = find_parts(small_folder)
    return OnnxEncoder(open_session(parts.encoder.path, threads=1), read_spec(parts))


def test_rows_of_any_length(graph, transducer):
    sizes = [0, 100, 1279, 1280, 5000, 20_000, 21_000, 64_000, 3000]
    inputs = [EncoderInput(sound(4.0, seed)[:size]) for seed, size in enumerate(sizes)]
    found, pasts = frames_of(transducer, inputs)
    expected = graph.encode(inputs)
    assert pasts == (None,) * len(sizes)
    for ours, theirs in zip(found, expected.frames, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE)


def test_a_tail_has_no_part_in_statistics(graph, transducer):
    samples = sound(2.0)
    for tail in (0, 4000, 31_000):
        given = [EncoderInput(samples, 0, 0, None, None, tail)]
        (found,), _ = frames_of(transducer, given)
        np.testing.assert_allclose(found, graph.encode(given).frames[0], rtol=0, atol=CLOSE)


def test_rows_that_share_a_call():
    assert alike({0: 10, 1: 100, 2: 20, 3: 21, 5: 40}) == [(0, 2), (3, 5), (1,)]
    assert alike({}) == []


def test_heard_frames():
    samples = np.zeros(160 * 40, np.float32)
    assert heard_frames(EncoderInput(samples), 40) == 40
    assert heard_frames(EncoderInput(samples, tail_samples=160 * 24), 40) == 16
    assert heard_frames(EncoderInput(samples, tail_samples=160 * 25), 40) == 40


def test_padded():
    rows = padded([np.ones(2, np.float32), np.ones(3, np.float32)])
    assert rows.tolist() == [[1, 1, 0], [1, 1, 1]]
