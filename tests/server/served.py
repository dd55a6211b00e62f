"""Routes over real sockets, in the test's own event loop."""

import asyncio
from contextlib import asynccontextmanager
from functools import cache

import uvicorn

from parakeet_streaming import LiveEngine, load, load_vad
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.http import Reply, application
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import UnknownPathError, answer_to
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.timeline import ContextConfig

FIXED = LiveOptions(DelayRange.fixed(ContextConfig.balanced()))


@cache
def models():
    """The built-in ones, loaded once: they are frozen, so engines may share them."""
    return load("tiny-en", threads=1), load_vad()


def replied(error):
    answer = answer_to(error)
    return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)


async def not_found(_):
    return replied(UnknownPathError("nothing is here"))


def served(test, routes_of, *, keys=None, limits=None, streams=64, defaults=FIXED, origins=()):
    """Runs `test(service, address)` while the routes of `routes_of(service)` are served."""

    async def run():
        async with serving(
            routes_of, keys=keys, limits=limits, streams=streams, defaults=defaults, origins=origins
        ) as (service, address):
            return await asyncio.wait_for(test(service, address), 120)

    return asyncio.run(run())


@asynccontextmanager
async def serving(
    routes_of,
    *,
    keys=None,
    limits=None,
    streams=64,
    defaults=FIXED,
    origins=(),
    strict=False,
    recognizer=None,
):
    keys = keys or {}
    usual, vad = models()
    async with LiveEngine(recognizer or usual, vad, most_streams=streams) as engine:
        service = Service(
            engine,
            LoadedModel("tiny-en", 0, strict=strict),
            defaults,
            Access(keys, origins),
            limits or Limits(),
            ServerMetrics(keys),
        )
        app = application(routes_of(service), not_found, replied)
        config = uvicorn.Config(
            app, port=0, log_level="error", lifespan="off", ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield service, f"127.0.0.1:{port}"
        finally:
            server.should_exit = server.force_exit = True
            await running
