"""Where the input of a step is put, and what an earlier call leaves there."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers, StepRoom


@pytest.fixture
def mel(cpu):
    return LogMel(80, cpu)


@pytest.fixture
def buffers(cpu):
    return StepBuffers.of(StepRoom(4, 3200, 2, 3, 5), 80, torch.bfloat16, cpu)


def test_rooms(buffers):
    assert buffers.samples.shape == (4, 3200)
    assert buffers.facts.shape == (4, 2)
    assert buffers.log_mels.shape == (4, 20, 80)
    assert buffers.frames.shape == (4, 3, 5)
    assert buffers.frames.dtype == torch.bfloat16


def test_smaller_steps_share_the_first_rows(buffers):
    few = buffers.first(2)
    assert few.samples.shape == (2, 3200)
    for name in ("samples", "facts", "log_mels", "frames"):
        assert getattr(few, name).data_ptr() == getattr(buffers, name).data_ptr()


def test_what_was_left_there_changes_nothing(buffers, mel):
    rows = np.random.default_rng(0).normal(0, 1, (2, 1600)).astype(np.float32)
    samples = [rows[0], rows[1, :900]]
    facts = np.array([[1600, 7], [900, 8]])
    with computing():
        buffers.lay(samples, facts, mel)
        first = buffers.log_mels.clone()
        buffers.lay([np.full(3200, np.nan, np.float32)] * 4, np.full((4, 2), 3200), mel)
        assert not torch.isfinite(buffers.log_mels).any()
        buffers.lay(samples, facts, mel)
    assert buffers.facts.tolist() == [[1600, 7], [900, 8], [0, 0], [0, 0]]
    torch.testing.assert_close(buffers.log_mels, first, rtol=0, atol=0)


@pytest.mark.parametrize("size", [1600, 900])
def test_rows_of_one_length_and_others(buffers, mel, size):
    """Where a row is shorter than the longest, zeros stand after it."""
    rows = [np.ones(1600, np.float32), np.full(size, 2, np.float32)]
    with computing():
        buffers.lay(rows, np.array([[1600, 7], [size, 8]]), mel)
    for number, each in enumerate(rows):
        expected = np.zeros(3200, np.float32)
        expected[: len(each)] = each
        np.testing.assert_array_equal(buffers.samples[number].numpy(), expected)
