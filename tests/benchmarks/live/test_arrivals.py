import numpy as np
import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.live.scheduler import BatchLimits


class FakeClock:
    """Time that passes only where it is waited for, or spent."""

    def __init__(self):
        self.seconds = 100.0

    def now(self):
        return self.seconds

    def wait_until(self, when_s):
        assert when_s > self.seconds
        self.seconds = when_s


class Costly:
    """A recognizer whose steps take `step_s` and `each_s` more for each stream."""

    def __init__(self, recognizer, clock, step_s, each_s):
        self.recognizer, self.clock = recognizer, clock
        self.step_s, self.each_s = step_s, each_s

    def stream(self, *given, **options):
        return self.recognizer.stream(*given, **options)

    def step(self, streams):
        assert all(stream.window.ready for stream in streams)
        self.clock.seconds += self.step_s + self.each_s * len(streams)
        return self.recognizer.step(streams)


@pytest.fixture(scope="module")
def pacing(program):
    return program("pacing")


@pytest.fixture
def trial(pacing, golden_recognizer):
    def trial(streams, step_s, each_s=0.0, trial_s=4.0, limits=None):
        clock = FakeClock()
        course = pacing.Course(
            Costly(golden_recognizer, clock, step_s, each_s),
            ContextConfig.parse("0.8-0.4-0.4"),
            cached=False,
            book=np.zeros(16_000, np.float32),
            limits=limits or BatchLimits(),
            seed=0,
        )
        return pacing.carry(course, streams, trial_s, clock)

    return trial


def test_a_chunk_is_due_half_a_second_after_its_right_context(pacing, golden_recognizer):
    stream = golden_recognizer.stream(ContextConfig.parse("2-0.4-0.8"))
    speaker = pacing.Speaker(10.0, 0, stream)
    assert speaker.spoken_s(0) == pytest.approx(11.2)
    assert speaker.spoken_s(3) == pytest.approx(12.4)
    # One sample more than the right context, which comes with the packet behind it.
    assert speaker.complete_s(0) == pytest.approx(11.22)
    assert speaker.arrived(speaker.complete_s(0)) == 61 * pacing.PACKET_SAMPLES
    assert speaker.arrived(11.219) == 60 * pacing.PACKET_SAMPLES
    assert speaker.arrived(9.0) == 0


def test_chunks_before_the_left_context_is_full_do_not_count(pacing, golden_recognizer):
    stream = golden_recognizer.stream(ContextConfig.parse("0.8-0.4-0.4"))
    speaker = pacing.Speaker(0.0, 0, stream)
    for _ in range(3):
        speaker.decoded(99.0)
    assert speaker.late_s == []
    speaker.decoded(speaker.spoken_s(3) + 0.25)
    assert speaker.late_s == pytest.approx([0.25])
    assert speaker.in_time == 1.0
    speaker.miss_until(speaker.spoken_s(4) + 0.6)
    assert speaker.chunks == 5
    assert speaker.late_s[1:] == pytest.approx([0.6])
    assert speaker.in_time == 0.5


def test_a_quick_engine_is_as_late_as_its_packets_and_steps(trial):
    held = trial(1, step_s=0.03)
    assert held.carried == 1
    assert len(held.late_s) >= 10
    assert held.late_s == pytest.approx([0.05] * len(held.late_s))
    assert set(held.batches) == {1}
    assert held.busy_s == pytest.approx(0.03 * len(held.batches))


def test_streams_come_at_different_moments_and_share_steps_when_the_engine_is_busy(trial):
    assert max(trial(4, step_s=0.001).batches) == 1
    busy = trial(4, step_s=0.2)
    assert max(busy.batches) > 1
    assert busy.carried == 4


def test_an_engine_that_falls_behind_carries_nobody(trial):
    held = trial(2, step_s=0.0, each_s=0.3, limits=BatchLimits(max_streams=1))
    assert held.carried < 2
    assert held.late_s[-1] > 0.5


def test_a_step_that_outlasts_the_trial_leaves_its_chunks_late(trial):
    held = trial(1, step_s=30.0)
    assert held.carried == 0
    assert held.late_s[-1] > 20
