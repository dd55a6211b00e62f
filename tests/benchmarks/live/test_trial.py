import json
from types import SimpleNamespace

import pytest

from benchmarks.live.arrivals import PACKET_SAMPLES, Source
from benchmarks.live.trial import Cut, Held, Listener
from parakeet_streaming import ContextConfig, Partial

CONTEXT = ContextConfig.parse("0.8-0.4-0.4")
PARTIAL = Partial("", (), "", (), 0.0, 0.0)


def listener(starts_s=0.0, context=CONTEXT):
    clock = SimpleNamespace(now_s=0.0)
    clock.now = lambda: clock.now_s
    return Listener(Source(starts_s, 0), Cut.of(context), clock), clock


def test_lengths_are_floored_to_frames():
    assert Cut.of(ContextConfig.parse("2-0.25-0.25")) == Cut(32_000, 3_840, 3_840)
    assert Cut.of(CONTEXT).warm_up_s == pytest.approx(5 * 0.4 + 0.4)


def test_a_chunk_is_due_half_a_second_after_its_right_context():
    found, _ = listener(10.0, ContextConfig.parse("2-0.4-0.8"))
    assert found.spoken_s(0) == pytest.approx(11.2)
    assert found.spoken_s(3) == pytest.approx(12.4)


def test_chunks_before_the_left_context_is_full_do_not_count():
    found, clock = listener()
    clock.now_s = 99.0
    for _ in range(3):
        found.take(PARTIAL)
    assert found.late_s == []
    assert not found.carried
    clock.now_s = found.spoken_s(3) + 0.25
    found.take(PARTIAL)
    assert found.late_s == pytest.approx([0.25])
    assert found.carried
    found.give_up_until(found.spoken_s(4) + 0.6)
    assert found.chunks == 5
    assert found.late_s[1:] == pytest.approx([0.6])
    assert not found.carried


def test_one_chunk_of_a_hundred_may_be_late():
    found, _ = listener()
    found.late_s = [0.1] * 99 + [0.6]
    assert found.carried
    found.late_s = [0.1] * 98 + [0.6]
    assert not found.carried


def test_figures_of_a_real_engine(run):
    done = run(
        "live.trial", "--context", "0.8-0.4-0.4", "--streams", "2", "--seconds", "1.5",
        "--threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("all_carried") == (found["carried"] == 2)
    held = Held(**found)
    assert held.streams == 2
    # Packets of 20 ms and steps take their time.
    assert 0 < held.late_s[0] < held.late_s[3]
    # Of up to 10 chunks of each stream, those count whose left context is full.
    assert 6 <= held.chunks <= 15
    assert held.streams_a_step >= 1
    assert 0 < held.decoding_share < 1
    assert held.busy_share > 0
    assert held.cores_used > 0
    assert held.refused_samples == 0


def test_a_packet_is_twenty_milliseconds():
    assert PACKET_SAMPLES == 320
