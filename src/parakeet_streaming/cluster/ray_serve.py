"""A plan in; its replicas, in Ray Serve, out. Alone imports ray.

Ray reads its environment when it is imported, so `one_machine.py` prepares that before it imports
this file; in a cluster the nodes were started with theirs.

Rules of this file:

1. A socket is in one replica, and no message of it goes to another. Replicas ask each other for
   what they count, for an operator, and tell each other of short-lived keys.
2. What a replica is told before it stops is read within Ray, which has no word for it. A Ray in
   which that is not found is refused.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import ray
from ray import serve
from ray._private.worker import global_worker

from parakeet_streaming.cluster.log_lines import SentLines
from parakeet_streaming.cluster.plan import Plan, check_for_balancer, plan_for
from parakeet_streaming.cluster.ray_environment import problems
from parakeet_streaming.cluster.replica import Census, Replica
from parakeet_streaming.cluster.traces import reason_in
from parakeet_streaming.errors import OptionError, UnavailableError
from parakeet_streaming.server import composition
from parakeet_streaming.server.access import Secret
from parakeet_streaming.server.request_log import Application
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.settings_sources import read_settings

_LOG: Final = logging.getLogger("parakeet_streaming.server")

APPLICATION: Final = "parakeet"
DEPLOYMENT: Final = "parakeet"
_ANSWERS_WITHIN_S: Final = 2.0
_MEETS_EVERY_S: Final = 1.0
_QUIET: Final = {"log_level": "WARNING", "enable_access_log": False}
"""Requests and sockets are in our own log."""


class ServedReplica:
    """What Ray makes one of in each process."""

    # Ray awaits it.
    async def __init__(  # type: ignore[misc]
        self, settings: Settings, log_path: str | None = None
    ) -> None:
        found = problems(os.environ, settings)
        if found:
            raise OptionError("; ".join(found))
        is_stopping = _is_stopping()
        if settings.threads is None:
            assigned = ray.get_runtime_context().get_assigned_resources().get("CPU", 1.0)
            settings = replace(settings, threads=max(1, int(assigned)))
        self._name = serve.get_replica_context().replica_tag
        others = _Others(self)
        said = None if log_path is None else SentLines(log_path)
        self._replica = await Replica.open(settings, others, said, self._name)
        self._replica.drain_when(is_stopping)
        self._meeting = asyncio.create_task(others.meet())

    def __serve_build_asgi_app__(self) -> Application:
        return self._replica.application

    async def check_health(self) -> None:
        """Raises where this replica is of no use any more; Ray starts another one."""
        self._replica.check()

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """What decides how many replicas are wanted."""
        return dict(self._replica.scaling_numbers())

    async def metrics(self) -> tuple[str, str]:
        """The name of this replica, and what it counts."""
        return self._name, await self._replica.metrics()

    async def census(self) -> tuple[str, Census]:
        """The name of this replica, and who is inside."""
        return self._name, self._replica.census()

    async def secrets(self) -> list[tuple[Secret, float]]:
        """Short-lived keys, each with the seconds for which it is valid."""
        return self._replica.secrets()

    async def drain(self, seconds: float) -> None:
        """Lets nobody in, and tells those inside to go."""
        self._replica.drain(seconds)

    async def know(self, secret: Secret, lasts_s: float) -> None:
        """Takes a short-lived key that another replica has made."""
        self._replica.know(secret, lasts_s)

    async def __del__(self) -> None:
        if hasattr(self, "_replica"):
            self._meeting.cancel()
            await self._replica.close()


class _Others:
    """All replicas of the deployment, as one of them sees them."""

    def __init__(self, own: ServedReplica) -> None:
        self._own = own
        self._handle: Any = None

    async def meet(self) -> None:
        """Begins to hear of the others: Ray tells of them a moment after the first question."""
        while not (told := await self._asked("secrets", quietly=True)):
            await asyncio.sleep(_MEETS_EVERY_S)
        for secret, lasts_s in (each for secrets in told for each in secrets):
            await self._own.know(secret, lasts_s)

    label = "replica"
    takes_calls = False

    async def metrics(self) -> Mapping[str, str]:
        return dict([await self._own.metrics(), *await self._asked("metrics")])

    async def sockets(self) -> Mapping[str, int]:
        told = [await self._own.census(), *await self._asked("census")]
        return {name: census.sockets for name, census in sorted(dict(told).items())}

    async def share(self, secret: Secret, lasts_s: float) -> None:
        await self._asked("know", secret, lasts_s)

    async def end_call(self, name: str, owner: str) -> bool:
        return False  # none is begun here

    async def _asked(self, method: str, *arguments: object, quietly: bool = False) -> list[Any]:
        """What all answer; nothing where one does not, as its end may not have been told yet."""
        if self._handle is None:
            self._handle = serve.get_deployment_handle(DEPLOYMENT, _check_exists=False)
        try:
            told = await self._handle.broadcast(method, *arguments).results_async(
                timeout_s=_ANSWERS_WITHIN_S, return_exceptions=True
            )
        except Exception as error:
            told = [error]
        failed = [each for each in told if isinstance(each, Exception)]
        if failed and not quietly:
            why = str(failed[0]).partition("\n")[0]
            _LOG.warning("did not answer %s: %d replicas (%s)", method, len(failed), why)
        return [each for each in told if not isinstance(each, Exception)]


def app(arguments: dict[str, Any]) -> serve.Application:
    """The application, for `serve run parakeet_streaming.cluster:app` and configuration files.

    Args:
        arguments: settings as of `parakeet serve`, with underscores, and `config`, a settings file.
            The environment of the node that deploys counts after them.

    Raises:
        OptionError: a setting that cannot be used; no key, and not `no_auth` either; no key that
            signs checkpoints.
    """
    given = dict(arguments)
    path = given.pop("config", None)
    settings = read_settings(given, os.environ, path)
    check_for_balancer(settings)
    if not composition.read_keys(settings) and not settings.no_auth:
        raise OptionError(
            "others may reach a cluster: give it api_key_file (a path that each node has), or "
            "no_auth: true, if anybody may use it"
        )
    if not composition.read_checkpoint_keys(settings).shared:
        raise OptionError(
            "replicas share a key that signs checkpoints, so that a stream goes on at another one: "
            "give checkpoint_key_file (a path that each node has), or PARAKEET_CHECKPOINT_KEY to "
            "the node that deploys"
        )
    return application(settings, plan_for(settings, None))


def application(settings: Settings, plan: Plan, log_path: str | None = None) -> serve.Application:
    """What is deployed; `log_path` is where lines of the log go, standard error if nowhere."""
    deployed = serve.deployment(
        serve.ingress()(ServedReplica),
        name=DEPLOYMENT,
        logging_config=_QUIET,
        **plan.deployment(),
    )
    # Ray starts all replicas anew when what they are given changes; their number must not.
    alike = replace(settings, replicas=None, most_replicas=None)
    return deployed.bind(alike, log_path)


class Deployment:
    """The replicas of this machine, with a Ray of their own."""

    def __init__(
        self, settings: Settings, plan: Plan, port: int, cores: int, log_path: str
    ) -> None:
        """Starts Ray; comes back when all replicas accept.

        Raises:
            UnavailableError: they do not start; it says why.
        """
        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        cpus = max(cores, plan.most_replicas * plan.threads)
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            logging_level=logging.ERROR,
            # Replicas send their lines themselves; Ray's own are in its folder.
            log_to_driver=False,
        )
        options = {"host": settings.host, "port": port}
        try:
            serve.start(http_options=options, logging_config=_QUIET)
        except (ray.exceptions.RayError, TimeoutError) as error:
            self.stop()
            raise UnavailableError(f"Ray's proxy does not start: {reason_in(str(error))}") from None
        self._settings, self._plan, self._log_path = settings, plan, log_path
        self._scales = plan.most_replicas > plan.replicas
        try:
            self.scale(plan.replicas)
        except RuntimeError as error:
            told = serve.status().applications[APPLICATION].deployments
            reason = reason_in(told[DEPLOYMENT].message if DEPLOYMENT in told else str(error))
            self.stop()
            raise UnavailableError(f"the replicas do not start: {reason}") from None
        self._handle = serve.get_app_handle(APPLICATION)

    def scale(self, replicas: int) -> None:
        """So many replicas from now on, with autoscaling so many at least; those that stay go on.

        Raises:
            RuntimeError: they do not start.
        """
        most = max(replicas, self._plan.most_replicas if self._scales else 0)
        plan = replace(self._plan, replicas=replicas, most_replicas=most)
        wanted = application(self._settings, plan, self._log_path)
        serve.run(wanted, name=APPLICATION, route_prefix="/")

    def drain(self, seconds: float) -> None:
        """Every replica lets nobody in, and tells those inside to go."""
        self._ask("drain", seconds)

    def requests(self) -> int:
        """How many are inside, of all replicas."""
        return sum(census.requests for _, census in self._ask("census"))

    def stop(self) -> None:
        """Ends all replicas, and Ray."""
        serve.shutdown()
        ray.shutdown()

    def _ask(self, method: str, *arguments: object) -> list[Any]:
        try:
            return list(self._handle.broadcast(method, *arguments).results(timeout_s=5.0))
        except Exception as error:
            _LOG.warning("replicas did not answer %s: %s", method, error)
            return []


def _is_stopping() -> Callable[[], bool]:
    """Whether Ray is about to stop this replica: it waits for its clients, and does not tell it.

    Raises:
        OptionError: another version of Ray, in which that is not found.
    """
    try:
        actor = global_worker.actors[global_worker.actor_id]
        inner = actor._replica_impl
        assert isinstance(inner._shutting_down, bool)
    except (AttributeError, KeyError, AssertionError):
        raise OptionError(
            f"Ray {ray.__version__} does not say when a replica is to stop, so its clients could "
            "not be told; pip install 'parakeet-streaming[ray]' has a version that does"
        ) from None
    return lambda: bool(inner._shutting_down)
