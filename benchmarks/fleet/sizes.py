"""What changes from a thousand to a million streams: the same rules, simulated at each size.

python -m benchmarks.fleet.sizes                half an hour, nearly all of it for the million
python -m benchmarks.fleet.sizes --sizes 1000 10000

Nothing is scaled down: each size has all of its streams and replicas as objects, and each is
simulated for the same twenty minutes: ten of them are a burst of twice as many arrivals, and after
five a tenth of all replicas is lost. What is longer stands in `fleet.policies`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.fleet.demand import HOUR_S
from benchmarks.fleet.plan import Outage, Plan
from benchmarks.fleet.scenario import (
    BURST,
    Replicas,
    add_options,
    day,
    described,
    late,
    lost_time,
    overbooked,
    share,
)
from benchmarks.fleet.simulation import simulate
from benchmarks.report.tables import say, table

TIMES: Final = 1.75
"""Streams that a replica lets in, in parts of those that it carries if all speak."""


def plan_of(replicas: Replicas, streams: float, lasts_s: float) -> Plan:
    """The time around the burst of a day, a third of it before; an outage after a quarter."""
    plan = overbooked(day(replicas, streams), replicas, TIMES)
    begins_s = BURST.at_s - lasts_s / 3
    faults = replace(plan.faults, outages=(Outage(begins_s + lasts_s / 4, 0.1),))
    return replace(plan, begins_s=begins_s, lasts_s=lasts_s, faults=faults)


def row(replicas: Replicas, streams: float, lasts_s: float, seed: int) -> tuple[object, ...]:
    """One size."""
    plan = plan_of(replicas, streams, lasts_s)
    say(f"{streams:,.0f} streams for {lasts_s / 60:g} minutes")
    began_s = time.perf_counter()
    outcome = simulate(plan, seed)
    took_s = time.perf_counter() - began_s
    assert outcome.balance == 0, "sessions are unaccounted for"
    starts = sorted(outcome.attempts.values())
    return (
        f"{streams:,.0f}", f"{lasts_s / 60:g}", f"{outcome.arrived:,}",
        f"{outcome.most_streams:,}", f"{outcome.most_replicas:,}",
        share(outcome.refused_share), share(outcome.gave_up_share),
        *late(outcome, replicas.lateness(plan.demand)), *lost_time(outcome), outcome.lost,
        f"{starts[len(starts) // 2]:,} / {starts[-1]:,}",
        f"{outcome.replica_hours_per_stream_hour:.4f}", outcome.deaths, f"{took_s:.0f} s",
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one row for each size, when it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser, 0)
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6], metavar="STREAMS"
    )
    asked = parser.parse_args(arguments)
    replicas = Replicas.of(asked.replica)
    print(
        f"{described(replicas)} {TIMES:g} × as many are let in, up to a load of 0.9; a new replica "
        f"takes 90 s; seed {asked.seed}.\n"
    )
    head = (
        "streams at the peak", "minutes", "sessions", "most streams", "most replicas",
        "refused at first", "gave up", "late: 95 %", "99 %", "lost time: median", "95 %",
        "lost for good", "new sockets a second: median / most", "replica h / stream h", "deaths",
        "took",
    )  # fmt: skip
    lasts_s = HOUR_S * (asked.hours or 1 / 3)
    print(table(head, []), flush=True)
    for streams in asked.sizes:
        cells = row(replicas, streams, lasts_s, asked.seed)
        print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
