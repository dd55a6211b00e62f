"""Streams with phrases and masks in loops that were made ready, against the loop over numpy."""

import gc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_runtime import ready_loops
from parakeet_streaming.torch_runtime.bias_arena import ArenaRoom
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.test_device_decoder import DURATIONS, made, taken
from tests.torch_runtime.test_device_loop import (
    WIDTH,
    NumpyJoint,
    encoded,
    networks,
    phrases,
    plain,
)


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
        written, real = [], arena._write

        def noted(tables, to, written=written, real=real):
            written.append(to.row.first)
            real(tables, to)

        monkeypatch.setattr(arena, "_write", noted)
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
        assert len(written) > len(set(written))  # others got the places of lists that had ended
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
