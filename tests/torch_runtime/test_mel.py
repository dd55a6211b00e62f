"""Log-mels on a device, against numpy's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.model.features import log_mel, raw_log_mel
from parakeet_streaming.torch_runtime.mel import LogMel, normalised, numbers

SIZES = [0, 159, 160, 161, 319, 1600, 8000, 12_345]


@pytest.fixture(scope="module", params=[80, 128])
def mel(request, cpu):
    return LogMel(request.param, cpu)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    return [random.normal(0, 0.1, size).astype(np.float32) for size in SIZES]


@pytest.fixture(scope="module")
def batch(rows):
    """All rows in one; what stands after a row's end is no silence, and not even a number."""
    samples = np.random.default_rng(1).normal(0, 1, (len(rows), max(SIZES))).astype(np.float32)
    samples[::2] = np.nan
    for place, row in zip(samples, rows, strict=True):
        place[: len(row)] = row
    return torch.from_numpy(samples), torch.tensor(SIZES)


def test_raw(mel, rows, batch):
    found = mel.raw(*batch)
    assert torch.isfinite(found).all()
    for row, each in enumerate(rows):
        expected = raw_log_mel(each, mel.mel_bins).T
        np.testing.assert_allclose(found[row, : len(expected)], expected, rtol=0, atol=2e-4)


def test_normalised(mel, rows, batch):
    counts = torch.tensor([size // 160 for size in SIZES])
    found = normalised(mel.raw(*batch), counts, counts)
    for row, each in enumerate(rows):
        expected = log_mel(each, mel.mel_bins).T
        np.testing.assert_allclose(found[row, : len(expected)], expected, rtol=0, atol=2e-4)
        assert (found[row, len(expected) :] == 0).all()


def test_statistics_leave_a_tail_out(mel, rows, batch):
    counts = torch.tensor([size // 160 for size in SIZES])
    heard = (counts - 20).clamp(min=0)
    found = normalised(mel.raw(*batch), counts, heard)[-1, : counts[-1]]
    expected = log_mel(rows[-1], mel.mel_bins, 20 * 160).T
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)


def test_no_frame_and_one(mel):
    assert mel.raw(torch.zeros(2, 100), torch.tensor([100, 3])).shape == (2, 0, mel.mel_bins)
    one = normalised(torch.ones(1, 3, mel.mel_bins), torch.tensor([1]), torch.tensor([1]))
    assert (one == 0).all()


def test_numbers():
    assert numbers(torch.zeros(2, 3), 1).tolist() == [[0, 1, 2]]
