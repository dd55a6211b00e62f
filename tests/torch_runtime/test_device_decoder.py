"""Loops that were made ready, against the loop over numpy: padding, parts, rows without room."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_runtime import ready_loops
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.recorded_graph import record_graphs
from tests.torch_runtime.test_device_loop import (
    WIDTH,
    NumpyJoint,
    encoded,
    networks,
    phrases,
    plain,
)

DURATIONS = (0, 1, 2, 3, 4)


def made(model, cpu, most_rows=8, context="0-0.8-0.4", *, replaying=False):
    """Loops for 15 frames of each row, perhaps replayed as graphs are."""
    ours = TorchTransducer(model, cpu, fixed_shapes=True)
    if replaying:
        record_graphs(ours)
    with computing():
        frames = ContextConfig.parse(context).frames
        for _ in ours._decoder.prepare(most_rows, frames.chunk + frames.right):
            pass
    return ours


def taken(transducer, monkeypatch):
    """Whether each part was taken by a loop that was ready."""
    told, real = [], transducer._decoder._loop_for

    def noted(*arguments):
        loop = real(*arguments)
        loops = transducer._decoder.loops
        told.append(loop in (*loops.plain.values(), *loops.biased.values()))
        return loop

    monkeypatch.setattr(transducer._decoder, "_loop_for", noted)
    return told


@pytest.mark.parametrize("replaying", [False, True], ids=["plain", "replaying"])
@pytest.mark.parametrize("least", [1, 3, 16], ids="room for {}".format)
@pytest.mark.parametrize("durations", [DURATIONS, (0, 1), ()])
@pytest.mark.parametrize("blank", [-4.0, 4.0, 14.0])
def test_chunk_after_chunk(cpu, monkeypatch, replaying, least, durations, blank):
    """Rows of any length and number, with skips and borders of any kind; and little room."""
    monkeypatch.setattr(ready_loops, "LEAST_EMISSIONS", least)
    for seed in range(3):
        random = np.random.default_rng(seed)
        model = networks(seed, durations, layers=1 + seed % 2, blank=blank)
        context = "0-0.08-0" if least == 1 else "0-0.8-0.4"
        ours = made(model, cpu, context=context, replaying=replaying)
        theirs = LabelLoopingDecoder(NumpyJoint(model), max_symbols=3)
        told = taken(ours, monkeypatch)
        rows = int(random.integers(1, 20))
        states = [(ours.start(), theirs.start())] * rows
        for _ in range(3):
            most = 2 if least == 1 else 14
            frames = [
                random.normal(0, 1, (int(random.integers(1, most)), WIDTH)).astype(np.float32)
                for _ in range(rows)
            ]
            cuts = [np.sort(random.integers(0, len(each) + 1, 3)).tolist() for each in frames]
            given = [DecoderInput(row, *cut, states[row][0]) for row, cut in enumerate(cuts)]
            found = ours.decode(encoded(ours, frames), given)
            expected = theirs.decode(
                frames, [replace(each, state=states[each.row][1]) for each in given]
            )
            for one, other in zip(found, expected, strict=True):
                assert plain(one) == plain(other)
            states = [(a.state, b.state) for a, b in zip(found, expected, strict=True)]
        assert all(told)
        assert len(told) == 3 * -(-rows // 8)


def test_a_row_that_has_no_room_waits(cpu, monkeypatch):
    """One row emits much more than there is room for, beside one that emits nothing."""
    model = networks(0, (0, 1), blank=-4.0)
    ours = made(model, cpu)
    theirs = LabelLoopingDecoder(NumpyJoint(model), max_symbols=3)
    told = taken(ours, monkeypatch)
    frames = [np.random.default_rng(0).normal(0, 1, (60, WIDTH)).astype(np.float32)]
    frames.append(np.zeros((1, WIDTH), np.float32))
    cuts = [(0, 50, 60), (0, 0, 0)]
    found = ours.decode(
        encoded(ours, frames),
        [DecoderInput(row, *cut, ours.start()) for row, cut in enumerate(cuts)],
    )
    expected = theirs.decode(
        frames, [DecoderInput(row, *cut, theirs.start()) for row, cut in enumerate(cuts)]
    )
    assert len(found[0].emissions) > 3 * 16  # four reads
    assert [plain(each) for each in found] == [plain(each) for each in expected]
    for one, other in zip(found[0].emissions, expected[0].emissions, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
    assert told == [True]


def test_a_row_is_what_it_is_alone(cpu):
    model = networks(3, DURATIONS)
    ours = made(model, cpu)
    random = np.random.default_rng(0)
    frames = [random.normal(0, 1, (size, WIDTH)).astype(np.float32) for size in (3, 9, 14, 1, 0)]
    given = [
        DecoderInput(row, 0, len(each), len(each), ours.start()) for row, each in enumerate(frames)
    ]
    together = ours.decode(encoded(ours, frames), given)
    for row, each in enumerate(frames[:-1]):
        (alone,) = ours.decode(encoded(ours, [each]), [replace(given[row], row=0)])
        assert plain(alone) == plain(together[row])


def test_what_fits_no_loop_gets_its_own(cpu, monkeypatch):
    """Two lists, and more frames than there is room for."""
    model = networks(1, DURATIONS)
    ours = made(model, cpu)
    told = taken(ours, monkeypatch)
    random = np.random.default_rng(0)
    frames = [random.normal(0, 1, (size, WIDTH)).astype(np.float32) for size in (10, 121, 120)]
    there = encoded(ours, frames)
    whole = DecoderInput(0, 0, 10, 10, ours.start())
    mask, one, other = ScriptMask(np.array([2])), phrases(0), phrases(1)
    ours.decode(there, [replace(whole, biases=(one, other))])
    ours.decode(there, [replace(whole, biases=(mask, one))])
    for biases in ((), (mask, one)):
        for row, end in ((1, 121), (2, 120)):
            ours.decode(there, [DecoderInput(row, 0, end, end, ours.start(), biases)])
    assert told == [False, True, False, True, False, True]


def test_a_row_that_fits_no_loop_keeps_no_other_from_it(cpu, monkeypatch):
    model = networks(1, DURATIONS)
    ours = made(model, cpu)
    random = np.random.default_rng(0)
    frames = [random.normal(0, 1, (9, WIDTH)).astype(np.float32) for _ in range(11)]
    mask, one, other = ScriptMask(np.array([2])), phrases(0), phrases(1)
    biases = [(one, other), (), (one,), (one, mask), *[()] * 6, (mask, other)]
    given = [DecoderInput(at, 0, 6, 9, ours.start(), each) for at, each in enumerate(biases)]
    told = taken(ours, monkeypatch)
    sizes, real = [], ours._decoder._part

    def noted(there, rows, size):
        sizes.append((len(rows), size))
        return real(there, rows, size)

    monkeypatch.setattr(ours._decoder, "_part", noted)
    found = ours.decode(encoded(ours, frames), given)
    assert sizes == [(8, 8), (1, 8), (2, 0)]
    assert told == [True, True, False]
    for at, each in enumerate(given):
        (alone,) = TorchTransducer(model, cpu).decode(
            encoded(ours, [frames[at]]), [replace(each, row=0)]
        )
        assert plain(alone) == plain(found[at])


def test_numbers_that_are_not_finite_stay_in_their_call(cpu):
    model = networks(0, DURATIONS)
    ours = made(model, cpu)
    frames = [np.random.default_rng(0).normal(0, 1, (4, WIDTH)).astype(np.float32)] * 3
    given = [DecoderInput(row, 0, 4, 4, ours.start()) for row in range(3)]
    expected = ours.decode(encoded(ours, frames), given)
    spoilt = [np.full((4, WIDTH), np.nan, np.float32)] * 8
    with pytest.raises(ComputeError, match="the encoder"):
        ours.decode(
            encoded(ours, spoilt), [DecoderInput(row, 0, 4, 4, ours.start()) for row in range(8)]
        )
    found = ours.decode(encoded(ours, frames), given)
    assert [plain(each) for each in found] == [plain(each) for each in expected]
