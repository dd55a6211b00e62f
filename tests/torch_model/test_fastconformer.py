import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming.errors import OptionError
from parakeet_streaming.timeline import HOP_SAMPLES, encoder_frames
from parakeet_streaming.torch_model.attention import relative_positions
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


def test_attention_knows_distances(small_model):
    """The score of frames i and j takes the sines of i - j, wherever they stand."""
    positions = relative_positions(torch.zeros(1, 4, 32))
    assert positions.shape == (1, 7, 32)
    torch.testing.assert_close(positions[0, 3, ::2], torch.zeros(16))
    torch.testing.assert_close(positions[0, 0, 0], torch.sin(torch.tensor(3.0)))
    attention = small_model.encoder.layers[0].attention
    frames = torch.randn(1, 4, 32)
    with torch.no_grad():
        normed = attention.norm(frames)
        by_head = attention._by_head
        q, k, v = (
            by_head(x(normed)) for x in (attention.queries, attention.keys, attention.values)
        )
        p = by_head(attention.positions(positions))
        scores = torch.empty(1, 2, 4, 4)
        for i in range(4):
            for j in range(4):
                content = ((q[:, :, i] + attention.content_bias[:, 0]) * k[:, :, j]).sum(-1)
                distance = p[:, :, 3 - (i - j)]
                by_distance = ((q[:, :, i] + attention.position_bias[:, 0]) * distance).sum(-1)
                scores[:, :, i, j] = (content + by_distance) / 16**0.5
        expected = attention.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        actual = attention(frames, torch.ones(1, 4, dtype=torch.bool), positions)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


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
