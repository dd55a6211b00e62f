"""Streams that speak while servers are killed, drained, frozen and cut off tell what they would."""

import asyncio
from importlib.util import find_spec

import pytest

from benchmarks.chaos.balancer import haproxy_program
from benchmarks.chaos.faults import Fault
from benchmarks.chaos.places import plain_servers
from benchmarks.chaos.running import ran, speakers_of
from parakeet_streaming.client import Resuming

SETTINGS = {"model": "tiny-en", "fixed": True, "max_streams": 32, "threads": 1, "drain_s": 8}
QUICK = Resuming(first_wait_s=0.2, most_wait_s=1.0, checkpoints_s=1.0, silent_s=3.0)
FAULTS = [
    Fault(3.0, "cut", 0.1), Fault(3.5, "hang", 0.3), Fault(4.0, "kill", 0.2, 0.5),
    Fault(5.0, "delay", 0.5, 2.0, 0.3), Fault(5.5, "disk", 0.0, 3.0), Fault(6.0, "pause", 0.7, 1.0),
    Fault(9.0, "freeze", 0.2, 1.0), Fault(10.5, "cut all", 0.0), Fault(11.0, "drain", 0.9, 0.5),
]  # fmt: skip


def outcome_at(place_of):
    async def run():
        speakers = speakers_of(6, 14.0, 7, (16_000, 16_000, 8_000), "5-0.5-0.5")
        async with place_of() as place:
            return await ran(place, speakers, FAULTS, QUICK)

    outcome = asyncio.run(run())
    assert [each.error for each in outcome.speakers] == [None] * 6
    for verdict in outcome.verdicts:
        assert verdict.is_right, verdict
    return outcome


def test_nothing_is_lost_doubled_or_changed():
    where = "plain" if haproxy_program() is None else "haproxy"
    outcome = outcome_at(lambda: plain_servers(where, SETTINGS))
    assert len(outcome.done) + len(outcome.left_out) == len(FAULTS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")
def test_nor_by_replicas_in_ray():
    from benchmarks.chaos.ray_place import ray_replicas

    outcome_at(lambda: ray_replicas(SETTINGS))
