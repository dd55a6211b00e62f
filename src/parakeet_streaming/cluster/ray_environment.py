"""Settings and an environment in; what Ray must be told before it starts, and what is wrong, out.

Ray reads these variables when it is imported and in processes of its own, so that nothing can be
mended later. `docs/ray.md` says what each is for.

Rules of this file:

1. What the environment says already stands, unless it would cut clients: that is refused.
2. A socket may last as long as the settings say, whatever stands in front of the replica.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from parakeet_streaming.server.settings import Settings

_USES_HAPROXY: Final = "RAY_SERVE_ENABLE_HA_PROXY"
_HARD_STOP: Final = "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S"
_CLIENT_SILENT: Final = "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S"
_SERVER_SILENT: Final = "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S"
_CONNECTIONS: Final = "RAY_SERVE_HAPROXY_MAXCONN"
_DEFAULTS: Final = {_HARD_STOP: "120", _CLIENT_SILENT: "3600", _CONNECTIONS: "4096"}
_BETWEEN_MESSAGES_S: Final = 60
"""More than the time between a message and the next, as it is counted elsewhere."""
_QUARANTINE_S: Final = 150
"""Ray keeps a port that a replica gave back from others as long as the hard stop, which is hours
here. A balancer that still has it is told 404 or refused, and asks another replica."""
_STARTS_WITHIN_S: Final = 50
"""Of the 60 s for which Ray waits for its proxies at start."""
_LEAST_CONNECTIONS: Final = 4_096
_OTHER_FILES: Final = 500
_DEREGISTERED_WITHIN_S: Final = 2
"""On one machine the balancer hears of a replica that stops at once."""


def of_one_machine(
    settings: Settings,
    slots: int,
    cores: int,
    files: int,
    folder: str,
    ports: tuple[int, int, int, int],
    token: str,
) -> dict[str, str]:
    """What Ray is to be told where it is started for these replicas alone.

    Args:
        settings: of each replica.
        slots: requests that all replicas take together.
        cores: of this machine.
        files: that a process may have open.
        folder: of this user alone, with a short path, for the balancer's files.
        ports: free ones: the balancer's metrics and its status page, and Ray's own proxy for HTTP
            and gRPC.
        token: a new secret, which Ray's processes show each other.
    """
    metrics, status, proxy_http, proxy_grpc = ports
    trusted = settings.trusted_proxy
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_COLOR_PREFIX": "0",
        # What two replicas log alike is held back for seconds otherwise, and told once.
        "RAY_DEDUP_LOGS": "0",
        # Or else what a client writes into X-Forwarded-For is believed, as the balancer is near.
        "FORWARDED_ALLOW_IPS": ",".join(("127.0.0.1", *trusted)) if trusted else "",
        _USES_HAPROXY: "1",
        _HARD_STOP: str(_longest_s(settings)),
        "RAY_SERVE_PORT_QUARANTINE_S": str(_QUARANTINE_S),
        _CONNECTIONS: str(_connections(slots, files)),
        "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, cores)),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": str(_DEREGISTERED_WITHIN_S),
        # A balancer that starts slowly, where much else runs, is killed after 5 s otherwise.
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": str(_STARTS_WITHIN_S),
        # One event loop for Ray and the application: no message goes from thread to thread.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": folder,
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(status),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(proxy_http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(proxy_grpc),
    }


def problems(environment: Mapping[str, str], settings: Settings) -> list[str]:
    """What would cut clients; each says what to set. None where Ray's own proxy is used."""
    if environment.get(_USES_HAPROXY) != "1":
        return []
    found = []
    longest_s = _longest_s(settings)
    if _number(environment, _HARD_STOP) < longest_s:
        found.append(
            f"{_HARD_STOP}={_told(environment, _HARD_STOP)} cuts every socket so many seconds "
            "after the number of replicas changes: set it, before Ray starts on the head node, to "
            f"{longest_s} or more, or session_s to less"
        )
    idle_s = math.ceil(max(settings.idle_s, settings.ping_s)) + _BETWEEN_MESSAGES_S
    found.extend(
        f"{name}={_told(environment, name)} cuts sockets that wait: set it, before Ray starts, to "
        f"{idle_s} or more"
        for name in (_CLIENT_SILENT, _SERVER_SILENT)
        # Where nothing is told of the server's side, there is no bound.
        if _told(environment, name) and _number(environment, name) < idle_s
    )
    return found


def _connections(slots: int, files: int) -> int:
    """Each is up to three open files; the balancer does not start where it may not have them."""
    return max(1, min(max(_LEAST_CONNECTIONS, 2 * slots), (files - _OTHER_FILES) // 3))


def _longest_s(settings: Settings) -> int:
    return math.ceil(settings.session_s + settings.drain_s) + _BETWEEN_MESSAGES_S


def _told(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or _DEFAULTS.get(name, "")


def _number(environment: Mapping[str, str], name: str) -> float:
    try:
        return float(_told(environment, name) or 0)
    except ValueError:
        return 0.0
