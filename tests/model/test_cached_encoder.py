"""The encoder that keeps the left context, against the torch modules and literal features."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming import ContextConfig, load
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.engine.window import ContextWindow
from parakeet_streaming.errors import ModelFormatError, SnapshotError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.model.features import normalised, raw_log_mel
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.timeline import FRAME_SAMPLES
from parakeet_streaming.torch_model.cached import CachedEncoder
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig

CONTEXTS = ["2-0.5-0.5", "1-0.24-0", "0-0.4-0.4", "0.08-0.16-0.16", "10-1-1", "0.4-0.08-0.08"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    encoder = EncoderConfig(subsampling_channels=8, width=32, layers=2, heads=2)
    model = Transducer(TransducerConfig(encoder, vocabulary=9, predictor_width=16, joint_width=24))
    with torch.no_grad():
        model.joint.out.weight.mul_(8)
    return model.eval()


@pytest.fixture(scope="module")
def folders(model, tmp_path_factory):
    """The same model with whole windows and with a cached encoder."""
    whole, cached = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("cached")
    for folder in (whole, cached):
        write_model(model, ["<unk>", "▁", *"abcdef"], folder, cached=folder is cached)
    return whole, cached


@pytest.fixture(scope="module")
def encoder(folders):
    parts = find_parts(folders[1])
    return OnnxCachedEncoder(
        open_session(parts.encoder.path, provider="cpu", threads=1), read_spec(parts)
    )


def sound(seconds, seed=0):
    random = np.random.default_rng(seed)
    loudness = np.repeat(random.uniform(0.01, 0.3, int(seconds * 10) + 1), 1600)
    count = int(seconds * 16_000)
    return (random.normal(0, 1, count) * loudness[:count]).astype(np.float32)


def windows(samples, context):
    buffer = ContextWindow(context)
    buffer.feed(samples)
    buffer.end()
    while (window := buffer.peek()) is not None:
        buffer.advance(window)
        yield window


def steps(encoder, samples, context):
    """Each step of a stream, and its frames."""
    past = None
    for window in windows(samples, context):
        step = EncoderInput(
            window.samples,
            window.left_samples,
            window.chunk_samples,
            context.frames.left,
            past,
        )
        encoded = encoder.encode([step])
        (past,) = encoded.pasts
        yield step, encoded.frames[0]


def literal(model, samples, context):
    """Frames of each step, from features of the whole stream so far and a past never cut."""
    encoder = CachedEncoder(model.encoder)
    layers, width = model.config.encoder.layers, model.config.encoder.width
    nothing = torch.zeros(layers, 1, 1, width)
    keys, values, convolved = nothing[:, :, :0], nothing[:, :, :0], torch.zeros(layers, 1, 4, width)
    limit = context.samples.left // FRAME_SAMPLES
    for window in windows(samples, context):
        end = window.chunk_start + len(window.samples) - window.left_samples
        so_far = raw_log_mel(samples[:end], 128)
        first, left = window.chunk_start // 160, window.left_samples // 160
        look_back = 8 if left >= 8 else 0
        statistics = so_far[:, max(0, first - left) :]
        features = np.zeros((128, 8 + so_far.shape[1] - first), np.float32)
        features[:, 8 - look_back :] = normalised(so_far[:, first - look_back :], statistics)
        heard_keys, heard_values = (
            each[:, :, max(0, each.shape[2] - limit) :] for each in (keys, values)
        )
        with torch.no_grad():
            frames, lengths, new_keys, new_values, new_convolved = encoder(
                torch.from_numpy(features)[None],
                torch.tensor([features.shape[1]]),
                torch.tensor([look_back]),
                torch.cat((nothing, heard_keys), 2),
                torch.cat((nothing, heard_values), 2),
                convolved,
                torch.tensor([heard_keys.shape[2]]),
            )
        yield frames[0].numpy()
        chunk = min(window.chunk_samples // FRAME_SAMPLES, int(lengths[0]))
        keys = torch.cat((heard_keys, new_keys[:, :, :chunk]), 2)
        values = torch.cat((heard_values, new_values[:, :, :chunk]), 2)
        convolved = new_convolved[:, :, chunk : chunk + 4]


@pytest.mark.parametrize("notation", CONTEXTS)
@pytest.mark.parametrize("seconds", [0.02, 0.5, 4.37])
def test_steps_equal_a_literal_walk(encoder, model, notation, seconds):
    context = ContextConfig.parse(notation)
    samples = sound(seconds)
    found = [frames for _, frames in steps(encoder, samples, context)]
    expected = list(literal(model, samples, context))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        # A left context of less than the look-back is cut mid-stream, as a window is.
        if context.samples.left >= 10 * 160:
            np.testing.assert_allclose(ours, theirs, atol=2e-4)
        assert ours.shape == theirs.shape


@pytest.mark.parametrize("seed", range(8))
def test_log_mels_are_those_of_the_window_wherever_borders_move(encoder, seed):
    """A right context that shrinks or vanishes leaves log-mels behind that are not certain."""
    random = np.random.default_rng(seed)
    samples = sound(5, seed)
    buffer = ContextWindow(ContextConfig(2, 0.48, 0.48))
    buffer.feed(samples)
    buffer.end()
    past = None
    while True:
        chunk, right = random.choice([0.08, 0.16, 0.48, 0.96]), random.choice([0, 0.08, 0.48, 0.96])
        buffer.use(ContextConfig(2, float(chunk), float(right)))
        if (window := buffer.peek()) is None:
            break
        buffer.advance(window)
        step = EncoderInput(window.samples, window.left_samples, window.chunk_samples, 25, past)
        prepared = encoder._prepare(step)
        so_far = raw_log_mel(samples[: window.lookahead_end], 128)
        expected = so_far[:, window.chunk_start // 160 - prepared.chunk_at :]
        np.testing.assert_allclose(prepared.log_mel, expected, atol=1e-5)
        (past,) = encoder.encode([step]).pasts


def told(transcript):
    return [(each.id, each.start_frame, each.duration_frames) for each in transcript.tokens]


def test_windows_are_what_the_whole_encoder_makes_of_them(folders):
    whole, cached = (load(folder, provider="cpu", threads=1) for folder in folders)
    samples = sound(6.3)
    assert told(whole.transcribe(samples)) == told(cached.transcribe(samples))
    for notation in CONTEXTS:
        context = ContextConfig.parse(notation)
        answers = []
        for recognizer in (whole, cached):
            stream = recognizer.stream(context)
            answers.append([*stream.feed(samples), *stream.finish()])
        assert [event.text for event in answers[0][:-1]] == [e.text for e in answers[1][:-1]]


def test_one_chunk_over_everything_is_offline(folders):
    recognizer = load(folders[1], provider="cpu", threads=1)
    samples = sound(5.1)
    stream = recognizer.stream(ContextConfig(0, 20, 0), cached=True)
    stream.feed(samples)
    stream.finish()
    assert told(stream.transcript()) == told(recognizer.transcribe(samples))


def test_streams_of_any_fill_share_a_call(encoder):
    """Steps drawn from streams of other ages and contexts, each as it was alone."""
    drawn = []
    for number, notation in enumerate(CONTEXTS):
        every = list(steps(encoder, sound(3.1, seed=number), ContextConfig.parse(notation)))
        drawn += [every[0], every[len(every) // 2], every[-1]]
    encoded = encoder.encode([step for step, _ in drawn])
    assert len(encoded.pasts) == len(drawn)
    for row, (_, alone) in zip(encoded.frames, drawn, strict=True):
        np.testing.assert_allclose(row, alone, atol=1e-4)


def test_whole_windows_and_steps_share_a_call(encoder):
    context = ContextConfig.parse("1-0.4-0.4")
    step, alone = list(steps(encoder, sound(3.1), context))[3]
    whole = EncoderInput(sound(2.3, seed=7))
    encoded = encoder.encode([whole, step, whole])
    for row in (0, 2):
        expected = encoder.encode([whole]).frames[0]
        np.testing.assert_allclose(encoded.frames[row], expected, atol=1e-4)
    np.testing.assert_allclose(encoded.frames[1], alone, atol=1e-4)
    assert [past is None for past in encoded.pasts] == [True, False, True]


def test_a_past_comes_back_from_its_arrays(encoder):
    every = list(steps(encoder, sound(5), ContextConfig.parse("1-0.4-0.4")))
    for step, alone in every[1:]:
        past = encoder.past_from_arrays(encoder.past_to_arrays(step.past), step.kept_frames)
        again = encoder.encode([replace(step, past=past)])
        assert np.array_equal(again.frames[0], alone)


def test_a_past_of_another_encoder_or_of_more_frames_is_refused(encoder):
    step, _ = list(steps(encoder, sound(2), ContextConfig.parse("1-0.4-0.4")))[1]
    arrays = encoder.past_to_arrays(step.past)
    with pytest.raises(SnapshotError, match="this model's is like"):
        encoder.past_from_arrays(arrays | {"convolved": arrays["convolved"][:-1]}, 12)
    with pytest.raises(SnapshotError, match="past of 5 frames, not of 4 at most"):
        encoder.past_from_arrays(arrays, 4)


def test_the_past_is_as_long_as_the_left_context_and_stays(encoder):
    context = ContextConfig.parse("1-0.4-0.4")
    limit = context.samples.left // FRAME_SAMPLES
    every = [step for step, _ in steps(encoder, sound(5), context)]
    kept = [step.past.frames for step in every[1:]]
    assert kept == [min(limit, 5 * (1 + at)) for at in range(len(kept))]
    step = every[4]
    before = np.concatenate(step.past.keys, axis=1)
    encoder.encode([step])
    assert np.array_equal(np.concatenate(step.past.keys, axis=1), before)
    assert step.past.log_mel.shape[1] <= len(step.samples) // 160


def test_nothing_and_less_than_a_frame(encoder):
    short = EncoderInput(np.zeros(100, np.float32), 0, 5 * FRAME_SAMPLES, 10, None)
    encoded = encoder.encode([short])
    assert encoded.frames[0].shape[0] == 0
    assert encoded.lengths == (0,)
    assert encoded.pasts[0].frames == 0
    assert encoder.encode([]).frames == []


class Changed:
    """A session one of whose outputs, or what it declares of one input, is changed."""

    def __init__(self, session, name="", change=None, declared=None):
        self.inputs = dict(session.inputs) | (declared or {})
        self._session, self._name, self._change = session, name, change

    def run(self, feeds):
        outputs = dict(self._session.run(feeds))
        if self._change is not None:
            outputs[self._name] = self._change(outputs[self._name])
        return outputs


@pytest.mark.parametrize("output", ["frames", "keys", "values", "convolved"])
@pytest.mark.parametrize(
    "change",
    [
        lambda values: values[:, :1] if values.ndim == 3 else values[..., :1],
        lambda values: values[..., :-1] if values.ndim == 3 else values[:, :, :-1],
        lambda values: values[:-1],
        np.ravel,
    ],
    ids=["narrow", "short", "fewer", "of one rank"],
)
def test_a_graph_is_held_to_the_shapes_it_declares(folders, output, change):
    parts = find_parts(folders[1])
    spec = read_spec(parts)
    name = spec.names.frames if output == "frames" else getattr(spec.names.cached, output)
    session = open_session(parts.encoder.path, provider="cpu", threads=1)
    encoder = OnnxCachedEncoder(Changed(session, name, change), spec, "e.onnx")
    with pytest.raises(ModelFormatError, match=rf"e\.onnx gave {name} as .* instead of"):
        list(steps(encoder, sound(1.0), ContextConfig(1.0, 0.4, 0.4)))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((129, "B", "K", 32), "layers of its past is 129; 1 to 128"),
        ((0, "B", "K", 32), "layers of its past is 0"),
        ((2, "B", "K", 2**40), "width of its past is 1099511627776"),
        ((-2, "B", "K", 32), "layers of its past is -2"),
        ((128, "B", "K", 16_384), "layers by reach by width of its past is .*; 1 to 16777216"),
    ],
)
def test_what_a_past_may_be(folders, shape, said):
    parts = find_parts(folders[1])
    spec = read_spec(parts)
    session = open_session(parts.encoder.path, provider="cpu", threads=1)
    keys = spec.names.cached.past_keys
    declared = {keys: replace(session.inputs[keys], shape=shape)}
    reach = spec.names.cached.past_convolved
    if shape[0] == 128:
        declared[reach] = replace(session.inputs[reach], shape=(128, "B", 128, 16_384))
    with pytest.raises(ModelFormatError, match=said):
        OnnxCachedEncoder(Changed(session, declared=declared), spec)
