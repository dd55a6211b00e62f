"""`/healthz`, `/readyz` and `/metrics`: how the server goes, for those who watch it.

Rules of this file:

1. They say nothing about a failure but that there is one. The log has more.
2. They are answered while the server drains, too.
3. Metrics need a key where the server has keys, unless they are open. Of several replicas the one
   that is asked tells those of all.
"""

from __future__ import annotations

import asyncio
from typing import Final

from parakeet_streaming.metrics.joining import joined
from parakeet_streaming.metrics.prometheus import process_text, prometheus_text
from parakeet_streaming.server.http import HttpRoute, Reply, Request
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.service import Service

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_NO_STORE: Final = {"Cache-Control": "no-store"}


def routes(service: Service, *, open_metrics: bool) -> list[HttpRoute]:
    """The three routes.

    Args:
        service: what all doors share.
        open_metrics: whether metrics need no key.
    """

    async def healthz(_: Request) -> Reply:
        return _status("ok" if service.engine.failure is None else "failed")

    async def readyz(_: Request) -> Reply:
        if service.engine.failure is not None:
            return _status("failed")
        return _status("draining" if service.drain.draining else "ready")

    async def metrics(request: Request) -> Reply:
        if not open_metrics:
            service.access.owner(request.caller, service.clock())
        if service.replicas is None:
            text = await metrics_of(service)
        else:
            text = joined(await service.replicas.metrics(), service.replicas.label)
        return Reply(200, text.encode(), _TEXT, _NO_STORE)

    return [
        HttpRoute("/healthz", healthz),
        HttpRoute("/readyz", readyz),
        HttpRoute("/metrics", metrics),
    ]


async def metrics_of(service: Service) -> str:
    """What this server counts, in Prometheus's text."""
    service.metrics.load.set(service.engine.stats().load)
    service.metrics.draining.set(float(service.drain.draining))
    return await asyncio.to_thread(_metrics_text, service)


def _status(status: str) -> Reply:
    good = status in ("ok", "ready")
    return Reply.of_json({"status": status}, 200 if good else 503, Cache_Control="no-store")


def _metrics_text(service: Service) -> str:
    return prometheus_text(service.engine.metrics) + own_text(service.metrics)


def own_text(metrics: ServerMetrics) -> str:
    """What the doors count, and this process."""
    return prometheus_text(metrics) + process_text()
