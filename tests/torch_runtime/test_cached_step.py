"""Steps of cached streams at fixed places: who takes them, and what padding leaves alone."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.torch_runtime.cached_step import StepShape
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.slots import NOTHING
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.test_cached_encoder import Member, frames_of, sound
from tests.torch_runtime.test_cached_rows import a_plan

CONTEXT = "1-0.4-0.4"


@pytest.fixture
def own(small_model, cpu):
    """A transducer with steps for one context and few streams, and its cached encoder."""
    made = TorchTransducer(small_model, cpu, fixed_shapes=True)
    context = ContextConfig.parse(CONTEXT)
    for _ in made.prepare_steps([context], most_rows=8, most_streams=12, cached=True):
        pass
    return made


def walk(transducer, members):
    """Steps streams to their ends; gives the frames of each step, one after the other."""
    told = []
    while due := [(each, each.window.peek()) for each in members if each.window.peek()]:
        inputs = [
            EncoderInput(
                window.samples,
                window.left_samples,
                window.chunk_samples,
                each.context.frames.left,
                each.ours,
            )
            for each, window in due
        ]
        rows, pasts = frames_of(transducer, inputs)
        for at, (each, window) in enumerate(due):
            told.append(rows[at])
            each.ours = pasts[at]
            each.window.advance(window)
    return told


def members(count, seconds=3.1):
    return [Member.of(CONTEXT, sound(seconds, seed)) for seed in range(count)]


def counted(monkeypatch, work):
    """How often it ran."""
    runs, real = [], work._work
    monkeypatch.setattr(work, "_work", lambda: (runs.append(1), real()))
    return runs


def test_all_windows_of_a_stream_take_the_step(own, monkeypatch):
    """The first one, those whose left context fills, full ones and the last."""
    (step,) = own._cached.ready
    runs = counted(monkeypatch, step.work)
    frames = walk(own, members(1))
    assert len(runs) == len(frames) > 5
    assert {len(each) for each in frames[:-2]} == {10}
    assert len(frames[-1]) < 10


def test_chunk_and_right_context_are_computed_and_nothing_else(own, small_model, monkeypatch):
    """Whatever the left context is, layers see frames of the step only; so does a plain call."""
    seen = set()
    layer = small_model.encoder.layers[0].feed_forward_in
    real = layer.forward
    monkeypatch.setattr(layer, "forward", lambda frames: seen.add(frames.shape[1]) or real(frames))
    walk(own, members(2))
    other = Member.of("2-0.24-0.24", sound(4.0))
    walk(own, [other])
    assert seen == {10, 6} | {size for size in seen if size < 6}


def test_padding_leaves_slots_alone(own):
    """Rows that are none write where nobody reads."""
    streams = members(3)
    walk(own, streams[:2])
    store = own._pasts
    pools = [store.convolved, *store._rings.values()]
    before = [pool.stacked(name)[:, NOTHING].clone() for pool in pools for name in pool._tensors]
    kept = [own.past_to_arrays(each.ours) for each in streams[:2]]
    walk(own, streams[2:])
    after = [pool.stacked(name)[:, NOTHING] for pool in pools for name in pool._tensors]
    for one, other in zip(before, after, strict=True):
        assert (one == 0).all()
        assert (other == 0).all()
    for each, arrays in zip(streams, kept, strict=False):
        for name, values in own.past_to_arrays(each.ours).items():
            np.testing.assert_array_equal(values, arrays[name])


def test_streams_that_there_are_slots_for_move_nothing(own):
    """And more streams do: then what was captured is not used any more."""
    (step,) = own._cached.ready
    first = members(12, seconds=2.0)
    for _ in range(3):
        walk(own, first[:8])
    walk(own, first[8:])
    assert step.work.ready
    more = members(30, seconds=1.0)
    walk(own, more)
    assert not step.work.ready
    context = ContextConfig.parse(CONTEXT)
    for _ in own.prepare_steps([context], most_rows=8, most_streams=42, cached=True):
        pass
    (step,) = own._cached.ready
    assert step.work.ready
    del first, more
    walk(own, members(42, seconds=1.0))
    assert step.work.ready


def test_a_shape_takes_rows_that_fit():
    plan = a_plan(samples=100, left=12, new=10, length=3, filled=4)
    shape = StepShape.of([plan])
    assert shape == StepShape(samples=100, window=22, frames=3, past=4)
    assert shape.takes(plan)
    for name in shape._fields:
        assert not shape._replace(**{name: getattr(shape, name) - 1}).takes(plan)
        assert shape._replace(**{name: getattr(shape, name) + 1}).takes(plan)
    other = a_plan(samples=90, left=20, new=10, length=2, filled=0)
    assert StepShape.of([plan, other]) == StepShape(100, 30, 3, 4)
    assert StepShape.of([other]).past == 1


def test_what_an_earlier_call_left_changes_nothing(own):
    """Rows of many streams, then one row in their place."""
    (expected,) = ([*walk(own, members(1))],)
    with computing():
        for step in own._cached.ready:
            step.buffers.samples.fill_(float("nan"))
            step.buffers.frames.fill_(float("nan"))
    for one, other in zip(walk(own, members(1)), expected, strict=True):
        np.testing.assert_array_equal(one, other)
