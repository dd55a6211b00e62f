import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.audio.mel import mel_edges_hz
from parakeet_streaming.model.features import log_mel
from training.features import mask_some, normalise, other_voices, raw_log_mel


@pytest.mark.parametrize("count", [161, 1_280, 8_000, 33_333])
def test_features_are_those_of_the_package(count):
    random = np.random.default_rng(count)
    samples = random.normal(0, 0.1, count).astype(np.float32)
    batch = torch.full((2, 40_000), 0.5)
    batch[0, :count] = torch.from_numpy(samples)
    raw, lengths = raw_log_mel(batch, torch.tensor([count, 40_000]), 128)
    features = normalise(raw, lengths)
    expected = log_mel(samples, 128)
    assert lengths[0] == expected.shape[1]
    np.testing.assert_allclose(features[0, :, : lengths[0]].numpy(), expected, atol=1e-3)
    assert features[0, :, lengths[0] :].abs().max() == 0


def test_some_is_masked_and_most_is_kept():
    features = torch.ones(8, 128, 600)
    masked = mask_some(features, torch.full((8,), 600), torch.Generator().manual_seed(0))
    assert 0.02 < float((masked == 0).float().mean()) < 0.5
    assert set(masked.unique().tolist()) == {0.0, 1.0}


def test_another_voice_has_all_its_tones_scaled_alike():
    time_s = torch.arange(16_000) / 16_000
    tones_hz = (500.0, 2_000.0)
    samples = sum(torch.sin(2 * torch.pi * hz * time_s) for hz in tones_hz).repeat(64, 1)
    features, _ = raw_log_mel(samples, torch.full((64,), 16_000), 128)
    scaled = other_voices(features, 1.0, torch.Generator().manual_seed(0))
    peaks_hz = mel_edges_hz(128)[1:-1]
    middle = peaks_hz > 1_000
    factors = []
    for row in scaled[:, :, 50].numpy():
        low = peaks_hz[~middle][row[~middle].argmax()]
        high = peaks_hz[middle][row[middle].argmax()]
        assert low / tones_hz[0] == pytest.approx(high / tones_hz[1], rel=0.06)
        factors.append(high / tones_hz[1])
    assert min(factors) < 0.93
    assert max(factors) > 1.12
    assert max(factors) < 1 / 0.8
    assert min(factors) > 1 / 1.17


def test_no_other_voice_where_none_is_likely():
    features = torch.randn(3, 128, 40)
    same = other_voices(features, 0.0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(same, features)
