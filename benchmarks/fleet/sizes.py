"""What changes from a thousand to a million streams: the same rules, simulated at each size.

python -m benchmarks.fleet.sizes                                    ten minutes
python -m benchmarks.fleet.sizes --sizes 1000 10000

Nothing is scaled down: each size has all of its streams and replicas as objects. What differs is
how long it is simulated: a day up to 1,000 streams, and four hours, one hour and twenty minutes
around the burst above that. A tenth of all replicas is lost a quarter of an hour before the end (at
16 h of a whole day).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchmarks.fleet.demand import DAY_S, HOUR_S
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


def simulated_s(streams: float) -> float:
    """For how long a size is simulated."""
    for most, hours in ((1_000, 24.0), (10_000, 4.0), (100_000, 1.0)):
        if streams <= most:
            return HOUR_S * hours
    return HOUR_S / 3


def plan_of(replicas: Replicas, streams: float, lasts_s: float) -> Plan:
    """A day, or the hours around its burst, and an outage ten minutes before the end."""
    plan = overbooked(day(replicas, streams), replicas, TIMES)
    begins_s = 0.0 if lasts_s >= DAY_S else BURST.at_s - lasts_s / 3
    ends_s = begins_s + lasts_s
    outage_s = 16 * HOUR_S if lasts_s >= DAY_S else ends_s - 900.0
    faults = replace(plan.faults, outages=(Outage(outage_s, 0.1),))
    return replace(plan, begins_s=begins_s, lasts_s=lasts_s, faults=faults)


def row(replicas: Replicas, streams: float, lasts_s: float, seed: int) -> tuple[object, ...]:
    """One size."""
    plan = plan_of(replicas, streams, lasts_s)
    say(f"{streams:,.0f} streams for {lasts_s / HOUR_S:g} h")
    began_s = time.perf_counter()
    outcome = simulate(plan, seed)
    took_s = time.perf_counter() - began_s
    assert outcome.balance == 0, "sessions are unaccounted for"
    starts = sorted(outcome.attempts.values())
    return (
        f"{streams:,.0f}", f"{lasts_s / HOUR_S:g}", f"{outcome.arrived:,}",
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
        "streams at the peak", "hours", "sessions", "most streams", "most replicas",
        "refused at first", "gave up", "late: 95 %", "99 %", "lost time: median", "95 %",
        "lost for good", "new sockets a second: median / most", "replica h / stream h", "deaths",
        "took",
    )  # fmt: skip
    print(table(head, []), flush=True)
    for streams in asked.sizes:
        lasts_s = simulated_s(streams) if asked.hours is None else HOUR_S * asked.hours
        cells = row(replicas, streams, lasts_s, asked.seed)
        print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    main()
