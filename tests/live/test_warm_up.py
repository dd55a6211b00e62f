"""Before the second stream is let in, it is known what steps take."""

import logging
import threading
import time

import pytest

from parakeet_streaming import load, load_vad
from parakeet_streaming.live.step_costs import CostModel
from parakeet_streaming.live.warm_up import KINDS, WarmUp
from parakeet_streaming.testing import FakePieces, HandClock, ScriptedDecoderJoint, recognizer_of
from tests.live.by_hand import WORDS, SlowEncoder


class OfKnownCost(SlowEncoder):
    """Each stream of a step takes a time of its own; the first step of all takes a minute more."""

    def __init__(self, clock, per_stream_s=0.007, cost_s=0.004, first_s=60.0, longest_s=None):
        super().__init__(clock, cost_s)
        self.max_samples = None if longest_s is None else round(longest_s * 16_000)
        self.per_stream_s, self.first_s = per_stream_s, first_s

    def encode(self, inputs):
        self.clock.now_s += self.per_stream_s * len(inputs) + (0 if self.calls else self.first_s)
        return super().encode(inputs)


def measured(encoder, clock, vad=None):
    recognizer = recognizer_of(encoder, ScriptedDecoderJoint([], len(WORDS)), FakePieces(WORDS))
    steps, vads = [], []
    WarmUp(
        recognizer,
        vad,
        clock,
        lambda *step: steps.append(step),
        lambda *judged: vads.append(judged),
    ).run()
    return steps, vads


def test_the_cost_of_an_encoder_is_found_before_anybody_has_spoken():
    clock = HandClock()
    steps, _ = measured(OfKnownCost(clock, first_s=0.5), clock)
    assert len(steps) == len(KINDS)
    model = CostModel()
    for step in steps:
        model.measured(*step)
    assert model.parts == pytest.approx((0.0, 0.007, 0.004), abs=1e-4)


def test_a_slow_machine_is_measured_for_a_few_seconds():
    clock = HandClock()
    steps, _ = measured(OfKnownCost(clock, per_stream_s=0.5, cost_s=1.0, first_s=0.0), clock)
    assert 0 < len(steps) < len(KINDS)
    assert clock.now_s < 15


def test_windows_are_no_longer_than_the_model_can_take():
    clock = HandClock()
    encoder = OfKnownCost(clock, longest_s=2.0)
    measured(encoder, clock)
    assert max(max(call) for call in encoder.calls) <= 32_000


def test_a_clock_that_stands_still_measures_nothing():
    clock = HandClock()
    steps, vads = measured(OfKnownCost(clock, 0.0, 0.0, 0.0), clock, load_vad())
    assert (steps, vads) == ([], [])


def test_what_fails_here_is_left_to_the_streams(caplog):
    class Broken(SlowEncoder):
        def encode(self, inputs):
            raise MemoryError("no room")

    clock = HandClock()
    with caplog.at_level(logging.WARNING):
        assert measured(Broken(clock), clock) == ([], [])
    assert "no room" in caplog.text


def test_the_real_model_is_measured():
    steps, vads = [], []
    WarmUp(
        load("tiny-en"),
        load_vad(),
        time.perf_counter,
        lambda *step: steps.append(step),
        lambda *judged: vads.append(judged),
    ).run()
    assert steps
    assert len(vads) == 1
    assert all(took_s > 0 for _, took_s, _ in steps)


def test_whoever_waits_says_so_and_is_let_go_where_it_is_given_up():
    clock, roused = HandClock(), threading.Event()
    recognizer = recognizer_of(
        OfKnownCost(clock), ScriptedDecoderJoint([], len(WORDS)), FakePieces(WORDS)
    )
    warm_up = WarmUp(recognizer, None, clock, lambda *_: None, lambda *_: None)
    waiting = threading.Thread(target=warm_up.wait, args=(roused.set,))
    waiting.start()
    assert roused.wait(60)
    assert warm_up.wanted
    assert not warm_up.over
    warm_up.give_up()
    waiting.join(60)
    assert not waiting.is_alive()
