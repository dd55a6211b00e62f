from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming import load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import OptionError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.features import log_mel
from parakeet_streaming.model.graphs import open_decoder_joint
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_model.transducer import Transducer
from tests.model.decoding import decode, initial_state


class TorchDecoderJoint:
    """The port of `tdt.decode` over the torch modules."""

    frames_per_call = 4

    def __init__(self, model):
        self.model = model
        self.blank_id = model.config.blank_id
        self.durations = model.config.durations

    def start(self):
        zeros = np.zeros((1, 1, self.model.config.predictor_width), np.float32)
        return self.advance([self.blank_id], zeros, zeros)

    def advance(self, tokens, hidden, cell):
        with torch.no_grad():
            states = (torch.from_numpy(np.ascontiguousarray(each)) for each in (hidden, cell))
            outputs = self.model.predictor(torch.tensor(tokens)[:, None], *states)
        return tuple(each.numpy() for each in outputs)

    def score(self, frames, output):
        with torch.no_grad():
            frames = torch.from_numpy(np.ascontiguousarray(frames))
            logits = self.model.joint(frames, torch.from_numpy(output))[:, :, 0].numpy()
        return logits[..., : self.blank_id + 1], logits[..., self.blank_id + 1 :]


@pytest.fixture(scope="module")
def windows():
    random = np.random.default_rng(1)
    return [random.normal(0, 0.1, samples).astype(np.float32) for samples in (1280, 33_333, 40_000)]


@pytest.fixture(scope="module")
def opened(small_folder):
    parts = find_parts(small_folder, "fp32")
    spec = read_spec(parts)
    session = open_session(parts.encoder.path, provider="cpu", threads=1)
    return spec, OnnxEncoder(session, spec), open_decoder_joint(parts, spec, "cpu")


def test_the_loader_reads_what_the_model_is(opened, small_model):
    spec, encoder, _ = opened
    assert spec.durations == (0, 1, 2, 3, 4)
    assert (spec.encoder_width, spec.predictor_layers, spec.predictor_width) == (32, 1, 16)
    assert spec.vocabulary.blank_id == small_model.config.blank_id
    assert encoder.max_samples is None
    assert spec.rows_independent
    assert spec.encoder_rows_independent


def test_frames_equal_those_of_torch(opened, small_model, windows):
    encoded = opened[1].encode([EncoderInput(window) for window in windows])
    for window, row in zip(windows, encoded.frames, strict=True):
        features = torch.from_numpy(log_mel(window, 128))[None]
        with torch.no_grad():
            expected, _ = small_model.encoder(features, torch.tensor([features.shape[2]]))
        np.testing.assert_allclose(row, expected[0].numpy(), atol=1e-4)


def test_tokens_equal_those_of_torch(opened, small_model, windows):
    _, encoder, decoder = opened
    encoded = encoder.encode([EncoderInput(window) for window in windows])
    heard = []
    for decoder_joint in (decoder, TorchDecoderJoint(small_model)):
        states = [initial_state(decoder_joint)] * len(windows)
        decoded = decode(
            encoded.frames, encoded.lengths, states, decoder_joint, confidence=lambda _: 1.0
        )
        heard.append([each.emissions for each in decoded])
    assert heard[0] == heard[1]
    assert sum(len(emissions) for emissions in heard[0]) > 3


def test_long_audio_needs_no_table(small_folder):
    recognizer = load(small_folder, provider="cpu", threads=1)
    recognizer.transcribe(np.zeros(16_000 * 20, np.float32))


def test_pieces_of_another_model_are_refused(small_model, tmp_path):
    with pytest.raises(OptionError, match="3 pieces"):
        write_model(small_model, ["a", "b", "c"], tmp_path)


def test_the_most_tokens_on_a_frame_are_kept(small_model, tmp_path):
    config = replace(small_model.config, max_symbols=3)
    model = Transducer(config)
    write_model(model, ["<unk>", "▁", *"abcdef"], tmp_path)
    assert read_spec(find_parts(tmp_path)).max_symbols == 3
    assert load(tmp_path, provider="cpu").options.max_symbols == 3
