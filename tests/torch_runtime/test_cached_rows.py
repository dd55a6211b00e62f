"""What a step does with windows, in numbers."""

from dataclasses import fields, replace

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

import numpy as np

from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.torch_runtime.cached_rows import (
    FACTS,
    StepPlan,
    StepRow,
    Told,
    by_kind,
    facts_of,
    pasts_after,
)
from parakeet_streaming.torch_runtime.device_past import DevicePast, Ring, RingSize
from parakeet_streaming.torch_runtime.slots import NOTHING

SIZE = RingSize(16, 128)
FRAME = 1280


class Numbered:
    """A slot."""

    def __init__(self, number):
        self.number = number


def a_plan(**other):
    """Of a step of five frames, three of which are the chunk."""
    told = {
        **{"cut": 6400, "samples": 6400, "lead": 2, "fresh": 38, "left": 40, "ahead": 2},
        **{"new": 40, "heard": 80, "length": 5, "chunk": 3, "stored": 3, "filled": 5},
        **{"filled_after": 6, "chunk_end": 64, "ahead_after": 15, "least": SIZE, "usual": SIZE},
    }
    return StepPlan(**(told | other))


def a_row(past, **other):
    return StepRow(0, a_plan(**other), past, np.zeros(6400, np.float32))


def test_numbers_for_the_device():
    """By name, as the device reads them."""
    past = DevicePast(Ring(SIZE, Numbered(7)), None, frames=20, log_mels=160)
    later = replace(past, convolved=Numbered(3), frames=21)
    given = facts_of([a_row(past), a_row(later)], SIZE, [Numbered(9), Numbered(8)])
    assert given.shape == (2, FACTS)
    assert len(fields(Told)) == FACTS
    told = dict(zip((each.name for each in fields(Told)), given[0].tolist(), strict=True))
    assert told == {
        **{"size": 6400, "lead": 2, "fresh": 38, "fresh_at": 34, "window_at": 120, "left": 40},
        **{"new": 40, "heard": 80, "look_back": 8, "ring": 7, "frames": 4, "filled": 5},
        **{"chunk": 3, "stored": 3, "convolved": NOTHING, "next_convolved": 9},
    }
    assert given[1, [10, 14, 15]].tolist() == [5, 3, 8]


def test_a_stream_that_begins_has_no_look_back():
    past = DevicePast(Ring(SIZE, Numbered(7)))
    given = facts_of([a_row(past, left=0, lead=0, ahead=0, fresh=40)], SIZE, [Numbered(9)])
    assert given[0, 8] == 0


def test_the_past_after_a_step():
    ring, slot = Ring(SIZE, Numbered(7)), Numbered(9)
    past = DevicePast(ring, None, frames=20, filled=5, log_mels=160, before=40, ahead=2)
    (after,) = pasts_after([a_row(past)], [slot])
    assert (after.ring, after.convolved) == (ring, slot)
    assert (after.frames, after.filled) == (23, 6)
    assert (after.log_mels, after.before) == (184, 64)
    assert after.ahead == 15
    assert after.serial != past.serial


def window(left, chunk, right, past=None, kept=6, tail=0):
    samples = np.zeros((left + chunk + right) * FRAME, np.float32)
    return EncoderInput(samples, left * FRAME, chunk * FRAME, kept, past, tail)


def test_the_plan_of_a_first_window():
    plan = StepPlan.of(window(0, 3, 2), DevicePast())
    assert (plan.cut, plan.samples, plan.lead, plan.fresh) == (0, 5 * FRAME, 0, 40)
    assert (plan.left, plan.ahead, plan.new, plan.heard) == (0, 0, 40, 40)
    assert (plan.length, plan.chunk, plan.stored, plan.filled_after) == (5, 3, 3, 3)
    assert plan.chunk_end == 24
    assert 0 < plan.ahead_after < 16
    assert plan.usual.rounded().holds(plan.least)


def test_the_plan_of_a_window_whose_left_context_is_full():
    """Log-mels of what the step before has heard are not made again, but for a few."""
    first = StepPlan.of(window(0, 3, 2), DevicePast())
    past = DevicePast(filled=6, before=48, ahead=first.ahead_after)
    plan = StepPlan.of(window(6, 3, 2, past), past)
    assert (plan.left, plan.ahead, plan.new) == (48, first.ahead_after, 40)
    assert (plan.filled, plan.filled_after, plan.stored) == (6, 6, 3)
    assert plan.cut == 6 * FRAME + (plan.ahead - plan.lead) * 160
    assert plan.samples == 11 * FRAME - plan.cut
    assert plan.ahead_after == first.ahead_after


def test_rows_of_one_kind_go_together():
    """Whatever their sound, place and number; all that a plan depends on parts them."""
    past = DevicePast(Ring(SIZE, Numbered(7)), None, 20, 6, 160, 48, 15)
    others = [
        replace(past, filled=5),
        replace(past, before=40),
        replace(past, ahead=14),
        replace(past, ring=Ring(RingSize(32, 128), Numbered(7))),
    ]
    same = replace(past, ring=Ring(RingSize(16, 128), Numbered(8)), frames=99, log_mels=7, serial=1)
    inputs = [
        window(6, 3, 2, past),
        *[window(6, 3, 2, each) for each in others],
        window(6, 3, 2),
        window(6, 3, 1, past),
        window(5, 4, 2, past),
        window(5, 3, 3, past),
        window(6, 3, 2, past, kept=7),
        window(6, 3, 2, past, tail=5),
        window(6, 3, 2, same),
    ]
    kinds = by_kind(inputs, range(len(inputs)))
    last = len(inputs) - 1
    assert kinds == [[0, last], *([at] for at in range(1, last))]
    assert by_kind(inputs, [3, 5]) == [[3], [5]]
    assert by_kind(inputs, []) == []
