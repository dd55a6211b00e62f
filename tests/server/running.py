"""Routes over real sockets, in a thread, for clients that have no event loop."""

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass

from parakeet_streaming.server.service import Service
from tests.server.served import serving


@dataclass
class Running:
    """What a test may use of it."""

    address: str
    service: Service
    loop: asyncio.AbstractEventLoop

    @property
    def base_url(self):
        return f"http://{self.address}/v1"

    def call(self, function):
        """Calls in the server's event loop."""

        async def called():
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(60)


@contextmanager
def running(routes_of, **options):
    """Serves the routes that `routes_of(service)` gives; options as of `serving`."""
    started, found = threading.Event(), []

    async def serve():
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with serving(routes_of, **options) as (service, address):
            found.extend((Running(address, service, loop), stop))
            started.set()
            await stop.wait()

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
            server, stop = found
            server.loop.call_soon_threadsafe(stop.set)
        thread.join(60)
    assert not thread.is_alive()
