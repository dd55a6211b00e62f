"""How many people a server carries, beside the engine alone on the same cores, in the same run.

python -m benchmarks.server.load FOLDER --context 10-2-2            an hour or so; tiny-en if none
python -m benchmarks.server.load --start 4 --seconds 20 --near 0.1  a quick look
python -m benchmarks.server.load --streams 8                        no search: 8 of each
python -m benchmarks.server.load --doors native --replicas 1 2      the same under Ray beside it

`parakeet serve` runs in a process of its own, its clients in another one, and `LiveEngine` alone in
a third; the cores of the first and the last are the same, the clients have others where there are
enough (`--serving-cores`). Clients speak real speech in packets of 20 ms on an absolute clock and
commit every 7 s. A number is carried if 95 % of all texts are late by 0.5 s at most, no audio was
refused, lost or answered by an error, and each client heard the very words that it must hear
(`script.py` has the rules). The greatest number is looked for by growing and bisection, for the
engine alone and for each door. Then half of the engine's number speaks over each, for how late
words and ends of utterances are. An engine that is not full lends the server the time of messages.
`--doors native realtime webrtc` has calls, too. They commit at the end only, since a commit and
sound do not keep their order, and what must be heard is heard of the sound that Opus leaves. aiortc
takes many times the processor of a WebSocket in the clients' process: look at "packets sent late"
before you believe that the server is full, and give the clients cores (`--serving-cores`).
Needs the dependency groups `bench` and `server`. Tables go to standard output, progress to standard
error. The exit code is 1 where something was lost at half load.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.live.phases import Quantiles
from benchmarks.live.search import greatest
from benchmarks.report.machine import machine, machine_table
from benchmarks.report.tables import percent, say, table
from benchmarks.server.child import Cores
from benchmarks.server.doors import LIVE, WEBRTC
from benchmarks.server.engine_alone import ENGINE, add_settings
from benchmarks.server.heard import Figures
from benchmarks.server.speakers import Trial
from benchmarks.server.trials import Trials, opened


def carried(trials: Trials, trial: Trial, asked: argparse.Namespace) -> int:
    """The greatest number of clients that one way in carries."""

    def carries(clients: int) -> bool:
        # In the first trial of a number, a runtime may have to prepare for sizes it has not seen.
        return any(trials.run(trial_of(trial, clients)).carried for _ in range(2))

    say(f"{trial.door}: a trial is {trial.seconds:g} s")
    return greatest(carries, asked.start, asked.most, growth=asked.growth, near=asked.near)


def trial_of(trial: Trial, clients: int) -> Trial:
    """The same with so many clients."""
    return Trial(**asdict(trial) | {"clients": clients})


def carried_table(found: dict[str, int]) -> str:
    """One row for each way in."""
    alone = found[ENGINE]
    rows = [
        (name, count, percent(count / alone) if alone else "–") for name, count in found.items()
    ]
    return table(("carried", "people", "of the engine alone"), rows)


def figure_table(found: dict[str, Figures]) -> str:
    """How late, at the same number of clients."""
    head = (
        "late", "clients", "words: 50 %", "95 %", "99 %", "after a commit: 50 %", "95 %", "99 %",
        "after the last word, by silence: 50 %", "95 %", "99 %", "cores used",
        "packets sent late: 99 %", "lost",
    )  # fmt: skip
    rows = [
        (name, each.clients, *_three(each.texts), *_three(each.commits), *_three(each.silences),
         f"{each.cores_used:.2f}", _ms(each.behind.p99), len(each.lost))
        for name, each in found.items()
    ]  # fmt: skip
    return table(head, rows)


def message_cost_us(served: Figures, alone: Figures) -> float:
    """Processor time that the server takes beyond the engine's, for each packet, in µs."""
    return 1e6 * (served.cores_used - alone.cores_used) / (50 * served.clients)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; 1 where something was lost."""
    asked = _parser().parse_args(arguments)
    cores = Cores.divided(asked.serving_cores)
    print(f"{machine_table()}\n\n{cores}\n", flush=True)
    ways = (ENGINE, *asked.doors)
    with opened(asked, cores) as trials:
        seconds = trials.warm_up_s + asked.seconds
        speech = None if asked.speech is None else str(asked.speech)
        each_way = {
            name: Trial(name, 1, seconds, asked.commit_every, speech, seed=asked.seed)
            for name in ways
        }
        people: dict[str, int] = {}
        if asked.streams is None:
            people = {name: carried(trials, trial, asked) for name, trial in each_way.items()}
            print(f"{carried_table(people)}\n", flush=True)
        half = asked.streams or max(1, people[ENGINE] // 2)
        late = {name: trials.run(trial_of(trial, half)) for name, trial in each_way.items()}
    for count in asked.replicas:
        with opened(asked, cores, ("--replicas", str(count))) as trials:
            for door in asked.doors:
                name = f"{door}, replicas: {count}"
                if asked.streams is None:
                    people[name] = carried(trials, each_way[door], asked)
                late[name] = trials.run(trial_of(each_way[door], half))
    if asked.replicas and people:
        print(f"{carried_table(people)}\n")
    print(f"{figure_table(late)}\n")
    for name in [name for name in late if name != ENGINE]:
        cost = message_cost_us(late[name], late[ENGINE])
        print(f"{name}: {cost:.0f} µs of a core for a packet of 20 ms beyond the engine alone.")
    if asked.json is not None:
        report = {
            "machine": asdict(machine()),
            "asked": {key: str(value) for key, value in vars(asked).items()},
            "people": people,
            "late": {name: asdict(each) for name, each in late.items()},
        }
        asked.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(any(each.lost for each in late.values()))


def _three(found: Quantiles) -> tuple[str, ...]:
    return _ms(found.p50), _ms(found.p95), _ms(found.p99)


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.0f} ms"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_settings(parser)
    add = parser.add_argument
    sockets = [each for each in LIVE if each != WEBRTC]
    add("--doors", nargs="+", choices=LIVE, default=sockets, help=f"default: {' '.join(sockets)}")
    add("--speech", type=Path, metavar="SPEECH", help="folder (default: examples/recordings)")
    add("--seconds", type=float, default=30.0, help="that count (default: %(default)g)")
    add("--commit-every", type=float, default=7.0, help="seconds (default: %(default)g; 0: never)")
    add(
        "--replicas", nargs="+", type=int, default=[], metavar="N",
        help="also under Ray, with so many replicas (extra ray)",
    )  # fmt: skip
    add("--streams", type=int, help="so many of each, without a search")
    add("--start", type=int, default=1, help="number to grow from (default: %(default)s)")
    add("--growth", type=float, default=2.0, help="of it (default: %(default)g)")
    add(
        "--near", type=float, default=0.0, help="part that it may be too low (default: %(default)g)"
    )
    add("--most", type=int, default=1024, help="clients to try (default: %(default)s)")
    add("--serving-cores", type=int, help="for recognition (default: three of four)")
    add("--seed", type=int, default=0, help="of the moments at which clients begin")
    add("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
