"""Each frame encoded once, on the device, against the cached encoder that runs as a graph."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.engine.window import ContextWindow
from parakeet_streaming.errors import ComputeError, SnapshotError
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

CLOSE = 1e-4
CONTEXTS = (
    *("2-0.5-0.5", "1-0.24-0", "0-0.4-0.4", "0.08-0.16-0.16", "10-1-1", "0.4-0.08-0.08"),
    *("1-0.4-0.08", "3-1.12-0.24"),
)


@pytest.fixture(scope="module")
def graph(cached_folder):
    parts = find_parts(cached_folder)
    return OnnxCachedEncoder(
        open_session(parts.encoder.path, provider="cpu", threads=1), read_spec(parts)
    )


def sound(seconds, seed=0):
    random = np.random.default_rng(seed)
    loudness = np.repeat(random.uniform(0.01, 0.3, int(seconds * 10) + 1), 1600)
    count = int(seconds * 16_000)
    return (random.normal(0, 1, count) * loudness[:count]).astype(np.float32)


@dataclass
class Member:
    """One stream, with the past that each encoder keeps of it."""

    context: ContextConfig
    window: ContextWindow
    joins: int
    theirs: object = None
    ours: object = None

    @classmethod
    def of(cls, notation, samples, joins=0, tail_samples=0):
        context = ContextConfig.parse(notation)
        window = ContextWindow(context)
        window.feed(samples)
        window.end(tail_samples)
        return cls(context, window, joins)


def frames_of(transducer, inputs):
    """Frames (U, D) of each row in numpy's arrays, and the pasts."""
    with computing():
        groups, pasts, lengths = transducer.encode_frames(inputs)
    rows = [np.zeros((0, 32), np.float32)] * len(inputs)
    for group in groups:
        for at, row in enumerate(group.rows):
            rows[row] = group.frames[at, : lengths[row]].float().numpy()
    return rows, pasts


def step(graph, transducer, members, close=CLOSE):
    """One step of all members that have a window, by both encoders; they must agree."""
    due = [(each, window) for each in members if (window := each.window.peek()) is not None]
    bare = [
        EncoderInput(
            window.samples,
            window.left_samples,
            window.chunk_samples,
            each.context.frames.left,
            None,
        )
        for each, window in due
    ]
    expected = graph.encode(
        [replace(given, past=each.theirs) for given, (each, _) in zip(bare, due, strict=True)]
    )
    found, pasts = frames_of(
        transducer,
        [replace(given, past=each.ours) for given, (each, _) in zip(bare, due, strict=True)],
    )
    for at, (each, window) in enumerate(due):
        np.testing.assert_allclose(found[at], expected.frames[at], rtol=0, atol=close)
        each.theirs, each.ours = expected.pasts[at], pasts[at]
        each.window.advance(window)


def assert_alike(graph, transducer, member):
    """What both keep of a stream is the same."""
    ours, theirs = transducer.past_to_arrays(member.ours), graph.past_to_arrays(member.theirs)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name].dtype == np.float32
        # Near the guard of the logarithm, log-mels are rounding noise (tests/parity).
        bound = 6e-4 if name == "log_mel" else CLOSE
        np.testing.assert_allclose(ours[name], expected, rtol=0, atol=bound, err_msg=name)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("seconds", [0.03, 0.3, 1.0, 7.77])
def test_alone(graph, any_transducer, context, seconds):
    member = Member.of(context, sound(seconds))
    while member.window.peek() is not None:
        step(graph, any_transducer, [member])
        if member.ours is not None:
            assert_alike(graph, any_transducer, member)


@pytest.mark.parametrize("seed", range(4))
def test_mixed_fills_with_joins_and_leaves(graph, any_transducer, seed):
    random = np.random.default_rng(seed)
    waiting = [
        Member.of(
            str(random.choice(CONTEXTS)),
            sound(random.uniform(0.1, 6), seed=100 * seed + at),
            joins=int(random.integers(12)),
        )
        for at in range(24)
    ]
    turn = 0
    while waiting:
        inside = [each for each in waiting if each.joins <= turn]
        step(graph, any_transducer, [each for each in inside if random.random() < 0.7])
        waiting = [each for each in waiting if each.window.peek() is not None]
        turn += 1


def test_features_are_normalised_without_a_tail(graph, any_transducer):
    samples = np.concatenate((sound(1.5), np.zeros(8000, np.float32)))
    member = Member.of("1-0.5-0.5", samples, tail_samples=8000)
    given = EncoderInput(samples[:16_000], 0, 8000, 12, None, 0)
    first, ours = graph.encode([given]), frames_of(any_transducer, [given])
    for tail in (0, 4000, 14_000):
        later = EncoderInput(samples[:24_000], 8000, 16_000, 12, None, tail)
        expected = graph.encode([replace(later, past=first.pasts[0])]).frames[0]
        (found,), _ = frames_of(any_transducer, [replace(later, past=ours[1][0])])
        np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)
    assert member.window.peek() is not None


def test_a_step_can_be_tried_again(graph, any_transducer):
    """From the same past: what a failed step wrote changes nothing."""
    member = Member.of("1-0.4-0.4", sound(4.0))
    for _ in range(5):
        step(graph, any_transducer, [member])
    window, before = member.window.peek(), any_transducer.past_to_arrays(member.ours)
    given = EncoderInput(window.samples, window.left_samples, window.chunk_samples, 12, member.ours)
    first, pasts = frames_of(any_transducer, [given])
    other = replace(given, samples=-given.samples)
    frames_of(any_transducer, [other])
    again, _ = frames_of(any_transducer, [given])
    np.testing.assert_array_equal(first[0], again[0])
    for name, values in any_transducer.past_to_arrays(member.ours).items():
        np.testing.assert_array_equal(values, before[name])
    with pytest.raises(ComputeError, match="written over"):  # by the step that was tried again
        frames_of(any_transducer, [replace(given, past=pasts[0])])
    with pytest.raises(ComputeError, match="written over"):
        any_transducer.past_to_arrays(pasts[0])


def test_a_context_that_grows_takes_a_larger_ring(graph, any_transducer):
    samples = sound(9.0)
    member = Member.of("1-0.4-0.4", samples)
    for _ in range(4):
        step(graph, any_transducer, [member])
    small = member.ours.ring.size
    member.context = ContextConfig.parse("4-2-1")
    member.window.use(member.context)
    while member.window.peek() is not None:
        step(graph, any_transducer, [member])
        assert_alike(graph, any_transducer, member)
    assert member.ours.ring.size.frames > small.frames


def test_a_past_goes_from_one_runtime_to_the_other(graph, any_transducer):
    member = Member.of("1-0.4-0.4", sound(4.0))
    for _ in range(4):
        step(graph, any_transducer, [member])
    theirs, ours = graph.past_to_arrays(member.theirs), any_transducer.past_to_arrays(member.ours)
    member.theirs = graph.past_from_arrays(ours, 12)
    member.ours = any_transducer.past_from_arrays(theirs, 12)
    while member.window.peek() is not None:
        step(graph, any_transducer, [member])


def test_a_past_of_nothing(graph, any_transducer):
    """A window without a whole frame leaves nothing."""
    _, (past,) = frames_of(any_transducer, [EncoderInput(np.zeros(100, np.float32), 0, 100, 12)])
    arrays = any_transducer.past_to_arrays(past)
    assert arrays["keys"].shape == (2, 0, 32)
    restored = any_transducer.past_from_arrays(arrays, 12)
    given = EncoderInput(sound(0.8), 0, 6400, 12)
    expected = graph.encode([given]).frames[0]
    for each in (past, restored):
        (found,), _ = frames_of(any_transducer, [replace(given, past=each)])
        np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("name", ["keys", "values", "convolved", "log_mel", "ahead"])
def test_forged_pasts_are_refused(transducer, name):
    _, (past,) = frames_of(transducer, [EncoderInput(sound(0.8), 0, 6400, 12)])
    arrays = transducer.past_to_arrays(past)
    for forged in (arrays[name][..., :0], np.zeros((3, 3, 3, 3), np.float32)):
        with pytest.raises(SnapshotError):
            transducer.past_from_arrays(arrays | {name: forged}, 12)
    with pytest.raises(SnapshotError):
        transducer.past_from_arrays(arrays, 2)


def test_numbers_that_are_not_finite_stay_in_their_stream(graph, any_transducer):
    """What a broken stream leaves in its slots, others never see."""
    for _ in range(40):  # more than there are free slots
        broken = EncoderInput(np.full(12_800, np.nan, np.float32), 0, 6400, 12)
        frames_of(any_transducer, [broken])
    members = [Member.of("1-0.4-0.4", sound(3.0, seed=seed)) for seed in range(20)]
    while any(each.window.peek() is not None for each in members):
        step(graph, any_transducer, members)


def test_keys_and_values_in_eight_bits(graph, small_model, cpu):
    """Frames are nearly those of a past as it is, also after the past was written down."""
    ours = TorchTransducer(small_model, cpu, cache_int8=True)
    assert ours.runs_on.endswith(", int8 cache")
    members = [Member.of("2-0.4-0.4", sound(4.0, seed)) for seed in range(3)]
    while any(each.window.peek() is not None for each in members):
        step(graph, ours, members, close=0.05)
        for each in members:
            if each.ours is not None:
                each.ours = ours.past_from_arrays(ours.past_to_arrays(each.ours), 25)
