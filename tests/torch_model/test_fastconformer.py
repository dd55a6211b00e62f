import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.errors import OptionError
from parakeet_streaming.timeline import HOP_SAMPLES, encoder_frames
from parakeet_streaming.torch_model.fastconformer import (
    EncoderConfig,
    MaskedBatchNorm,
    subsampled,
)


@pytest.mark.parametrize("frames", [1, 2, 7, 8, 9, 16, 17, 600, 601])
def test_lengths_are_those_of_the_timeline(frames):
    assert subsampled(torch.tensor([frames])).tolist() == [encoder_frames(frames * HOP_SAMPLES)]


@pytest.mark.parametrize("frames", [1, 5, 8, 9, 41, 64])
def test_padding_changes_nothing(small_model, frames):
    torch.manual_seed(frames)
    alone = torch.randn(1, 128, frames)
    padded = torch.cat([alone, torch.randn(1, 128, 70 - frames)], dim=2)
    batch = torch.cat([padded, torch.randn(1, 128, 70)])
    with torch.no_grad():
        expected, _ = small_model.encoder(alone, torch.tensor([frames]))
        both, lengths = small_model.encoder(batch, torch.tensor([frames, 70]))
    assert lengths.tolist() == [-(-frames // 8), 9]
    torch.testing.assert_close(both[:1, : lengths[0]], expected, atol=2e-5, rtol=1e-4)


def test_training_statistics_leave_padding_out():
    norm = MaskedBatchNorm(3)
    frames = torch.randn(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    frames[~mask] = 1e3
    normed = norm(frames, mask)[mask]
    torch.testing.assert_close(normed.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normed.var(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("wrong", [{"width": 30, "heads": 4}, {"kernel": 8}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(OptionError):
        EncoderConfig(**wrong)


def test_layers_can_do_without_bias():
    from parakeet_streaming.torch_model.fastconformer import ConformerLayer

    layer = ConformerLayer(EncoderConfig(width=16, heads=2, bias=False))
    with_bias = [name for name, _ in layer.named_parameters() if name.endswith("bias")]
    assert all("norm" in name or name.startswith("attention.") for name in with_bias)
    assert layer.attention.queries.bias is None
