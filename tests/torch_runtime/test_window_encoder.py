"""Whole windows on a device, against the graph that was made of the same networks."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_runtime.window_encoder import alike, heard_frames
from tests.torch_runtime.test_cached_encoder import CLOSE, frames_of, sound


@pytest.fixture(scope="module")
def graph(small_folder):
    parts = find_parts(small_folder)
    return OnnxEncoder(open_session(parts.encoder.path, threads=1), read_spec(parts))


def test_rows_of_any_length(graph, any_transducer):
    sizes = [0, 100, 1279, 1280, 5000, 20_000, 21_000, 64_000, 3000]
    inputs = [EncoderInput(sound(4.0, seed)[:size]) for seed, size in enumerate(sizes)]
    found, pasts = frames_of(any_transducer, inputs)
    expected = graph.encode(inputs)
    assert pasts == (None,) * len(sizes)
    for ours, theirs in zip(found, expected.frames, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE)


def test_a_tail_has_no_part_in_statistics(graph, any_transducer):
    samples = sound(2.0)
    for tail in (0, 4000, 31_000):
        given = [EncoderInput(samples, 0, 0, None, None, tail)]
        (found,), _ = frames_of(any_transducer, given)
        np.testing.assert_allclose(found, graph.encode(given).frames[0], rtol=0, atol=CLOSE)


def test_windows_that_fill_half_of_a_step_take_it(ready_transducer, monkeypatch):
    """More rows than the largest size, of several contexts, and some that fit none."""
    windows, taken = ready_transducer._windows, []
    real = windows._group
    monkeypatch.setattr(
        windows,
        "_group",
        lambda inputs, rows, ready=None: (
            taken.append((len(rows), ready and tuple(ready.buffers.samples.shape)))
            or real(inputs, rows, ready)
        ),
    )
    # 2-0.5-0.5 has windows of 37 frames, 1-0.4-0.4 of 22; 2 frames fill half of none.
    sizes = [37 * 1280] * 20 + [19 * 1280] * 3 + [20 * 1280] * 2 + [2 * 1280] * 2
    inputs = [EncoderInput(sound(4.0, seed)[:size]) for seed, size in enumerate(sizes)]
    frames_of(ready_transducer, inputs)
    assert sorted(taken, key=str) == [
        *((16, (16, 37 * 1280)), (2, None), (4, (8, 37 * 1280)), (5, (8, 22 * 1280))),
    ]


def test_a_row_is_what_it_is_alone(ready_transducer):
    """Whatever the rows before it left in its place, no number among it."""
    sizes = [37 * 1280, 30 * 1280, 37 * 1280 - 700]
    rows = [EncoderInput(sound(4.0, seed)[:size]) for seed, size in enumerate(sizes)]
    broken = [EncoderInput(np.full(37 * 1280, np.nan, np.float32))] * 8
    together, _ = frames_of(ready_transducer, rows)
    for row, found in zip(rows, together, strict=True):
        frames_of(ready_transducer, broken)
        (alone,), _ = frames_of(ready_transducer, [row])
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-5)


def test_rows_that_share_a_call():
    assert alike({0: 10, 1: 100, 2: 20, 3: 21, 5: 40}) == [(0, 2), (3, 5), (1,)]
    assert alike({}) == []


def test_heard_frames():
    assert heard_frames(160 * 40, 0, 40) == 40
    assert heard_frames(160 * 40, 160 * 24, 40) == 16
    assert heard_frames(160 * 40, 160 * 25, 40) == 40
