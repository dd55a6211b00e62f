"""`parakeet serve` with one more door: a socket that echoes text, and hears sound, at /echo.

Text comes back as it is. Bytes are sound, 16-bit at 16 kHz; their utterances come back as
`heard: WORDS` when the server drains. After `stay` the dialogue never ends by itself.
"""

import asyncio

from parakeet_streaming.cli import main
from parakeet_streaming.server import composition
from parakeet_streaming.server.connection import ChannelOptions, Connection
from parakeet_streaming.server.handshake import converse
from parakeet_streaming.server.http import SocketRoute
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.server.session_events import Ended


class Echo:
    def __init__(self, service):
        options = ChannelOptions(service.defaults)
        self._connection = Connection(service.engine, options)
        self._stays = False
        self.stream_ids = "echo-1"

    def greeting(self):
        return ["hello"]

    async def receive(self, message):
        if isinstance(message, bytes):
            await self._connection.push(message)
            return []
        if message == "wrong":
            raise WrongRequestError("that is wrong", "field")
        if message == "fail":
            raise RuntimeError("/a/file/of/this/machine")
        self._stays |= message == "stay"
        return [message]

    def finish(self):
        self._connection.finish()

    def going_away(self, seconds):
        return ["going away"]

    def failed(self, error):
        return [f"failed: {type(error).__name__}"]

    async def events(self):
        async for event in self._connection.events():
            if isinstance(event, Ended) and event.text:
                yield [f"heard: {event.text}"]
        if self._stays:
            await asyncio.Event().wait()

    async def close(self):
        await self._connection.close()


def routes(service, _):
    async def open_echo(owner):
        return Echo(service)

    async def talk(socket):
        await converse(service, socket, "native", open_echo)

    return [SocketRoute("/echo", talk)]


if __name__ == "__main__":
    composition.DOORS.append(routes)
    main()
