"""Loops that were made ready, against the loop over numpy: padding, parts, rows without room."""

import gc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import ContextConfig
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_runtime import ready_loops
from parakeet_streaming.torch_runtime.bias_arena import ArenaRoom
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


def biases_of(random, lists):
    """Those of a stream: perhaps a mask, perhaps a list."""
    mask = () if random.random() < 0.5 else (ScriptMask(random.permutation(6)[:2]),)
    return mask if random.random() < 0.4 else (*mask, lists[int(random.integers(len(lists)))])


def states_of(before, decoded, after):
    """As the engine carries them: of a bias that was there before; others begin."""
    known = dict(zip(map(id, before), decoded.bias_states, strict=True))
    states = tuple(known.get(id(each), 0) for each in after)
    return replace(decoded, bias_states=states)


@pytest.mark.parametrize("replaying", [False, True], ids=["plain", "replaying"])
@pytest.mark.parametrize("room", [None, 2], ids="room for {} lists".format)
@pytest.mark.parametrize("blank", [-4.0, 4.0])
def test_streams_with_biases_come_and_go(cpu, monkeypatch, replaying, room, blank):
    """Lists that are there, that change, that end and whose places others get, beside none."""
    for seed in range(3):
        random = np.random.default_rng(seed)
        model = networks(seed, DURATIONS, layers=1 + seed % 2, blank=blank)
        monkeypatch.setattr(ready_loops, "ArenaRoom", partial(ArenaRoom, lists=room or 30))
        ours = made(model, cpu, replaying=replaying)
        theirs = LabelLoopingDecoder(NumpyJoint(model), max_symbols=3)
        told, arena = taken(ours, monkeypatch), ours._decoder.loops.arena
        graphs = [loop.turns._graph for loop in ours._decoder.loops.biased.values()]
        lists = [phrases(each, window=[None, 2.0][each % 2]) for each in range(4)]
        rows = []
        for turn in range(8):
            rows = [row for row in rows if random.random() < 0.8]  # others leave
            rows += [
                (ours.start(), theirs.start(), biases_of(random, lists))
                for _ in range(int(random.integers(1, 6)))
            ]
            frames = [
                random.normal(0, 1, (int(random.integers(1, 14)), WIDTH)).astype(np.float32)
                for _ in rows
            ]
            given = [
                DecoderInput(at, *np.sort(random.integers(0, len(each) + 1, 3)).tolist(), one, bias)
                for at, (each, (one, _, bias)) in enumerate(zip(frames, rows, strict=True))
            ]
            found = ours.decode(encoded(ours, frames), given)
            expected = theirs.decode(
                frames, [replace(each, state=rows[each.row][1]) for each in given]
            )
            for one, other in zip(found, expected, strict=True):
                assert plain(one) == plain(other)
                np.testing.assert_allclose(
                    [each.confidence for each in (*one.emissions, *one.lookahead)],
                    [each.confidence for each in (*other.emissions, *other.lookahead)],
                    atol=1e-5,
                )
            # Some change their lists, and one list in four is never used again.
            lists[turn % 4] = phrases(10 * seed + turn, window=[None, 1.0][turn % 2])
            changed = [
                biases_of(random, lists) if random.random() < 0.5 else row[2] for row in rows
            ]
            rows = [
                (
                    states_of(before, one.state, after),
                    states_of(before, other.state, after),
                    after,
                )
                for (*_, before), one, other, after in zip(
                    rows, found, expected, changed, strict=True
                )
            ]
        assert all(told) == (room is None)
        assert any(told)
        assert len({each.row.first for each in arena._known.values()}) <= len(arena)
        assert graphs == [loop.turns._graph for loop in ours._decoder.loops.biased.values()]
        rows.clear()
        lists.clear()
        del given, found, expected, changed
        gc.collect()
        assert len(arena) == 0


def test_places_that_nobody_has_are_not_looked_at(cpu, monkeypatch):
    """Rubbish there changes nothing: neither for padding, nor for rows without biases or with."""
    model = networks(2, DURATIONS, blank=-4.0)
    ours, other = made(model, cpu, replaying=True), TorchTransducer(model, cpu)
    random = np.random.default_rng(0)
    frames = [random.normal(0, 1, (9, WIDTH)).astype(np.float32) for _ in range(5)]
    bias, mask = phrases(0), ScriptMask(np.array([2]))
    given = [
        DecoderInput(at, 0, 6, 9, ours.start(), each)
        for at, each in enumerate([(), (bias,), (mask,), (mask, bias), ()])
    ]
    there, arena = encoded(ours, frames), ours._decoder.loops.arena
    assert arena.nbytes < 40_000_000
    with computing():
        for name, values in vars(arena).items():
            if name in ("tokens", "targets", "boosts"):
                values.fill_(float("nan") if values.is_floating_point() else 2**30)
            elif isinstance(values, torch.Tensor):
                values[1:].fill_(float("nan") if values.is_floating_point() else 1)
    alone = [replace(each, state=other.start()) for each in given]
    wanted = [plain(each) for each in other.decode(encoded(other, frames), alone)]
    for _ in range(2):
        assert [plain(each) for each in ours.decode(there, given)] == wanted
    assert any(each.boosted for row in ours.decode(there, given) for each in row.emissions)


def test_a_call_without_biases_has_the_loop_without(cpu):
    """Mask and lists cost others nothing."""
    ours = made(networks(0, DURATIONS), cpu, replaying=True)
    loops = ours._decoder.loops
    frames = [np.random.default_rng(0).normal(0, 1, (4, WIDTH)).astype(np.float32)] * 2
    there = encoded(ours, frames)
    rows = [DecoderInput(row, 0, 4, 4, ours.start()) for row in range(2)]
    ours.decode(there, rows)
    assert (loops.plain[8].begin._graph.replays, loops.biased[8].begin._graph.replays) == (1, 0)
    ours.decode(there, [rows[0], replace(rows[1], biases=(phrases(0),))])
    assert (loops.plain[8].begin._graph.replays, loops.biased[8].begin._graph.replays) == (1, 1)
    assert len(loops.plain[8].turns._graph._calls) + 8 * 20 < len(
        loops.biased[8].turns._graph._calls
    )


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
