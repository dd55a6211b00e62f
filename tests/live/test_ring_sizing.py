"""Rings large enough for what arrives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.ring import sample_ring
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.ring_sizing import ring_capacity
from parakeet_streaming.timeline import ContextConfig

HALF_SECONDS = ContextConfig(left=5, chunk=0.48, right=0.48)


def test_the_formula():
    assert ring_capacity(HALF_SECONDS, burst_s=0.1, step_s=0.2) == 16_000 * 1.56
    assert ring_capacity(HALF_SECONDS, burst_s=0.1, step_s=0.2, safety=1) == 16_000 * 1.26


def test_it_counts_at_16_khz_whatever_the_rate_of_the_source():
    context = ContextConfig(5, 0.48, 0.48, sample_rate=48_000)
    assert ring_capacity(context, burst_s=0, step_s=0) == 16_000 * 0.96


def test_seconds_are_those_that_are_used():
    """0.5 s is 0.48 s in whole frames; the left context does not matter."""
    context = ContextConfig(left=99, chunk=0.5, right=0.5)
    assert ring_capacity(context, burst_s=0, step_s=0) == 16_000 * 0.96


@pytest.mark.parametrize(
    "options",
    [{"burst_s": -1}, {"step_s": math.nan}, {"step_s": math.inf}, {"safety": 0.9},
     {"safety": math.nan}, {"safety": 1e9}, {"burst_s": 1e300}, {"step_s": 601}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(OptionError, match="use"):
        ring_capacity(HALF_SECONDS, **{"burst_s": 0.1, "step_s": 0.1} | options)


@given(
    blocks=st.lists(st.floats(0.005, 0.2), min_size=1, max_size=40),
    steps=st.lists(st.floats(0.0, 0.4), min_size=1, max_size=10),
)
def test_a_ring_of_that_size_refuses_nothing(blocks, steps):
    """A source hands over blocks as they are recorded; a worker computes after each window."""
    window_s = HALF_SECONDS.latency_s
    capacity = ring_capacity(HALF_SECONDS, burst_s=max(blocks), step_s=max(steps), safety=1)
    writer, reader = sample_ring(capacity + len(blocks))  # a block is rounded to whole samples
    now_s, free_at_s, number = 0.0, 0.0, 0
    for block_s in blocks * 5:
        now_s += block_s
        if now_s >= free_at_s and writer.occupancy >= window_s * 16_000:
            reader.read()
            free_at_s = now_s + steps[number % len(steps)]
            number += 1
        writer.write(np.zeros(round(block_s * 16_000), np.float32))
    assert writer.refused == 0
