"""A way in and a number of clients in; what one trial showed out, with all its processes.

Rules of this file:

1. Recognition has cores of its own, by itself and in the server; clients have the others.
2. One process of each kind stays for all trials. The engine is new in each trial of it alone; the
   server keeps its own, as servers do.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, Final

from benchmarks.live.trial import Cut
from benchmarks.report.tables import say
from benchmarks.server.child import Child, Cores
from benchmarks.server.doors import WYOMING
from benchmarks.server.engine_alone import ENGINE, arguments_from
from benchmarks.server.heard import Figures, Heard, figures
from benchmarks.server.script import Due, Expected
from benchmarks.server.serving import OPEN_HOUSE, Server
from benchmarks.server.speakers import Trial
from parakeet_streaming import ContextConfig

_MANY: Final = "100000"


class Trials:
    """Trials with one model and one context."""

    def __init__(self, alone: Child, server: Server, speakers: Child, context: str) -> None:
        self.server = server
        self._alone, self._speakers = alone, speakers
        parsed = ContextConfig.parse(context)
        self.apart_s: Final = parsed.chunk
        self.warm_up_s: Final = Cut.of(parsed).warm_up_s
        self._expected: dict[Trial, list[Expected]] = {}

    def run(self, trial: Trial) -> Figures:
        """One trial, of a door or of the engine alone."""
        self.begin(trial)
        return self.end(trial)

    def begin(self, trial: Trial) -> None:
        """Lets it begin; something else may be done beside it."""
        self._child(trial).tell(self._question(trial))
        self._began_cpu_s = self.server.cpu_s()

    def end(self, trial: Trial) -> Figures:
        """Waits for its end."""
        answer = self._child(trial).answer()
        expected = self.expected(trial)
        heard = [Heard.of_json(each) for each in answer["heard"]]
        alone = trial.door == ENGINE
        used = answer["cores_used"] if alone else self._cores_used(trial)
        due = [expected[client % len(expected)] for client in range(len(heard))]
        found = figures(heard, due, self.warm_up_s, used, answer["behind_s"])
        say(
            f"{trial.door}, {found.clients} clients: 95 % of texts late by "
            f"{found.texts.p95 or float('nan'):.3f} s, {len(found.lost)} lost something, "
            f"{used:.2f} cores; packets sent late by {found.behind.p99 or 0:.3f} s (99 %)"
        )
        for each in found.lost[:3]:
            say(f"  {each}")
        return found

    def expected(self, trial: Trial) -> list[Expected]:
        """What must be heard of each of its scripts."""
        of_all = replace(trial, clients=1, seed=0)
        if of_all not in self._expected:
            told = self._alone.ask({"what": "expected", "trial": asdict(of_all)})["expected"]
            self._expected[of_all] = [_expected(each) for each in told]
        return self._expected[of_all]

    def _child(self, trial: Trial) -> Child:
        return self._alone if trial.door == ENGINE else self._speakers

    def _question(self, trial: Trial) -> dict[str, Any]:
        ends = [len(each.silences) + len(each.commits) for each in self.expected(trial)]
        question = {"what": "run", "trial": asdict(trial), "apart_s": self.apart_s, "ends": ends}
        server = self.server
        return {
            **question,
            "url": server.urls["tcp"] if trial.door == WYOMING else server.socket_url,
        }

    def _cores_used(self, trial: Trial) -> float:
        """Connecting and the last words take time, too, but hardly any of the processor."""
        return (self.server.cpu_s() - self._began_cpu_s) / trial.seconds


@contextmanager
def opened(asked: argparse.Namespace, cores: Cores, more: Sequence[str] = ()) -> Iterator[Trials]:
    """All processes of trials, with the settings of a command line.

    Args:
        asked: as of `engine_alone.add_settings`.
        cores: who has which.
        more: arguments of the server.
    """
    same = arguments_from(asked)
    serving = [*same, "--fixed", "--max-streams", _MANY, *OPEN_HOUSE, *more]
    with (
        Child("benchmarks.server.engine_alone", same, cores.serving) as alone,
        Server(serving, cores.serving) as server,
        Child("benchmarks.server.speakers", [], cores.clients) as speakers,
    ):
        yield Trials(alone, server, speakers, asked.context)


def _expected(told: dict[str, Any]) -> Expected:
    pairs = {
        name: tuple(Due(**each) for each in told[name]) for name in ("texts", "silences", "commits")
    }
    return Expected(told["text"], **pairs)
