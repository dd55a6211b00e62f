"""The cached encoder that keeps its past on a device, against the one that keeps it in numpy."""

import gc
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export extra")

from parakeet_streaming import ContextConfig, load
from parakeet_streaming.engine.window import ContextWindow
from parakeet_streaming.errors import ComputeError, SnapshotError
from parakeet_streaming.export.onnx_files import write_model
from parakeet_streaming.model.device_cached_encoder import DeviceCachedEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.onnx_runtime import HOST
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from tests.model.devices import PROVIDERS, kept_there

CONTEXTS = ["2-0.5-0.5", "1-0.24-0", "0-0.4-0.4", "0.08-0.16-0.16", "10-1-1", "0.4-0.08-0.08"]


def close(encoder):
    """How near its numbers are: those of a GPU's float32 are summed up in another order."""
    return 1e-5 if encoder._rows.device == HOST else 1e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(3)
    encoder = EncoderConfig(subsampling_channels=8, width=32, layers=2, heads=2)
    model = Transducer(TransducerConfig(encoder, vocabulary=9, predictor_width=16, joint_width=24))
    with torch.no_grad():
        model.joint.out.weight.mul_(8)
    made = tmp_path_factory.mktemp("cached")
    write_model(model.eval(), ["<unk>", "▁", *"abcdef"], made, cached=True)
    return made


@pytest.fixture(scope="module")
def plain(folder):
    return load(folder, provider="cpu", threads=1)


@pytest.fixture(scope="module", params=PROVIDERS)
def on_device(folder, request):
    return load(folder, provider=request.param, threads=1, wrap=kept_there)


@pytest.fixture
def encoders(plain, on_device):
    """Both, in a row."""
    return encoder_of(plain), encoder_of(on_device)


def encoder_of(recognizer):
    return recognizer._transducer._encoder


def sound(seconds, seed=0):
    random = np.random.default_rng(seed)
    loudness = np.repeat(random.uniform(0.01, 0.3, int(seconds * 10) + 1), 1600)
    count = int(seconds * 16_000)
    return (random.normal(0, 1, count) * loudness[:count]).astype(np.float32)


class Member:
    """One stream, and what each encoder keeps of it."""

    def __init__(self, notation, samples):
        self.context = ContextConfig.parse(notation)
        self.window = ContextWindow(self.context)
        self.window.feed(samples)
        self.window.end()
        self.pasts = [None, None]

    @property
    def due(self):
        return self.window.peek() is not None


def step(encoders, members):
    """One step of members by both encoders, whose frames must agree."""
    frames = []
    for which, encoder in enumerate(encoders):
        encoded = encoder.encode([given(each, which) for each in members])
        for each, past in zip(members, encoded.pasts, strict=True):
            each.pasts[which] = past
        frames.append([frames_of(each) for each in encoded.frames])
    for each in members:
        each.window.advance(each.window.peek())
    for ours, theirs in zip(*frames, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=close(encoders[1]))


def given(member, which):
    window = member.window.peek()
    return EncoderInput(
        window.samples,
        window.left_samples,
        window.chunk_samples,
        member.context.frames.left,
        member.pasts[which],
    )


def frames_of(row):
    """Frames (U, D), wherever they lie."""
    if isinstance(row, np.ndarray):
        return row
    return row.array.numpy()[row.start : row.start + row.count]


def assert_alike(encoders, member):
    """What both keep of a stream is the same."""
    theirs, ours = (
        encoder.past_to_arrays(past) for encoder, past in zip(encoders, member.pasts, strict=True)
    )
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name].dtype == np.float32
        np.testing.assert_allclose(
            ours[name], expected, rtol=0, atol=close(encoders[1]), err_msg=name
        )


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("seconds", [0.03, 0.3, 4.37])
def test_alone(encoders, context, seconds):
    member = Member(context, sound(seconds))
    while member.due:
        step(encoders, [member])
        assert_alike(encoders, member)


@pytest.mark.parametrize("seed", range(3))
def test_mixed_fills_with_joins_and_leaves(encoders, seed):
    random = np.random.default_rng(seed)
    members = [
        Member(str(random.choice(CONTEXTS)), sound(random.uniform(0.1, 5), seed=100 * seed + at))
        for at in range(24)
    ]
    joins = random.integers(0, 10, len(members))
    for turn in range(200):
        inside = [each for each, at in zip(members, joins, strict=True) if at <= turn and each.due]
        if drawn := [each for each in inside if random.random() < 0.6]:
            step(encoders, drawn)
            assert_alike(encoders, drawn[0])


def test_pasts_of_many_calls_share_one(encoders):
    """More arrays than a graph has sources for."""
    members = [Member("2-0.4-0.4", sound(4, seed)) for seed in range(12)]
    for number, each in enumerate(members):
        for _ in range(1 + number % 4):
            step(encoders, [each])
    for _ in range(3):
        step(encoders, members)
    for each in members:
        assert_alike(encoders, each)


def test_whole_windows_and_steps_share_a_call(encoders):
    member = Member("1-0.4-0.4", sound(3.1))
    for _ in range(3):
        step(encoders, [member])
    whole = EncoderInput(sound(2.3, seed=7))
    both = [
        encoder.encode([whole, given(member, which), whole])
        for which, encoder in enumerate(encoders)
    ]
    for ours, theirs in zip(*(each.frames for each in both), strict=True):
        np.testing.assert_allclose(
            frames_of(ours), frames_of(theirs), rtol=0, atol=close(encoders[1])
        )
    assert [past is None for past in both[1].pasts] == [True, False, True]


def test_a_step_can_be_tried_again(encoders):
    """A past stays as it was, whatever was made of it."""
    _, encoder = encoders
    member = Member("1-0.4-0.4", sound(4))
    for _ in range(4):
        step(encoders, [member])
    before = encoder.past_to_arrays(member.pasts[1])
    first = encoder.encode([given(member, 1)])
    encoder.encode([replace(given(member, 1), samples=-given(member, 1).samples)])
    again = encoder.encode([given(member, 1)])
    np.testing.assert_array_equal(frames_of(again.frames[0]), frames_of(first.frames[0]))
    for name, values in encoder.past_to_arrays(member.pasts[1]).items():
        np.testing.assert_array_equal(values, before[name])


def test_a_past_goes_from_one_to_the_other_and_back(encoders):
    plain, device = encoders
    member = Member("1-0.4-0.4", sound(5))
    while member.due:
        step(encoders, [member])
        theirs, ours = plain.past_to_arrays(member.pasts[0]), device.past_to_arrays(member.pasts[1])
        member.pasts = [plain.past_from_arrays(ours, 12), device.past_from_arrays(theirs, 12)]


def test_a_past_of_nothing(encoders):
    _, device = encoders
    short = EncoderInput(np.zeros(100, np.float32), 0, 6400, 12)
    encoded = device.encode([short])
    (past,) = encoded.pasts
    assert encoded.lengths == (0,)
    assert device.past_to_arrays(past)["keys"].shape == (2, 0, 32)
    restored = device.past_from_arrays(device.past_to_arrays(past), 12)
    step_in = EncoderInput(sound(0.8), 0, 6400, 12)
    first, again = (
        device.encode([replace(step_in, past=each)]).frames[0] for each in (None, restored)
    )
    np.testing.assert_array_equal(frames_of(first), frames_of(again))


def test_forged_pasts_are_refused(encoders):
    _, device = encoders
    (past,) = device.encode([EncoderInput(sound(0.8), 0, 6400, 12)]).pasts
    arrays = device.past_to_arrays(past)
    with pytest.raises(SnapshotError, match="this model's is like"):
        device.past_from_arrays(arrays | {"convolved": arrays["convolved"][:-1]}, 12)
    with pytest.raises(SnapshotError, match="past of 5 frames, not of 4 at most"):
        device.past_from_arrays(arrays, 4)


def test_numbers_that_are_not_finite_end_the_call_and_stay_in_it(encoders):
    _, device = encoders
    broken = EncoderInput(np.full(12_800, np.nan, np.float32), 0, 6400, 12)
    with pytest.raises(ComputeError, match=r"encoder-cached-model\.onnx gave numbers that are not"):
        device.encode([broken])
    member = Member("1-0.4-0.4", sound(3))
    while member.due:
        step(encoders, [member])


def test_who_is_left_behind_keeps_only_what_is_its_own(encoders):
    """A stream that pauses does not keep the arrays of all that were in its call."""
    members = [Member("1-0.4-0.4", sound(6, seed)) for seed in range(8)]
    for _ in range(3):
        step(encoders, members)
    left, moving = members[:2], members[2:]
    shared = left[0].pasts[1].blocks[0].keys
    assert shared.shape[1] == len(members)
    for _ in range(2):
        gc.collect()
        step(encoders, moving)
    kept = left[0].pasts[1].blocks
    assert [each.keys.shape[1] for each in kept] == [len(left)]
    for each in left:
        assert_alike(encoders, each)
    while left[0].due:
        step(encoders, left)


def test_streams_say_the_same(plain, on_device):
    """Tokens of streams that come and go, and of one that moves between the two."""
    answers = []
    for recognizer in (plain, on_device):
        random = np.random.default_rng(1)
        streams = [recognizer.stream(ContextConfig.parse(each), cached=True) for each in CONTEXTS]
        for seed, stream in enumerate(streams):
            stream.push(sound(random.uniform(1, 6), seed))
            stream.end()
        while any(not stream.closed for stream in streams):
            live = [each for each in streams if not each.closed and random.random() < 0.7]
            recognizer.step(live)
        answers.append([told(stream) for stream in streams])
    assert answers[0] == answers[1]


def test_a_snapshot_goes_on_on_the_other(plain, on_device):
    samples, context = sound(5), ContextConfig.parse("1-0.4-0.4")
    whole = plain.stream(context, cached=True)
    whole.feed(samples)
    whole.finish()
    for first, second in ((plain, on_device), (on_device, plain)):
        stream = first.stream(context, cached=True)
        stream.feed(samples[:40_000])
        stream = second.restore(stream.snapshot())
        stream.feed(samples[40_000:])
        stream.finish()
        assert told(stream) == told(whole)


def told(stream):
    return [
        (each.id, each.start_frame, each.duration_frames) for each in stream.transcript().tokens
    ]


def test_it_is_what_is_loaded(on_device):
    assert isinstance(encoder_of(on_device), DeviceCachedEncoder)
