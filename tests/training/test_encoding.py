"""Each way to encode ends in the frames of whole utterances."""

import pytest

torch = pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.torch_model.fastconformer import Encoder, EncoderConfig
from training.encoding import Way, encode
from training.features import normalise

CONFIG = EncoderConfig(mel_bins=16, subsampling_channels=4, width=16, layers=3, heads=2)
LENGTHS = torch.tensor([300, 299, 81, 8, 1])
FRAMES = [38, 38, 11, 1, 1]


def encoded(way, *, masked=False, seed=0, encoder=None):
    torch.manual_seed(0)
    encoder = encoder or Encoder(CONFIG).eval()
    features = torch.randn(len(LENGTHS), CONFIG.mel_bins, 300)
    with torch.no_grad():
        return encode(
            encoder,
            features,
            LENGTHS,
            way,
            masked=masked,
            generator=torch.Generator().manual_seed(seed),
        )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("way", list(Way))
def test_frames_are_those_of_whole_utterances(way, masked):
    frames = encoded(way, masked=masked)
    assert frames.lengths.tolist() == FRAMES
    assert frames.last.shape == frames.middle.shape == (len(LENGTHS), 38, CONFIG.width)
    for row, count in enumerate(FRAMES):
        assert bool(torch.isfinite(frames.last[row, :count]).all())
    assert not torch.equal(frames.last, frames.middle)


def test_a_whole_utterance_is_what_the_encoder_makes_of_it():
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    frames = encoded(Way.WHOLE, encoder=encoder)
    torch.manual_seed(0)
    features = torch.randn(len(LENGTHS), CONFIG.mel_bins, 300)
    with torch.no_grad():
        expected, _ = encoder(normalise(features, LENGTHS), LENGTHS)
    torch.testing.assert_close(frames.last, expected)


@pytest.mark.parametrize("way", [Way.WINDOWS, Way.CACHED])
def test_what_is_drawn_makes_a_difference_to_frames_inside(way):
    one, other = (encoded(way, seed=seed) for seed in (0, 1))
    assert one.lengths.tolist() == other.lengths.tolist()
    assert not torch.allclose(one.last[0, :38], other.last[0, :38], atol=1e-3)


@pytest.mark.parametrize("way", list(Way))
def test_masks_hide_something(way):
    shown, hidden = (encoded(way, masked=masked) for masked in (False, True))
    assert not torch.allclose(shown.last[0, :38], hidden.last[0, :38], atol=1e-3)


def test_the_middle_is_that_of_the_middle_layer():
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    kept = []
    hook = encoder.layers[1].register_forward_hook(lambda _, __, frames: kept.append(frames))
    frames = encoded(Way.WHOLE, encoder=encoder)
    hook.remove()
    torch.testing.assert_close(frames.middle, kept[0])
