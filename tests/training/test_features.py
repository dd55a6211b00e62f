import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.model.features import log_mel
from training.features import mask_some, normalise, raw_log_mel


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
