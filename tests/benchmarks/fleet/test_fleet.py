import random

import pytest

from benchmarks.fleet.engine_model import EngineModel
from benchmarks.fleet.fleet import Admission, Fleet, Phase, Stream
from benchmarks.fleet.placement import POLICIES

ENGINE = EngineModel("engine", 0.5, 0.0, 0.05)
"""Each stream that speaks takes a tenth of the time."""


def fleet(slots=3, replicas=1, **more):
    made = Fleet(ENGINE, Admission(slots, **more), [POLICIES["least connections"](random, 3)])
    for _ in range(replicas):
        made.ready(made.start(0.0))
    return made


def stream(key=0, speech=0.5):
    return Stream(key, 60.0, speech, 0.0)


def test_a_replica_lets_in_as_many_as_it_has_slots():
    made = fleet(slots=2)
    assert [made.place(stream(key), 0, 0, 1) is not None for key in range(3)] == [True, True, False]
    assert made.open_streams == 2


def test_slots_may_be_kept_for_streams_that_were_in():
    made = fleet(slots=2, kept=1)
    assert made.place(stream(), 0, 0, 1)
    assert made.place(stream(), 0, 0, 1) is None
    back = stream()
    back.ends_s = 99.0
    assert made.place(back, 0, 0, 1)


def test_by_load_a_new_stream_counts_in_full_for_a_while():
    made = fleet(slots=None, most_load=0.9)
    streams = [stream(key) for key in range(30)]
    at_once = [each for each in streams if made.place(each, 0.0, 0, 1)]
    assert len(at_once) == 9
    later = [each for each in streams[9:] if made.place(each, 15.0, 0, 1)]
    # 9 streams that speak for half of their time leave room for 4.5 more in full.
    assert len(later) == 4
    both = fleet(slots=3, most_load=0.9)
    assert sum(both.place(each, 0.0, 0, 1) is not None for each in map(stream, range(9))) == 3


def test_a_replica_that_starts_drains_or_is_gone_takes_nobody():
    made = fleet(replicas=0)
    replica = made.start(0.0)
    assert made.place(stream(), 0, 0, 1) is None
    made.ready(replica)
    assert made.place(stream(), 0, 0, 1) is replica
    made.drain(replica)
    made.drain(replica)
    assert made.place(stream(), 0, 0, 1) is None
    assert (made.count(Phase.DRAINING), made.count(Phase.READY)) == (1, 0)
    assert len(made.remove(replica, 10.0)) == 1
    assert made.open_streams == 0
    assert made.totals.replica_s == 10.0


def test_a_stream_that_moves_leaves_where_it_was():
    made = fleet(replicas=2)
    moving = stream()
    old = made.place(moving, 0, 0, 1)
    made.drain(old)
    new = made.place(moving, 5.0, 0, 1)
    assert new is not old
    assert (len(old.streams), len(new.streams), made.open_streams) == (0, 1, 1)


def test_speech_is_counted_under_the_load_that_there_was():
    made = fleet()
    first, second = stream(0, 0.5), stream(1, 1.0)
    made.place(first, 0.0, 0, 1)
    made.place(second, 10.0, 0, 1)
    made.leave(first, 14.0)
    made.close(20.0)
    assert made.totals.stream_s == pytest.approx(10 + 2 * 4 + 6)
    seconds = {at: spoken for at, spoken in enumerate(made.totals.speech_s) if spoken}
    assert seconds == pytest.approx({5: 5.0, 15: 1.5 * 4, 10: 6.0}, abs=1e-9)
    assert made.totals.replica_s == 20.0


def test_who_comes_back_gets_the_time_that_is_left():
    made = fleet(slots=9)
    replica = made.place(stream(0, 1.0), 0, 0, 1)
    # 10 s of speech take 1 s of computing, in nine tenths of the time.
    assert made.catch_up_s(replica, 10.0, 1.0, 0.0) == pytest.approx(1 / 0.9)
    assert made.catch_up_s(replica, 10.0, 1.0, 0.5) == pytest.approx(2 / 0.9)
    assert made.catch_up_s(replica, 10.0, 1.0, 60.0) == pytest.approx(1 / 0.9)


def test_a_refused_stream_is_sent_to_another_replica():
    made = fleet(slots=1, replicas=2)
    assert made.place(stream(), 0, 0, 1)
    assert made.place(stream(), 0, 0, 2)
    assert made.place(stream(), 0, 0, 2) is None
