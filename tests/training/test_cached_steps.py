"""All steps of a cached stream in one pass, and the same steps one after the other."""

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.torch_model.cached import CachedEncoder
from parakeet_streaming.torch_model.fastconformer import Encoder, EncoderConfig
from training.cached_steps import CHUNKS_AND_LEFTS, cut, encoded, random_steps
from training.features import normalise
from training.windows import stitched

CONFIG = EncoderConfig(mel_bins=16, subsampling_channels=4, width=16, layers=3, heads=2)


def one_after_the_other(encoder, features, chunk, right, left):
    """Frames (U, D) of one utterance (F, T), as a stream with that context encodes it."""
    step = CachedEncoder(encoder)
    total, reach = -(-features.shape[1] // 8), CONFIG.kernel // 2
    keys = values = torch.zeros(CONFIG.layers, 1, 0, CONFIG.width)
    inputs = torch.zeros(CONFIG.layers, 1, reach, CONFIG.width)
    found, start = [], 0
    while start < total:
        stop = start + chunk
        if total - start <= chunk + right:
            stop = total
        begin = max(0, start - left) * 8
        window = features[None, :, begin : (start + chunk + right) * 8]
        scaled = normalise(window, torch.tensor([window.shape[2]]))[:, :, start * 8 - begin :]
        look_back = torch.zeros(1, CONFIG.mel_bins, 8)
        if start:
            look_back = normalise(window, torch.tensor([window.shape[2]]))
            look_back = look_back[:, :, start * 8 - begin - 8 : start * 8 - begin]
        slots = torch.zeros(CONFIG.layers, 1, 1, CONFIG.width) if not start else keys
        held = torch.zeros(CONFIG.layers, 1, 1, CONFIG.width) if not start else values
        frames, _, new_keys, new_values, convolved = step(
            torch.cat((look_back, scaled), dim=2),
            torch.tensor([8 + scaled.shape[2]]),
            torch.tensor([8 if start else 0]),
            slots,
            held,
            inputs,
            torch.tensor([min(start, left)]),
        )
        own = stop - start
        found.append(frames[0, :own])
        keys = torch.cat((keys, new_keys[:, :, :own]), dim=2)[:, :, -left:]
        values = torch.cat((values, new_values[:, :, :own]), dim=2)[:, :, -left:]
        inputs = convolved[:, :, own : own + reach]
        start = stop
    return torch.cat(found)


@pytest.mark.parametrize(("chunk", "right", "left"), [(1, 1, 4), (3, 3, 25), (6, 2, 8), (5, 9, 7)])
def test_steps_at_once_are_the_steps_one_after_the_other(chunk, right, left):
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    lengths = torch.tensor([400, 399, 131, 8 * (chunk + right), 8, 1])
    features = torch.randn(len(lengths), CONFIG.mel_bins, 400)
    with torch.no_grad():
        steps = cut(features, lengths, chunk, right, left)
        together = stitched(encoded(encoder, steps), steps.stitch)
        for row, length in enumerate(lengths.tolist()):
            alone = one_after_the_other(encoder, features[row, :, :length], chunk, right, left)
            assert steps.frame_lengths[row] == alone.shape[0]
            torch.testing.assert_close(together[row, : alone.shape[0]], alone, rtol=1e-3, atol=1e-4)


def test_gradients_reach_the_sound_of_earlier_steps():
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    features = torch.randn(1, CONFIG.mel_bins, 160, requires_grad=True)
    steps = cut(features, torch.tensor([160]), 3, 1, 12)
    frames = stitched(encoded(encoder, steps), steps.stitch)
    (frames[0, 12] * torch.randn(CONFIG.width)).sum().backward()
    reached = features.grad[0].abs().amax(0)
    assert reached[:8].max() > 1e-3
    # The chunk ends at frame 15, and one frame of right context follows.
    assert reached[16 * 8 :].max() < 1e-6


def test_contexts_are_drawn_from_all_that_are_named():
    generator = torch.Generator().manual_seed(0)
    features, lengths = torch.randn(2, 16, 300), torch.tensor([300, 77])
    drawn = set()
    for _ in range(100):
        steps = random_steps(features, lengths, generator)
        drawn.add((steps.chunk, steps.left))
        shown = steps.features.shape[2] // 8 - 1
        assert 1 <= shown - steps.chunk <= 2 * steps.chunk
        assert bool((steps.lengths >= 8).all())
    assert drawn == set(CHUNKS_AND_LEFTS)
