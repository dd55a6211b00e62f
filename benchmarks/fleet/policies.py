"""Which rule for placing, admitting and scaling streams refuses, delays and costs least.

python -m benchmarks.fleet.policies                         all tables; five minutes
python -m benchmarks.fleet.policies placement --streams 10000
python -m benchmarks.fleet.policies scaling --replica REPORT.json --hours 4

Tables: `placement` (a fixed number of replicas at several occupancies), `balancers` (several that
each count for themselves), `admission` (slots, or measured load), `scaling` (a day with a burst, by
how long a new replica takes), `tidying` (placement where replicas come and go). Everything is
simulated; the replica is fitted to REPORT (`fleet.fit`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.fleet.demand import HOUR_S, Demand
from benchmarks.fleet.fleet import Admission
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.placement import POLICIES
from benchmarks.fleet.plan import Drains, Plan
from benchmarks.fleet.scaling import Ahead, Fixed, Occupancy, Scaling, Spare
from benchmarks.fleet.scenario import (
    Replicas,
    add_options,
    admitting,
    day,
    described,
    late,
    lost_time,
    overbooked,
    share,
    steady,
)
from benchmarks.fleet.simulation import simulate
from benchmarks.report.tables import say, table
from parakeet_streaming.live.admission import MOST_LOAD

_OCCUPANCIES: Final = (0.7, 0.8, 0.9)
_STARTS_S: Final = (20.0, 90.0, 300.0)
_TWO_CHOICES: Final = "power of two choices"


@dataclass(frozen=True)
class Asked:
    """What all tables have in common."""

    replicas: Replicas
    streams: float
    hours: float | None
    seed: int

    def steady(self, occupancy: float) -> Plan:
        return steady(self.replicas, self.streams, occupancy, HOUR_S * (self.hours or 2))

    def day(self) -> Plan:
        plan = day(self.replicas, self.streams)
        if self.hours is None:
            return plan
        return replace(plan, begins_s=12 * HOUR_S, lasts_s=HOUR_S * self.hours)

    def run(self, what: str, plan: Plan) -> Outcome:
        say(what)
        return simulate(plan, self.seed)


def placement_table(asked: Asked) -> str:
    """Each policy at each occupancy: refused with one and with two tries at the edge; lateness."""
    head = ["refused at first, 1 / 2 tries at the edge"]
    for occupancy in _OCCUPANCIES:
        head += [f"{occupancy:.0%} of slots taken", "late: 95 %, 99 %"]
    rows = []
    for name in POLICIES:
        row = [name]
        for occupancy in _OCCUPANCIES:
            plan = replace(asked.steady(occupancy), placement=name)
            once = asked.run(f"{name}, {occupancy:.0%}", replace(plan, edge_tries=1))
            twice = asked.run(f"{name}, {occupancy:.0%}, twice", plan)
            lateness = asked.replicas.lateness(plan.demand)
            row += [
                f"{share(once.refused_share)} / {share(twice.refused_share)}",
                ", ".join(late(twice, lateness)),
            ]
        rows.append(row)
    return table(head, rows)


def balancers_table(asked: Asked) -> str:
    """Least connections and two choices, where balancers do not share their counts."""
    rows = []
    for name in ("least connections", "power of two choices"):
        for count in (1, 2, 4, 16):
            plan = replace(asked.steady(0.9), placement=name, balancers=count)
            once = asked.run(f"{name}, {count} balancers", replace(plan, edge_tries=1))
            twice = asked.run(f"{name}, {count} balancers, twice", plan)
            rows.append((name, count, share(once.refused_share), share(twice.refused_share)))
    return table(("90 % of slots taken", "balancers", "refused, 1 try", "2 tries"), rows)


def admission_table(asked: Asked) -> str:
    """Slots, measured load, or both; for people who speak half of the time, and for others.

    With both, scaling looks at both; with one, at streams.
    """
    rows = []
    replicas = asked.replicas
    for speech, who in (((2.25, 2.75), "45 %"), ((17.0, 3.0), "85 %")):
        plan = asked.steady(0.9)
        plan = replace(plan, demand=replace(plan.demand, speech=speech))
        for name, way in admissions(plan, replicas).items():
            outcome = asked.run(f"{who} speech, {name}", way)
            lateness = replicas.lateness(way.demand)
            rows.append((who, name, way.slots, *_costs(outcome, asked), *late(outcome, lateness)))
    head = (
        "speech", "let in by", "streams a replica", "refused at first", "gave up",
        "replica h / stream h", "late: 95 %", "99 %",
    )  # fmt: skip
    return table(head, rows)


def admissions(plan: Plan, replicas: Replicas) -> dict[str, Plan]:
    """By name. Scaling is told how many streams people of 45 % speech make of it."""
    count = replicas.streams_by_load(Demand(1))
    by_load = admitting(plan, Admission(None, MOST_LOAD), count)
    ways = {"load": by_load, "load, two choices": replace(by_load, placement=_TWO_CHOICES)}
    for times in (1.0, 1.5, 1.75, 2.0):
        slots = round(times * replicas.slots)
        both = overbooked(plan, replicas, times)
        name = f"{times:g} × slots"
        ways[name] = admitting(plan, Admission(slots), slots)
        if times > 1:
            ways[f"{name}, and load"] = replace(both, placement=plan.placement)
            ways[f"{name}, and load, two choices"] = both
    ways["the same, scaled by streams alone"] = replace(both, scaling=Spare(0.1, 2 * slots))
    return ways


def scaling_table(asked: Asked) -> str:
    """A day with a burst: rules for the number of replicas, by how long a new one takes."""
    plan = asked.day()
    rules = scaling_rules(plan)
    head = ["rule"]
    for starts_s in _STARTS_S:
        head += [
            f"new replica in {starts_s:g} s: refused at first",
            "gave up",
            "replica h / stream h",
        ]
    rows = []
    for name, rule in rules.items():
        row = [name]
        for starts_s in _STARTS_S:
            each = replace(plan, scaling=rule, starts_in_s=starts_s)
            row += _costs(asked.run(f"{name}, {starts_s:g} s", each), asked)
        rows.append(row)
    return table(head, rows)


def scaling_rules(plan: Plan) -> dict[str, Scaling]:
    """By name. The forecast knows the day and nothing of the burst."""
    slots, demand = plan.slots, plan.demand
    peak = -(-int(1.25 * demand.streams) // slots)
    return {
        "always enough for the peak + 25 %": Fixed(peak),
        "90 % of slots taken": Occupancy(0.9),
        "80 % of slots taken": Occupancy(0.8),
        "70 % of slots taken": Occupancy(0.7),
        "5 % spare, 2 replicas at least": Spare(0.05, 2 * slots),
        "10 % spare, 2 replicas at least": Spare(0.1, 2 * slots),
        "20 % spare, 2 replicas at least": Spare(0.2, 2 * slots),
        "10 % spare, 10 minutes ahead by the day": Ahead(
            Spare(0.1, 2 * slots), demand.forecast, 600.0
        ),
    }


def tidying_table(asked: Asked) -> str:
    """Placement where replicas come and go: what packing saves, for both kinds of drain."""
    rows = []
    for drains, how in ((Drains(), "move"), (Drains(moves=False, deadline_s=HOUR_S), "stay")):
        for name in ("least connections", "power of two choices", "fullest with room"):
            plan = replace(asked.day(), placement=name, drains=drains)
            outcome = asked.run(f"{name}, streams {how}", plan)
            hours = outcome.totals.stream_s / HOUR_S
            row = (
                name, how, *_costs(outcome, asked), f"{1000 * outcome.moved / hours:.0f}",
                f"{1000 * len(outcome.lost_s) / hours:.1f}", *lost_time(outcome),
                *late(outcome, asked.replicas.lateness(plan.demand)),
            )  # fmt: skip
            rows.append(row)
    head = (
        "placement", "draining: streams", "refused at first", "gave up", "replica h / stream h",
        "moved / 1,000 stream h", "lost and back / 1,000 stream h", "lost time: median", "95 %",
        "late: 95 %", "99 %",
    )  # fmt: skip
    return table(head, rows)


def _costs(outcome: Outcome, asked: Asked) -> list[str]:
    """Refused, gave up, and cost beside that of full replicas whose streams all speak."""
    cost = outcome.replica_hours_per_stream_hour
    against = cost * asked.replicas.slots
    return [
        share(outcome.refused_share),
        share(outcome.gave_up_share),
        f"{cost:.4f} ({against:.2f})",
    ]


TABLES: Final[dict[str, Callable[[Asked], str]]] = {
    "placement": placement_table,
    "balancers": balancers_table,
    "admission": admission_table,
    "scaling": scaling_table,
    "tidying": tidying_table,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}")
    add_options(parser, 1_000)
    given = parser.parse_args(arguments)
    if unknown := set(given.tables) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    replicas = Replicas.of(given.replica)
    asked = Asked(replicas, given.streams, given.hours, given.seed)
    print(f"{described(replicas)} {given.streams:g} streams at the peak, seed {given.seed}.\n")
    for name in given.tables or TABLES:
        print(f"{name}\n\n{TABLES[name](asked)}\n", flush=True)


if __name__ == "__main__":
    main()
