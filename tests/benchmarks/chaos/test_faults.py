"""Faults at random moments: the same for a seed, all kinds, each within its bounds."""

import asyncio
from itertools import pairwise

from benchmarks.chaos.faults import KINDS, SECONDS, Fault, Faults, planned


def test_a_seed_is_a_plan():
    plan = planned(3, 600.0, 5.0)
    assert plan == planned(3, 600.0, 5.0) != planned(4, 600.0, 5.0)
    assert {each.kind for each in plan} == set(KINDS)
    assert all(first.at_s <= second.at_s for first, second in pairwise(plan))
    assert plan[0].at_s > 3.0
    assert plan[-1].at_s < 600.0
    for each in plan:
        least_s, most_s = SECONDS.get(each.kind, (0.0, 0.0))
        assert least_s <= each.seconds <= most_s
        assert 0 <= each.target < 1
    assert planned(3, 60.0, 5.0, ["cut"])[0].kind == "cut"


class Place:
    url, disk = "", None

    def __init__(self, *running):
        self.servers, self.done = running, []

    def running(self):
        return self.servers

    async def kill(self, server, down_s):
        self.done.append(("kill", server, down_s))

    async def drain(self, server, down_s):
        self.done.append(("drain", server, down_s))

    async def freeze(self, server, seconds, *, for_ever):
        self.done.append(("freeze", server, seconds, for_ever))


class Wire:
    def __init__(self):
        self.done = []

    def __getattr__(self, name):
        return lambda *given: self.done.append((name, *given))


def test_each_is_done_to_what_it_is_for():
    place, wires = Place(7, 8), [Wire(), Wire()]
    faults = [
        Fault(0.0, "kill", 0.9, 0.5), Fault(0.0, "scale", 0.0, 2.0), Fault(0.0, "stop", 0.6, 3.0),
        Fault(0.0, "cut", 0.6), Fault(0.0, "hang", 0.0), Fault(0.0, "delay", 0.0, 0.01, 0.3),
        Fault(0.0, "disk", 0.0), Fault(0.01, "cut all", 0.0),
    ]  # fmt: skip
    does = Faults(place, wires)
    asyncio.run(does.do(faults, 0.0))
    assert place.done == [("kill", 8, 0.5), ("drain", 7, 2.0), ("freeze", 8, 3.0, True)]
    assert wires[1].done == [("cut",), ("cut",)]
    assert ("freeze",) in wires[0].done
    assert ("delay", 0.3) in wires[0].done
    assert ("delay", 0.0) in wires[0].done
    assert [each.kind for each in does.left_out] == ["disk"]
    assert sorted(each.fault.kind for each in does.done) == [
        "cut", "cut all", "delay", "hang", "kill", "scale", "stop",
    ]  # fmt: skip


def test_nobody_there_is_left_out():
    for place, outages in ((Place(), True), (Place(7), False)):
        does = Faults(place, [Wire()], outages=outages)
        asyncio.run(does.do([Fault(0.0, "kill", 0.5)], 0.0))
        assert len(does.left_out) == 1
