"""Streams speak while servers die: is a word lost, doubled or changed, and how long is it quiet?

python -m benchmarks.chaos --where haproxy --minutes 10 --seed 1     or ray, or plain
python -m benchmarks.chaos --kinds kill cut --every 4                only these, more often

Two servers with the built-in model run behind HAProxy with `deploy/haproxy.cfg`, behind a small
stand-in (`plain`), or as replicas in Ray Serve. Six people speak as people do, each over a line of
its own, through `parakeet_streaming.client`; meanwhile faults happen at random moments (`faults.py`
lists them). What each client is told is compared with what it is told without faults: all words
with their times and confidence, and how they are cut into utterances. The exit code is 1 where
anything differs. One server is left alone at any time, unless `--outages` is given. Needs the
dependency groups `bench` and `server`; `--where ray` the extra `ray`. A disk that can be filled is
made where this program may mount one (as root).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.chaos.faults import KINDS, planned
from benchmarks.chaos.judging import lateness, of, quantiles, recoveries, resumed
from benchmarks.chaos.places import Place, plain_servers
from benchmarks.chaos.running import Outcome, ran, speakers_of
from benchmarks.live.phases import Quantiles
from benchmarks.report.machine import machine_table
from benchmarks.report.tables import say, table
from parakeet_streaming.client import Gap, Reconnecting, Resuming
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

_WHERE = ("ray", "haproxy", "plain")
_SLOTS = 32
"""Of each server. Lines that hang keep theirs for a minute."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where anything was lost, doubled or changed."""
    asked = _parser().parse_args(arguments)
    if not asked.quiet:
        print(f"{machine_table()}\n", flush=True)
    outcome = asyncio.run(_run(asked))
    print(report(outcome))
    for number, (speaker, verdict) in enumerate(
        zip(outcome.speakers, outcome.verdicts, strict=True)
    ):
        if speaker.error is not None:
            say(f"stream {number} ended: {speaker.error!r}")
        for what in verdict.changed:
            say(f"stream {number}: {what}")
    right = all(each.is_right for each in outcome.verdicts)
    return 0 if right and not any(each.error for each in outcome.speakers) else 1


def report(outcome: Outcome) -> str:
    """Tables of one run."""
    speakers, verdicts = outcome.speakers, outcome.verdicts
    counts = Counter(each.fault.kind for each in outcome.done)
    ways = resumed(speakers)
    lost = sum(len(of(Reconnecting, each.told)) for each in speakers)
    back = [
        seconds
        for number, each in enumerate(speakers)
        for seconds in recoveries(each, number, outcome.done)
    ]
    late = [seconds for each in speakers for seconds in lateness(each)]
    rows = [
        ("streams, seconds", f"{len(speakers)}, {outcome.took_s:.0f}"),
        ("faults", ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items()))),
        ("left out", str(len(outcome.left_out))),
        ("connections lost", str(lost)),
        ("went on", ", ".join(f"{how}: {count}" for how, count in sorted(ways.items()))),
        ("from loss to the next text", _told(quantiles(back))),
        ("tokens late, all", _told(quantiles(late))),
        ("words lost", str(sum(each.lost for each in verdicts))),
        ("words doubled", str(sum(each.doubled for each in verdicts))),
        ("streams that differ", str(sum(not each.is_right for each in verdicts))),
        ("streams that ended early", str(sum(each.error is not None for each in speakers))),
        ("gaps told", str(sum(len(of(Gap, each.told)) for each in speakers))),
    ]
    return table(("chaos", ""), rows)


def _told(times: Quantiles) -> str:
    if times.p50 is None or times.p95 is None or times.most is None:
        return "–"
    return f"{times.p50:.1f} s, 95 %: {times.p95:.1f} s, most: {times.most:.1f} s ({times.count})"


async def _run(asked: argparse.Namespace) -> Outcome:
    seconds = asked.minutes * 60
    speakers = speakers_of(asked.streams, seconds, asked.seed, asked.rates, asked.context)
    faults = planned(asked.seed, seconds, asked.every, asked.kinds)
    async with _place(asked) as place:
        return await ran(place, speakers, faults, Resuming(), outages=asked.outages)


@asynccontextmanager
async def _place(asked: argparse.Namespace) -> AsyncIterator[Place]:
    settings = {
        "model": "tiny-en", "fixed": True, "max_streams": _SLOTS, "threads": 1,
        "drain_s": asked.drain_s,
    }  # fmt: skip
    if asked.where == "ray":
        from benchmarks.chaos.ray_place import ray_replicas

        async with ray_replicas(settings) as replicas:
            yield replicas
    else:
        async with plain_servers(asked.where, settings) as servers:
            yield servers


def _parser() -> argparse.ArgumentParser:
    lines = __doc__.splitlines()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=lines[0],
        epilog="\n".join(lines[2:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--where", choices=_WHERE, default="haproxy")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--streams", type=int, default=6)
    parser.add_argument("--context", default="5-0.5-0.5")
    parser.add_argument("--every", type=float, default=6.0, help="seconds between faults, about")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument(
        "--rates", nargs="+", type=int, default=[SAMPLE_RATE_HZ], help="of the streams, in turn"
    )
    parser.add_argument(
        "--outages", action="store_true", help="take away the last server that runs, too"
    )
    parser.add_argument("--drain-s", type=float, default=20.0)
    parser.add_argument("--quiet", action="store_true", help="do not tell the machine")
    return parser


if __name__ == "__main__":
    sys.exit(main())
