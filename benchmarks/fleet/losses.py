"""What happens to streams when replicas are lost, and when all are replaced by a new version.

python -m benchmarks.fleet.losses                                   all tables; two minutes
python -m benchmarks.fleet.losses --streams 10000

A third of all replicas is lost at one moment, and their clients come back, by how they wait; a
replica is lost of which no socket tells, by how soon clients notice; and a rollout, by how streams
leave a replica that drains. Everything is simulated; `fleet.fit` says how the replica was fitted.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.fleet.clients import Backoff, Clients
from benchmarks.fleet.demand import HOUR_S
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.plan import Drains, Faults, Outage, Plan, Rollout
from benchmarks.fleet.scaling import Spare
from benchmarks.fleet.scenario import (
    SPARE_SHARE,
    Replicas,
    add_options,
    described,
    late,
    lost_time,
    share,
    steady,
)
from benchmarks.fleet.simulation import simulate
from benchmarks.report.tables import say, table

_AT_S: Final = 600.0
_OUTAGE: Final = Faults(outages=(Outage(_AT_S, 1 / 3),))
BACKOFFS: Final[dict[str, Clients]] = {
    "1 s, always": Clients(Backoff(1, 1, 1, "none"), retry_after_s=0),
    "0.5 s doubled to 15 s, no jitter": Clients(Backoff(jitter="none"), retry_after_s=0),
    "0.5 s doubled to 15 s, full jitter": Clients(Backoff(), retry_after_s=0),
    "0.5 s doubled to 15 s, full jitter, after Retry-After: 5": Clients(Backoff()),
    "0.5 s doubled to 15 s, full jitter, after Retry-After: 1 for lost streams": Clients(
        Backoff(), resume_retry_after_s=1
    ),
    "1 s doubled to 15 s, full jitter, after Retry-After: 1 for lost streams": Clients(
        Backoff(first_s=1), resume_retry_after_s=1
    ),
    "2 s doubled to 15 s, full jitter, after Retry-After: 1 for lost streams": Clients(
        Backoff(first_s=2), resume_retry_after_s=1
    ),
    "5 s doubled to 60 s, full jitter, after Retry-After: 5": Clients(Backoff(5, 60)),
}
"""By name."""


def outage_table(plan: Plan, replicas: Replicas, seed: int) -> str:
    """A third of the replicas is lost, with room for its streams elsewhere, and without."""
    rows = []
    for name, clients in BACKOFFS.items():
        row: list[object] = [name]
        for part in (0.6, SPARE_SHARE):
            each = replace(
                plan,
                faults=_OUTAGE,
                scaling=Spare(part, plan.slots),
                clients=replace(clients, silent_share=0.0, keeps_s=600.0),
            )
            outcome = _run(f"{name}, {part:.0%} spare", each, seed)
            row += [*lost_time(outcome), outcome.most_attempts, f"{outcome.refusals:,}"]
        rows.append(row)
    head = ["a third is lost; clients wait"]
    for part in (0.6, SPARE_SHARE):
        head += [
            f"{part:.0%} spare; lost time: median",
            "95 %",
            "tries in a second",
            "refused tries",
        ]
    return table(head, rows)


def spare_table(plan: Plan, replicas: Replicas, seed: int) -> str:
    """The same by how many slots are free before, and by how long a new replica takes."""
    rows = []
    for part in (SPARE_SHARE, 0.25, 0.5):
        for starts_s in (20.0, 90.0, 300.0):
            each = replace(
                plan,
                faults=_OUTAGE,
                scaling=Spare(part, plan.slots),
                starts_in_s=starts_s,
                clients=Clients(silent_share=0.0, resume_retry_after_s=1),
            )
            name = f"{part:.0%} spare, new replica in {starts_s:g} s"
            outcome = _run(name, each, seed)
            rows.append((name, *_back(outcome, plan, replicas)))
            if part == SPARE_SHARE:
                longer = replace(each, clients=replace(each.clients, keeps_s=600.0))
                outcome = _run("the same, longer", longer, seed)
                rows.append(("the same, clients keep 10 minutes", *_back(outcome, plan, replicas)))
                kept = max(1, plan.slots // 10)
                keeping = replace(longer, admission=replace(each.admission, kept=kept))
                outcome = _run("the same, kept", keeping, seed)
                name = f"and {kept} slots of each are kept for them"
                rows.append((name, *_back(outcome, plan, replicas)))
    return table(("a third is lost", *_BACK), rows)


def notice_table(plan: Plan, replicas: Replicas, seed: int) -> str:
    """Replicas die once in a day each, and no socket tells: by when clients notice."""
    rows = []
    for name, notices_s in (
        ("ping each 20 s, 90 s for the answer", (90.0, 110.0)),
        ("ping each 20 s, 20 s for the answer", (20.0, 40.0)),
        ("ping each 5 s, 5 s for the answer", (5.0, 10.0)),
    ):
        clients = Clients(silent_share=1.0, notices_s=notices_s)
        outcome = _run(
            name, replace(plan, clients=clients, faults=Faults(lives_s=24 * HOUR_S)), seed
        )
        rows.append((name, *_back(outcome, plan, replicas)))
    return table(("machines vanish; clients", *_BACK), rows)


def rollout_table(plan: Plan, replicas: Replicas, seed: int) -> str:
    """All replicas are replaced, a tenth at a time."""
    rows = []
    for name, drains in (
        ("cut at once", Drains(moves=False, deadline_s=0)),
        ("cut after 20 s", Drains(moves=False, deadline_s=20)),
        ("cut after an hour", Drains(moves=False, deadline_s=HOUR_S)),
        ("move, all at once", Drains(spread_s=0.0, deadline_s=60)),
        ("move within 20 s", Drains(spread_s=20, deadline_s=60)),
        ("move within 120 s", Drains(spread_s=120, deadline_s=180)),
    ):
        faults = Faults(rollouts=(Rollout(_AT_S),))
        outcome = _run(name, replace(plan, faults=faults, drains=drains), seed)
        cost = f"{outcome.replica_hours_per_stream_hour * replicas.slots:.2f}"
        rows.append((name, *_back(outcome, plan, replicas), outcome.moved, cost))
    head = ("all are replaced; streams are", *_BACK, "moved", "cost of full replicas")
    return table(head, rows)


_BACK: Final = (
    "came back", "lost for good", "lost time: median", "95 %", "most",
    "tries in the busiest second", "refused at first (new)", "late: 99 %",
)  # fmt: skip


def _back(outcome: Outcome, plan: Plan, replicas: Replicas) -> tuple[object, ...]:
    return (
        len(outcome.lost_s),
        outcome.lost,
        *lost_time(outcome, (0.5, 0.95, 1.0)),
        outcome.most_attempts,
        share(outcome.refused_share),
        late(outcome, replicas.lateness(plan.demand))[1],
    )


def _run(what: str, plan: Plan, seed: int) -> Outcome:
    say(what)
    return simulate(plan, seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, 1_000)
    asked = parser.parse_args(arguments)
    replicas = Replicas.of(asked.replica)
    plan = steady(replicas, asked.streams, 0.9, HOUR_S * (asked.hours or 2))
    plan = replace(plan, scaling=Spare(SPARE_SHARE, plan.slots))
    print(f"{described(replicas)} {asked.streams:g} streams, seed {asked.seed}.\n")
    for each in (outage_table, spare_table, notice_table, rollout_table):
        print(f"{each(plan, replicas, asked.seed)}\n", flush=True)


if __name__ == "__main__":
    main()
