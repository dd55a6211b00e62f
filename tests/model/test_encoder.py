"""The encoder room on the golden graph: lengths, padding, batches, the position table."""

from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.graphs import encoder_of
from parakeet_streaming.model.transducer import FrameEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.testing import noise
from parakeet_streaming.timeline import encoder_frames
from tests.catalog.graphs import TINY_EN


def open_encoder(folder: Path) -> FrameEncoder:
    parts = find_parts(folder)
    return encoder_of(open_session(parts.encoder.path), parts, read_spec(parts))


@pytest.fixture(scope="module")
def encoder(golden_folder: Path) -> OnnxEncoder:
    return open_encoder(golden_folder / "tdt-tiny-onnx")


@pytest.mark.parametrize("length", [0, 159, 160, 319, 1279, 1280, 1281, 1439, 1440, 20_000])
def test_frames_are_counted_by_our_arithmetic(encoder: OnnxEncoder, length: int) -> None:
    encoded = encoder.encode([EncoderInput(noise(2.0)[:length])])
    assert encoded.lengths == (encoder_frames(length),)
    assert encoded.frames[0].shape == (encoder_frames(length), 96)
    assert np.isfinite(encoded.frames[0]).all()


def test_a_batch_gives_what_each_window_gives_alone(encoder: OnnxEncoder) -> None:
    lengths_s = [1.0, 0.005, 2.5, 0.0, 0.3]
    windows = [EncoderInput(noise(length_s, seed=seed)) for seed, length_s in enumerate(lengths_s)]
    together = encoder.encode(windows)
    for row, window in enumerate(windows):
        alone = encoder.encode([window])
        assert together.lengths[row] == alone.lengths[0]
        np.testing.assert_allclose(together.frames[row], alone.frames[0], atol=1e-4)


def test_a_quantised_graph_gets_every_window_alone() -> None:
    encoder = open_encoder(TINY_EN)
    windows = [EncoderInput(noise(1.0, level=0.5)), EncoderInput(noise(0.7, level=0.001, seed=1))]
    together = encoder.encode(windows)
    for row, window in enumerate(windows):
        assert np.array_equal(together.frames[row], encoder.encode([window]).frames[0])


def test_no_window_gives_no_frame(encoder: OnnxEncoder) -> None:
    encoded = encoder.encode([])
    assert (encoded.frames, encoded.lengths, encoded.pasts) == ([], (), ())


def test_a_window_beyond_the_table_never_reaches_the_graph(encoder: OnnxEncoder) -> None:
    assert encoder.max_samples == 400 * 16_000
    with pytest.raises(AudioInputError, match=r"400\.0 s"):
        encoder.encode([EncoderInput(np.zeros(encoder.max_samples + 1, np.float32))])
