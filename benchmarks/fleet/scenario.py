"""A fitted replica and a number of people in; the plans that the commands simulate out.

What all have in common stands here once: a Deployment of replicas of one size behind one balancer
that sends each stream where the fewest are, clients that back off, and replicas that die once in a
week. Each command changes one thing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.fleet.demand import DAY_S, HOUR_S, Burst, Demand
from benchmarks.fleet.engine_model import EngineModel, LatenessByLoad, slots
from benchmarks.fleet.fit import fit
from benchmarks.fleet.fleet import Admission
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.plan import Faults, Plan
from benchmarks.fleet.reports import read
from benchmarks.fleet.scaling import Fixed, Greatest, Load, Spare
from benchmarks.report.tables import percent
from parakeet_streaming.live.admission import MOST_LOAD

LIVES_S: Final = 7 * DAY_S
"""A replica dies once a week: nodes are replaced, memory runs out, machines fail."""
LISTENING_SHARE: Final = 0.003
"""Voice activity: 3 ms for each second of a stream (docs/benchmarks.md)."""
MEASURED: Final = Path(__file__).parent / "measured"
FULL_SIZE: Final = MEASURED / "full-size-int8-cached.json"
SPARE_SHARE: Final = 0.1
TARGET_LOAD: Final = 0.65
"""At which scaling by load holds replicas."""
BURST: Final = Burst(13 * HOUR_S)


@dataclass(frozen=True)
class Replicas:
    """One kind of replica."""

    model: EngineModel
    slots: int
    """Streams that it carries if all speak."""
    _lateness: dict[tuple[float, float], LatenessByLoad] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, path: Path) -> Replicas:
        """Fitted to a report."""
        return cls.fitted(fit(read(path), LISTENING_SHARE).model)

    @classmethod
    def fitted(cls, model: EngineModel) -> Replicas:
        return cls(model, max(1, slots(model)))

    def streams_by_load(self, demand: Demand) -> int:
        """Streams that it has on the average when it refuses the next one by load.

        The next one counts as one that speaks all the time.
        """
        load = MOST_LOAD - self.model.load(1 << 10, 1 << 10) / (1 << 10)
        return max(1, self.model.streams_at(load, demand.mean_speech))

    def lateness(self, demand: Demand) -> LatenessByLoad:
        """For streams that speak as these do; what was played is kept."""
        if demand.speech not in self._lateness:
            self._lateness[demand.speech] = LatenessByLoad(self.model, demand.speech)
        return self._lateness[demand.speech]


def steady(replicas: Replicas, streams: float, occupancy: float, lasts_s: float) -> Plan:
    """A fixed number of replicas, the same rate all the time, and nothing that breaks."""
    count = math.ceil(streams / (replicas.slots * occupancy))
    return Plan(
        Demand(streams, night=1.0),
        replicas.model,
        replicas.slots,
        Admission(replicas.slots),
        Fixed(count),
        lasts_s=lasts_s,
    )


def day(replicas: Replicas, streams: float) -> Plan:
    """A day with a burst, replicas that die, and so many replicas as are needed."""
    return Plan(
        Demand(streams, burst=BURST),
        replicas.model,
        replicas.slots,
        Admission(replicas.slots),
        Spare(SPARE_SHARE, 2 * replicas.slots),
        faults=Faults(lives_s=LIVES_S),
    )


def admitting(plan: Plan, admission: Admission, slots: int) -> Plan:
    """The same where replicas admit in that way, and scaling counts on so many streams each."""
    return replace(plan, slots=slots, admission=admission, scaling=Spare(SPARE_SHARE, 2 * slots))


def overbooked(plan: Plan, replicas: Replicas, times: float) -> Plan:
    """The same with more slots than are carried if all speak, and the engine's bound of the load.

    Scaling looks at both, streams and load. Newcomers go to the emptier of two: the emptiest may be
    one that refuses because its streams speak much, or because all of them are new.
    """
    count = round(times * replicas.slots)
    both = admitting(plan, Admission(count, MOST_LOAD), count)
    scaling = Greatest((both.scaling, Load(TARGET_LOAD)))
    return replace(both, scaling=scaling, placement="power of two choices")


def add_options(parser: argparse.ArgumentParser, streams: int) -> None:
    """What every command may be asked."""
    parser.add_argument(
        "--replica", type=Path, default=FULL_SIZE, metavar="REPORT",
        help="a measurement of one replica, see `fleet.fit` (default: the full-size model in int8, "
        "two cores)",
    )  # fmt: skip
    parser.add_argument(
        "--streams", type=float, default=streams, help="at the peak (default: %(default)g)"
    )
    parser.add_argument("--hours", type=float, help="to simulate (default: as the table needs)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")


def described(replicas: Replicas) -> str:
    """One line for the top of a report."""
    model = replicas.model
    return (
        f"A replica: {model.name}; a step {1000 * model.fixed_s:.1f} ms + "
        f"{1000 * model.per_stream_s:.1f} ms a stream, {replicas.slots} slots."
    )


def ms(seconds: float) -> str:
    """Milliseconds as text."""
    return f"{1000 * seconds:.0f} ms"


def late(outcome: Outcome, lateness: LatenessByLoad) -> tuple[str, str]:
    """Lateness of all words: 95 % and 99 %."""
    p95, p99 = outcome.late_s(lateness, (0.95, 0.99)) or (0.0, 0.0)
    return ms(p95), ms(p99)


def lost_time(outcome: Outcome, quantiles: Sequence[float] = (0.5, 0.95)) -> tuple[str, ...]:
    """Of streams that came back; dashes where none was lost."""
    found = outcome.lost_time_s(quantiles)
    return tuple(f"{each:.1f} s" for each in found) or ("–",) * len(quantiles)


def share(part: float) -> str:
    """A small share as a percentage."""
    return f"{100 * part:.3f} %" if 0 < part < 0.0005 else percent(part)
