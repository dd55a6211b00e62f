"""A real server for a test: uvicorn on a port of its own, in a thread, with the built-in model."""

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import uvicorn

from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import load, load_vad
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.http import Reply, application
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import UnknownPathError, answer_to
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.timeline import ContextConfig


@cache
def models():
    return load("tiny-en", provider="cpu", threads=1), load_vad()


def refusal(error):
    answer = answer_to(error)
    return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)


async def not_found(_):
    return refusal(UnknownPathError("no such path"))


@dataclass
class Running:
    """What a test may use of it."""

    port: int
    service: Service
    loop: asyncio.AbstractEventLoop

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def call(self, function, *arguments):
        """Calls in the server's event loop."""

        async def called():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(30)


def service_of(engine, *, keys=None, limits=None, strict=False, context="balanced"):
    keys = keys or {}
    return Service(
        engine,
        LoadedModel("tiny-en", 0, ("en",), strict=strict),
        LiveOptions(DelayRange.fixed(ContextConfig.parse(context))),
        Access(keys),
        limits or Limits(),
        ServerMetrics(keys),
    )


@contextmanager
def running(routes, *, most_streams=16, **options):
    """Runs a server with the routes that `routes(service)` gives."""
    recognizer, vad = models()
    started, found = threading.Event(), []

    async def serve():
        async with LiveEngine(recognizer, vad, most_streams=most_streams) as engine:
            service = service_of(engine, **options)
            app = application(routes(service), not_found, refusal)
            config = uvicorn.Config(
                app, port=0, log_level="warning", lifespan="off", ws_max_size=64 << 20
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.005)
            port = server.servers[0].sockets[0].getsockname()[1]
            found.extend((Running(port, service, asyncio.get_running_loop()), server))
            started.set()
            await serving

    def run():
        try:
            asyncio.run(serve())
        finally:
            started.set()

    thread = threading.Thread(target=run, name="test server")
    thread.start()
    try:
        started.wait(60)
        yield found[0]
    finally:
        if found:
            found[1].should_exit = True
        thread.join(30)
    assert not thread.is_alive()
