"""A server with the REST door alone, over a real socket, for tests."""

import asyncio
import threading
from contextlib import contextmanager

import uvicorn

from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import load
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.doors.rest import RestDoor
from parakeet_streaming.server.http import Reply, application
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import UnknownPathError, answer_to
from parakeet_streaming.server.service import LoadedModel, Service

LONG_S = 60.0


class Serving:
    """A server that runs in a thread."""

    def __init__(self, engine, keys=None, limits=None, strict=False, routes=()):
        self._engine, self._keys = engine, keys or {}
        self._limits, self._strict = limits or Limits(), strict
        self._routes = routes
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(LONG_S)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, function, *arguments):
        """Runs a function in the server's loop."""

        async def run():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(LONG_S)

    async def _run(self):
        self.loop = asyncio.get_running_loop()
        model = LoadedModel("tiny-en", 1_700_000_000, ("en",), strict=self._strict)
        self.service = Service(
            self._engine,
            model,
            LiveOptions(),
            Access(self._keys),
            self._limits,
            ServerMetrics(self._keys),
        )
        app = application([*RestDoor(self.service).routes(), *self._routes], not_found, failed)
        config = uvicorn.Config(
            app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=2
        )
        self.server = uvicorn.Server(config)
        serving = asyncio.create_task(self.server.serve())
        while not self.server.started:
            await asyncio.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self._started.set()
        await serving


async def not_found(_):
    return failed(UnknownPathError("nothing is there"))


def failed(error):
    answer = answer_to(error)
    return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)


@contextmanager
def engine_of_the_built_in_model(**options):
    with LiveEngine(load("tiny-en", provider="cpu", threads=1), **options) as engine:
        yield engine
