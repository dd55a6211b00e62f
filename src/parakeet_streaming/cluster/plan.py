"""Settings and a machine in; how many replicas, what each takes, and how it ends, out.

Rules of this file:

1. A replica takes more requests than it has streams, so that a full one answers for itself, at
   once and in words. What Ray refuses or lets wait, it does in its own way.
2. A replica that is to stop has longer than its clients are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.settings import Settings

POLICY: Final = "parakeet_streaming.cluster.scaling:wanted_replicas"
LAST_WORDS_S: Final = 10.0
"""From the moment by which all sockets have ended to the one at which Ray kills the process."""
_LEAST_ROOM: Final = 16
"""For health checks, metrics, the page, and those who are refused."""
_ROOM_OF_STREAMS: Final = 4
"""Of so many streams one more connection may be there for a moment, to be refused."""
_UNLIMITED_STREAMS: Final = 1_000
"""Where the engine decides by what it measures; more than one carries."""
_HEALTH_PERIOD_S: Final = 3.0
_METRICS_EVERY_S: Final = 2.0
_LOOKED_BACK_S: Final = 10.0
_UP_AFTER_S: Final = 5.0
_DOWN_AFTER_S: Final = 300.0
"""A replica that stops moves all its clients, so the load must have gone for a while."""
_CPUS_IN_A_CLUSTER: Final = 2
_TRIES_IN_A_CLUSTER: Final = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one deployment."""

    replicas: int
    most_replicas: int
    threads: int
    """Of each replica, and the processors that it asks of Ray."""
    gpus: float
    slots: int
    """Requests that one replica takes at once. A socket is one request for its life."""
    drain_s: float
    tries: int
    """To start a replica, before the deployment has failed."""

    def deployment(self) -> dict[str, Any]:
        """Options of a deployment, as Ray calls them."""
        options: dict[str, Any] = {
            "max_ongoing_requests": self.slots,
            "max_queued_requests": self.slots,
            "graceful_shutdown_timeout_s": self.drain_s + LAST_WORDS_S,
            "graceful_shutdown_wait_loop_s": 0.5,
            "health_check_period_s": _HEALTH_PERIOD_S,
            "max_constructor_retry_count": self.tries,
            "ray_actor_options": {"num_cpus": self.threads, "num_gpus": self.gpus},
        }
        if self.most_replicas == self.replicas:
            return options | {"num_replicas": self.replicas}
        scaling = {
            "min_replicas": self.replicas,
            "max_replicas": self.most_replicas,
            "metrics_interval_s": _METRICS_EVERY_S,
            "look_back_period_s": _LOOKED_BACK_S,
            "upscale_delay_s": _UP_AFTER_S,
            "downscale_delay_s": _DOWN_AFTER_S,
            "policy": {"policy_function": POLICY},
        }
        return options | {"autoscaling_config": scaling}


def plan_for(settings: Settings, cores: int | None) -> Plan:
    """The deployment that these settings ask for.

    Args:
        settings: `threads` of None is an even part of the cores.
        cores: of the one machine that carries all; None for a cluster, of which it is not known.

    Raises:
        OptionError: numbers that do not go together.
    """
    replicas = settings.replicas or 1
    most = settings.most_replicas or replicas
    if most < replicas:
        raise OptionError(f"--most-replicas {most} is less than --replicas {replicas}")
    share = _CPUS_IN_A_CLUSTER if cores is None else max(1, cores // most)
    streams = settings.max_streams or _UNLIMITED_STREAMS
    room = max(_LEAST_ROOM, streams // _ROOM_OF_STREAMS)
    return Plan(
        replicas=replicas,
        most_replicas=most,
        threads=settings.threads or share,
        gpus=settings.replica_gpus,
        slots=streams + settings.max_uploads + room,
        drain_s=settings.drain_s,
        tries=_TRIES_IN_A_CLUSTER if cores is None else 1,
    )


def check_for_balancer(settings: Settings) -> None:
    """Refuses what only a server can do whose port is its own.

    Raises:
        OptionError: such a setting.
    """
    for name in ("wyoming_port", "tls_cert", "stun_server"):
        if getattr(settings, name) is not None:
            raise OptionError(
                f"several replicas have one address, which is the balancer's: {name} is not for "
                "them; put a proxy with TLS in front, or start one server for it"
            )
    if settings.io_processes > 1:
        raise OptionError("io_processes is for one engine, replicas are several; give one of them")
