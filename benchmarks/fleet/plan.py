"""All that a simulation needs, as one value: who comes, what serves them, and what breaks."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.fleet.clients import Clients
from benchmarks.fleet.demand import DAY_S, Demand
from benchmarks.fleet.engine_model import EngineModel
from benchmarks.fleet.fleet import Admission
from benchmarks.fleet.scaling import Scaling


@dataclass(frozen=True)
class Outage:
    """A part of all replicas is gone at one moment, as when a zone fails."""

    at_s: float
    share: float


@dataclass(frozen=True)
class Rollout:
    """All replicas are replaced, a part of them at a time."""

    at_s: float
    at_once: float = 0.1


@dataclass(frozen=True)
class Faults:
    """What breaks, and what is replaced on purpose."""

    lives_s: float | None = None
    """How long a replica lives on the average; None: they do not die."""
    outages: tuple[Outage, ...] = ()
    rollouts: tuple[Rollout, ...] = ()


@dataclass(frozen=True)
class Drains:
    """How a replica ends on purpose."""

    moves: bool = True
    """Streams are told, and move by themselves; otherwise they stay until they end."""
    spread_s: float = 20.0
    """They move at random moments within this."""
    deadline_s: float = 60.0
    """After it what is left is cut."""


@dataclass(frozen=True)
class Plan:
    """One simulation."""

    demand: Demand
    model: EngineModel
    slots: int
    """That scaling and placement count on for each replica."""
    admission: Admission
    scaling: Scaling
    placement: str = "least connections"
    balancers: int = 1
    edge_tries: int = 2
    """Replicas that a balancer asks before it hands the refusal on."""
    clients: Clients = field(default_factory=Clients)
    faults: Faults = Faults()
    drains: Drains = Drains()
    starts_in_s: float = 90.0
    """From the wish for a replica until it takes streams: node, image, model, warm-up."""
    scales_every_s: float = 30.0
    scales_down_after_s: float = 300.0
    begins_s: float = 0.0
    lasts_s: float = DAY_S
    starts_full: bool = True
    """With the sessions that would be there already."""
