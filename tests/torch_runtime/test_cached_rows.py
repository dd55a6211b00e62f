"""What a step does with a window, in numbers."""

from dataclasses import fields

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

import numpy as np

from parakeet_streaming.torch_runtime.cached_rows import FACTS, StepRow, Told
from parakeet_streaming.torch_runtime.device_past import DevicePast, Ring, RingSize
from parakeet_streaming.torch_runtime.slots import NOTHING

SIZE = RingSize(16, 128)


class Numbered:
    """A slot."""

    def __init__(self, number):
        self.number = number


def row(past, **other):
    told = {
        **{"samples": np.zeros(6400, np.float32), "lead": 2, "fresh": 38, "left": 40},
        **{"ahead": 2, "heard": 80, "length": 5, "chunk": 3, "kept_frames": 6},
    }
    return StepRow(past=past, **(told | other))


def test_numbers_for_the_device():
    """By name, as the device reads them."""
    ring = Ring(SIZE, Numbered(7))
    past = DevicePast(ring, None, frames=20, filled=5, log_mels=160, before=40, ahead=2)
    given = row(past).numbers(SIZE, 9)
    assert len(given) == FACTS == len(fields(Told))
    told = dict(zip((each.name for each in fields(Told)), given, strict=True))
    assert told == {
        **{"size": 6400, "lead": 2, "fresh": 38, "fresh_at": 34, "window_at": 120, "left": 40},
        **{"new": 40, "heard": 80, "look_back": 8, "ring": 7, "frames": 4, "filled": 5},
        **{"chunk": 3, "stored": 3, "convolved": NOTHING, "next_convolved": 9},
    }


def test_a_stream_that_begins_has_no_look_back():
    past = DevicePast(Ring(SIZE, Numbered(7)))
    given = row(past, left=0, lead=0, ahead=0, fresh=40).numbers(SIZE, 9)
    assert given[8] == 0


def test_the_past_after_a_step():
    ring, slot = Ring(SIZE, Numbered(7)), Numbered(9)
    past = DevicePast(ring, None, frames=20, filled=5, log_mels=160, before=40, ahead=2)
    after = row(past).past_after(slot)
    assert (after.ring, after.convolved) == (ring, slot)
    assert (after.frames, after.filled) == (23, 6)
    assert (after.log_mels, after.before) == (184, 64)
    assert after.ahead < 16
    assert after.serial != past.serial
