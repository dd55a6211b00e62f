"""The loop on a device, against the one over numpy, with random networks of every kind."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import tree_of
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_runtime import device_decoder
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from parakeet_streaming.torch_runtime.window_encoder import Group

WIDTH = 16


class NumpyJoint:
    """The same networks, for the loop over numpy's arrays."""

    frames_per_call = 3

    def __init__(self, model):
        self._model = model
        self.blank_id = model.config.blank_id
        self.durations = model.config.durations

    def start(self):
        config = self._model.config
        zeros = np.zeros((config.predictor_layers, 1, config.predictor_width), np.float32)
        return self.advance([self.blank_id], zeros, zeros)

    def advance(self, tokens, hidden, cell):
        with torch.inference_mode():
            found = self._model.predictor(
                torch.tensor(tokens)[:, None], torch.from_numpy(hidden), torch.from_numpy(cell)
            )
        return tuple(each.numpy() for each in found)

    def score(self, frames, output):
        with torch.inference_mode():
            logits = self._model.joint(torch.from_numpy(frames), torch.from_numpy(output))
        logits = logits[:, :, 0].numpy()
        vocabulary = self.blank_id + 1
        return logits[..., :vocabulary], logits[..., vocabulary:] if self.durations else None


def networks(seed, durations, layers=2, blank=0.0):
    """Random ones; the larger `blank`, the fewer tokens."""
    torch.manual_seed(seed)
    encoder = EncoderConfig(subsampling_channels=4, width=WIDTH, layers=1, heads=2)
    config = TransducerConfig(
        encoder,
        vocabulary=7,
        durations=durations,
        predictor_width=12,
        predictor_layers=layers,
        joint_width=20,
        max_symbols=3,
    )
    model = Transducer(config).eval()
    with torch.no_grad():
        model.joint.out.weight.mul_(8)
        model.joint.out.bias[config.blank_id] += blank
    return model


def encoded(transducer, frames):
    """Frames (U, D) of several rows, as if they had been encoded."""
    longest = max(len(each) for each in frames)
    whole = torch.zeros(len(frames), longest, WIDTH)
    for row, each in enumerate(frames):
        whole[row, : len(each)] = torch.from_numpy(each)
    with computing():
        return type("Encoded", (), {"frames": transducer._projected(
            [Group(tuple(range(len(frames))), whole)], len(frames)
        )})  # fmt: skip


def phrases(seed, window=None):
    """A tree of random phrases, some of which are unwelcome."""
    random = np.random.default_rng(seed)
    told = [
        (random.integers(0, 6, int(random.integers(1, 5))).tolist(), float(random.normal(2, 3)))
        for _ in range(8)
    ]
    return PhraseBias.of(tree_of(told), 7, window)


def plain(decoded):
    """Without confidences and memories."""
    told = [
        [(each.token_id, each.frame, each.duration_frames, each.boosted) for each in tokens]
        for tokens in (decoded.emissions, decoded.lookahead)
    ]
    states = [
        (state.last_token, state.frames_to_skip, state.decoded_frames, state.bias_states)
        for state in (decoded.state, decoded.ahead)
    ]
    return told, states


@pytest.mark.parametrize("turns", [1, 5])
@pytest.mark.parametrize("durations", [(0, 1, 2, 3, 4), (0, 1), ()])
@pytest.mark.parametrize("blank", [-4.0, 4.0, 14.0])
def test_chunk_after_chunk(cpu, monkeypatch, turns, durations, blank):
    """Rows of any length, with skips, borders and look-aheads of any kind."""
    monkeypatch.setattr(device_decoder, "TURNS_ON_CPU", turns)
    for seed in range(6):
        random = np.random.default_rng(seed)
        model = networks(seed, durations, layers=1 + seed % 2, blank=blank)
        ours = TorchTransducer(model, cpu)
        theirs = LabelLoopingDecoder(NumpyJoint(model), max_symbols=3)
        rows = int(random.integers(1, 9))
        states = [(ours.start(), theirs.start())] * rows
        kinds = [ScriptMask(np.array([seed % 6])), phrases(seed), phrases(seed + 9, window=2.0)]
        biases = [tuple(kinds[int(random.integers(4)) :]) for _ in range(rows)]
        for _ in range(4):
            frames = [
                random.normal(0, 1, (int(random.integers(1, 14)), WIDTH)).astype(np.float32)
                for _ in range(rows)
            ]
            cuts = [np.sort(random.integers(0, len(each) + 1, 3)).tolist() for each in frames]
            there = encoded(ours, frames)
            given = [
                DecoderInput(row, *cut, states[row][0], biases[row]) for row, cut in enumerate(cuts)
            ]
            found = ours.decode(there, given)
            expected = theirs.decode(
                frames, [replace(each, state=states[each.row][1]) for each in given]
            )
            for one, other in zip(found, expected, strict=True):
                assert plain(one) == plain(other)
                np.testing.assert_allclose(
                    [each.confidence for each in (*one.emissions, *one.lookahead)],
                    [each.confidence for each in (*other.emissions, *other.lookahead)],
                    atol=1e-5,
                )
                for name, values in ours.memory_to_arrays(one.state.memory).items():
                    np.testing.assert_allclose(values, getattr(other.state.memory, name), atol=1e-5)
            states = [(a.state, b.state) for a, b in zip(found, expected, strict=True)]


def test_look_ahead_goes_on(cpu):
    """From the state after the look-ahead, decoding gives what it gives in one go."""
    model = networks(0, (0, 1, 2, 3, 4))
    ours = TorchTransducer(model, cpu)
    frames = [np.random.default_rng(0).normal(0, 1, (20, WIDTH)).astype(np.float32)]
    there = encoded(ours, frames)
    (whole,) = ours.decode(there, [DecoderInput(0, 0, 20, 20, ours.start())])
    (first,) = ours.decode(there, [DecoderInput(0, 0, 5, 12, ours.start())])
    (second,) = ours.decode(there, [DecoderInput(0, 12, 20, 20, first.ahead)])
    assert (*first.emissions, *first.lookahead, *second.emissions) == whole.emissions


def test_a_row_is_what_it_is_alone(cpu):
    model = networks(3, (0, 1, 2, 3, 4))
    ours = TorchTransducer(model, cpu)
    random = np.random.default_rng(0)
    frames = [random.normal(0, 1, (size, WIDTH)).astype(np.float32) for size in (3, 9, 40, 1)]
    given = [
        DecoderInput(row, 0, len(each), len(each), ours.start()) for row, each in enumerate(frames)
    ]
    together = ours.decode(encoded(ours, frames), given)
    for row, each in enumerate(frames):
        (alone,) = ours.decode(encoded(ours, [each]), [replace(given[row], row=0)])
        assert plain(alone) == plain(together[row])


@pytest.mark.parametrize("part", ["tokens", "durations"])
def test_tokens_and_durations_each_need_a_best_one(cpu, part):
    durations = (0, 1, 2, 3, 4)
    model = networks(0, durations)
    ours = TorchTransducer(model, cpu)
    bias = model.joint.out.bias
    first = bias.shape[0] - len(durations)
    with torch.no_grad():
        (bias[:first] if part == "tokens" else bias[first:]).fill_(-torch.inf)
    frames = [np.zeros((4, WIDTH), np.float32)]
    with pytest.raises(ComputeError, match="the joint gave numbers that are not finite"):
        ours.decode(encoded(ours, frames), [DecoderInput(0, 0, 4, 4, ours.start())])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite(cpu, value):
    model = networks(0, (0, 1, 2, 3, 4))
    ours = TorchTransducer(model, cpu)
    frames = [np.zeros((4, WIDTH), np.float32), np.full((4, WIDTH), value, np.float32)]
    with pytest.raises(ComputeError, match="the encoder gave numbers that are not finite"):
        ours.decode(encoded(ours, frames), [DecoderInput(1, 0, 4, 4, ours.start())])
    with torch.no_grad():
        model.joint.out.weight[0, 0] = value
    frames = [np.zeros((4, WIDTH), np.float32)]
    with pytest.raises(ComputeError, match="the joint gave numbers that are not finite"):
        ours.decode(encoded(ours, frames), [DecoderInput(0, 0, 4, 4, ours.start())])
