from dataclasses import replace

import numpy as np
import pytest

from benchmarks.fleet.engine_model import EngineModel, LatenessByLoad, lateness, slots

ENGINE = EngineModel("engine", 0.48, 0.02, 0.01, overhead_s=0.005)


def test_a_stream_alone_is_late_by_its_step():
    late_s = lateness(ENGINE, [1.0], 60, 0)
    assert len(late_s) == 125
    assert late_s == pytest.approx(0.02 + 0.01 + 0.005)


def test_streams_that_are_ready_share_a_step():
    # Of 12 streams within 0.48 s, each step of k takes 0.02 + 0.01 k, so some meet.
    late_s = lateness(ENGINE, [1.0] * 12, 60, 0)
    assert late_s.min() >= 0.035 - 1e-9
    assert late_s.max() < 0.02 + 0.12 + 0.14


def test_no_step_takes_more_than_are_allowed():
    alone = replace(ENGINE, most_batch=1, fixed_s=0.0, per_stream_s=0.02)
    together = replace(alone, most_batch=32)
    # Without a fixed part nothing is gained by sharing, and all wait for the last one.
    assert lateness(alone, [1.0] * 20, 60, 0).mean() <= lateness(together, [1.0] * 20, 60, 0).mean()


def test_beyond_its_load_lateness_grows_without_end():
    streams = ENGINE.streams_at(1.5, 1.0)
    minute, hour = (lateness(ENGINE, [1.0] * streams, seconds, 0).max() for seconds in (60, 600))
    assert hour > 5 * minute


def test_quiet_streams_have_few_steps():
    for speech in (0.1, 0.5, 0.9):
        ready = len(lateness(ENGINE, [speech] * 50, 480, 0))
        assert ready == pytest.approx(50 * 1000 * speech, rel=0.1)


def test_load_is_that_of_the_engines_admission():
    from parakeet_streaming.live.admission import Admission
    from parakeet_streaming.live.demand import StreamCost

    admission = Admission()
    for streams in (1, 2, 4, 8, 16, 32):
        for window_s in (1.0, 6.0):
            seconds = 0.02 + 0.003 * streams + 0.001 * window_s * streams
            admission.measured(window_s * streams, seconds, streams)
    model = EngineModel("engine", 0.48, 0.02, 0.009)
    for stream in range(20):
        admission.admit(stream, StreamCost(1 / 0.48, 6.0 / 0.48))
    assert model.load(20, 20) == pytest.approx(admission.load, rel=0.02)


def test_voice_activity_takes_time_of_quiet_streams_too():
    model = replace(ENGINE, listening_share=0.01)
    assert model.load(10, 0) == pytest.approx(0.1)
    assert lateness(model, [1.0] * 10, 60, 0).mean() > lateness(ENGINE, [1.0] * 10, 60, 0).mean()


def test_slots_keep_the_load_and_the_lateness():
    found = slots(ENGINE)
    assert ENGINE.load(found, found) <= 0.9
    assert ENGINE.load(found + 1, found + 1) > 0.9
    slow = replace(ENGINE, overhead_s=0.45)
    assert slots(slow) < found
    assert slots(replace(ENGINE, overhead_s=0.6)) == 0


def test_lateness_rises_with_the_load_and_is_kept():
    by_load = LatenessByLoad(ENGINE, (2.25, 2.75))
    medians = [float(np.median(by_load(load))) for load in (0.05, 0.4, 0.8)]
    assert medians == sorted(medians)
    assert by_load(0.4) is by_load(0.4)
