"""Loops that were made ready: how many there are, what they share, and which rows they take."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_runtime.devices import computing
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.test_device_decoder import DURATIONS, made
from tests.torch_runtime.test_device_loop import networks, phrases


def test_loops_are_made_once(cpu):
    ours = made(networks(0, DURATIONS), cpu, most_rows=16)
    loops = ours._decoder.loops
    plain, biased, arena = dict(loops.plain), dict(loops.biased), loops.arena
    assert set(plain) == set(biased) == {8, 16}
    with computing():
        assert list(loops.prepare(16, 10)) == []
        assert (loops.plain, loops.biased) == (plain, biased)
        assert len(list(loops.prepare(8, 30))) == 1
    assert loops.plain[8].room.frames == loops.biased[8].room.frames == 240
    assert loops.plain[16] is plain[16]
    assert loops.biased[16] is biased[16]
    assert loops.arena is arena


def test_two_of_a_size_share_their_frames(cpu):
    loops = made(networks(0, DURATIONS), cpu)._decoder.loops
    one, other = loops.plain[8].state, loops.biased[8].state
    assert one.frames.data_ptr() == other.frames.data_ptr()
    assert one.facts.data_ptr() != other.facts.data_ptr()
    assert (one.facts.shape[1], other.facts.shape[1]) == (5, 9)


def test_which_loop_has_room(cpu):
    loops = made(networks(0, DURATIONS), cpu)._decoder.loops
    assert loops.of(8, 120, biased=False) is loops.plain[8]
    assert loops.of(8, 120, biased=True) is loops.biased[8]
    assert loops.of(8, 121, biased=True) is None
    assert loops.of(16, 1, biased=False) is None
    assert loops.of(0, 1, biased=True) is None


def test_without_loops_no_row_is_taken(cpu):
    ours = TorchTransducer(networks(0, DURATIONS), cpu)
    loops = ours._decoder.loops
    assert loops.arena is None
    assert not loops.take(DecoderInput(0, 0, 1, 1, ours.start()))


def test_which_rows_are_taken(cpu):
    ours = made(networks(0, DURATIONS), cpu)
    mask, one, other = ScriptMask(np.array([2])), phrases(0), phrases(1)
    with computing():
        told = [
            ours._decoder.loops.take(DecoderInput(0, 0, 1, 1, ours.start(), biases))
            for biases in ((), (mask,), (one,), (mask, one), (one, other))
        ]
    assert told == [True, True, True, True, False]
