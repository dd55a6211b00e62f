from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fleet.clients import Backoff, Clients
from benchmarks.fleet.demand import Burst, Demand
from benchmarks.fleet.engine_model import EngineModel
from benchmarks.fleet.fleet import Admission
from benchmarks.fleet.placement import POLICIES
from benchmarks.fleet.plan import Drains, Faults, Outage, Plan, Rollout
from benchmarks.fleet.scaling import Fixed, Spare
from benchmarks.fleet.simulation import simulate

ENGINE = EngineModel("engine", 0.48, 0.02, 0.016)
SLOTS = 10
ONE_TRY = Clients(patience_s=0)


def erlang_b(servers, offered):
    """The part of calls that a group without a queue loses."""
    lost = 1.0
    for each in range(1, servers + 1):
        lost = offered * lost / (each + offered * lost)
    return lost


def plan(streams=50.0, replicas=5, lasts_s=40_000.0, **more):
    """A steady rate of short sessions on a fixed number of replicas."""
    demand = Demand(streams, median_s=25.0, sigma=0.7, night=1.0)
    return Plan(
        demand, ENGINE, SLOTS, Admission(SLOTS), Fixed(replicas), edge_tries=1, clients=ONE_TRY,
        lasts_s=lasts_s, **more,
    )  # fmt: skip


def test_one_group_of_slots_loses_as_many_as_erlang_says():
    outcome = simulate(plan(), 1)
    assert outcome.arrived > 60_000
    assert outcome.gave_up == outcome.refused_at_first
    assert outcome.refused_share == pytest.approx(erlang_b(50, 50.0), abs=0.005)


def test_replicas_that_are_chosen_at_random_are_groups_of_their_own():
    outcome = simulate(plan(placement="random"), 2)
    assert outcome.refused_share == pytest.approx(erlang_b(SLOTS, 10.0), abs=0.007)


def test_a_group_that_is_large_enough_loses_nobody_and_little_holds():
    outcome = simulate(plan(replicas=12), 3)
    assert outcome.refused_at_first == 0
    mean = outcome.totals.stream_s / 40_000.0
    assert mean == pytest.approx(50.0, rel=0.02)
    assert outcome.replica_hours_per_stream_hour == pytest.approx(12 / mean)


def test_equal_seeds_give_equal_outcomes():
    eventful = replace(
        plan(lasts_s=4_000.0),
        faults=Faults(2_000.0, (Outage(500.0, 0.4),), (Rollout(2_000.0),)),
        scaling=Spare(0.1, 5),
        balancers=2,
        placement="power of two choices",
    )
    assert simulate(eventful, 7) == simulate(eventful, 7)
    assert simulate(eventful, 7) != simulate(eventful, 8)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(POLICIES)), st.integers(1, 3), st.booleans(), st.booleans(),
    st.floats(0, 60), st.floats(0, 1), st.floats(5, 300), st.integers(0, 99),
)  # fmt: skip
def test_whatever_happens_everybody_is_accounted_for(
    placement, balancers, by_load, moves, spread_s, silent, starts_in_s, seed
):
    eventful = Plan(
        Demand(40, median_s=60.0, sigma=1.0, burst=Burst(300.0, 200.0, 3.0)),
        ENGINE,
        SLOTS,
        Admission(None, 0.9) if by_load else Admission(SLOTS, kept=1),
        Spare(0.1, 5),
        placement,
        balancers,
        clients=Clients(Backoff(), silent_share=silent, keeps_s=60.0),
        faults=Faults(600.0, (Outage(200.0, 0.5),), (Rollout(500.0, 0.3),)),
        drains=Drains(moves, spread_s, 45.0),
        starts_in_s=starts_in_s,
        lasts_s=1_200.0,
    )
    outcome = simulate(eventful, seed)
    assert outcome.balance == 0
    assert outcome.waiting >= 0
    assert outcome.open >= 0
    assert outcome.arrived > 0
    assert sum(outcome.attempts.values()) >= outcome.refusals
    assert len(outcome.lost_s) == len(outcome.lost_speech)
    assert all(each >= 0 for each in outcome.lost_s)


def test_replicas_die_as_often_as_they_are_said_to():
    outcome = simulate(replace(plan(replicas=12), faults=Faults(lives_s=4_000.0)), 4)
    # Each of 12 lives for 4,000 s on average and is back after 90 s.
    assert outcome.deaths == pytest.approx(12 * 40_000 / 4_090, rel=0.25)
    assert outcome.lost_s


def test_a_loss_is_over_when_the_stream_has_caught_up():
    clients = Clients(Backoff(1, 1, 1, "none"), silent_share=0.0)
    lossy = replace(
        plan(replicas=20, lasts_s=1_000.0),
        faults=Faults(outages=(Outage(500.0, 0.2),)),
        clients=clients,
    )
    outcome = simulate(lossy, 5)
    assert outcome.deaths == 4
    assert outcome.lost == 0
    assert min(outcome.lost_s) > 1.0
    assert max(outcome.lost_s) < 5.0
    noticed_late = replace(lossy, clients=replace(clients, silent_share=1.0, notices_s=(9.0, 10.0)))
    assert min(simulate(noticed_late, 5).lost_s) > 10.0


def test_audio_that_a_client_cannot_keep_is_lost():
    clients = Clients(silent_share=1.0, notices_s=(90.0, 110.0), keeps_s=60.0)
    lossy = replace(
        plan(replicas=20, lasts_s=1_000.0),
        faults=Faults(outages=(Outage(500.0, 0.2),)),
        clients=clients,
    )
    outcome = simulate(lossy, 5)
    assert not outcome.lost_s
    assert outcome.lost > 0


def test_a_rollout_of_streams_that_move_loses_nothing():
    moving = replace(
        plan(replicas=8, lasts_s=3_000.0),
        faults=Faults(rollouts=(Rollout(100.0, 0.25),)),
        drains=Drains(True, 20.0, 60.0),
    )
    outcome = simulate(moving, 6)
    assert outcome.moved > 20
    assert not outcome.lost_s
    assert outcome.lost == 0
    assert outcome.deaths == 0
    cut = simulate(replace(moving, drains=Drains(False, 0.0, 0.0)), 6)
    assert len(cut.lost_s) + cut.waiting > 20
    assert cut.moved == 0


def test_more_are_started_for_a_burst_and_fewer_are_kept_after_it():
    bursting = replace(
        plan(lasts_s=6_000.0),
        demand=Demand(50, median_s=60.0, night=1.0, burst=Burst(1_000.0, 1_000.0, 4.0)),
        scaling=Spare(0.1, 10),
        clients=Clients(),
    )
    outcome = simulate(bursting, 9)
    assert outcome.most_streams > 100
    assert outcome.most_replicas > 11
    assert outcome.moved > 0
    late = simulate(replace(bursting, starts_in_s=600.0), 9)
    assert late.refused_share > outcome.refused_share
