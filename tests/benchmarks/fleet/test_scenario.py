from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.scaling import Seen
from benchmarks.fleet.scenario import (
    FULL_SIZE,
    Replicas,
    day,
    late,
    lost_time,
    overbooked,
    share,
    steady,
)


def test_the_full_size_model_is_as_its_page_says():
    """The page has 20, without voice activity; of callers at any moment, more meet by chance."""
    replicas = Replicas.of(FULL_SIZE)
    assert 17 <= replicas.slots <= 20
    plan = day(replicas, 1_000)
    twice = overbooked(plan, replicas, 2.0)
    assert (twice.slots, twice.admission.slots) == (2 * plan.slots, 2 * plan.slots)
    assert replicas.streams_by_load(plan.demand) > 1.8 * plan.slots


def test_so_many_replicas_that_a_part_of_all_slots_is_taken():
    replicas = Replicas.of(FULL_SIZE)
    plan = steady(replicas, 1_000, 0.8, 60)
    assert plan.scaling.wanted(Seen(0, 0, 1)) * replicas.slots * 0.8 >= 1_000


def test_how_figures_are_written():
    replicas = Replicas.of(FULL_SIZE)
    assert (share(0.0), share(0.0001), share(0.25)) == ("0.0 %", "0.010 %", "25.0 %")
    assert lost_time(Outcome()) == ("–", "–")
    assert lost_time(Outcome(lost_s=[1.0, 1.0])) == ("1.0 s", "1.0 s")
    assert late(Outcome(), replicas.lateness(day(replicas, 9).demand)) == ("0 ms", "0 ms")
