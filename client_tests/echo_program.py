"""`parakeet serve` with one more endpoint: a socket that sends back what it is sent, at /echo.

Test suites of the WebSocket protocol need one. It is the server's own socket in all but that.
"""

from parakeet_streaming.cli import main
from parakeet_streaming.server import composition
from parakeet_streaming.server.http import Socket, SocketRoute


async def _echo(socket: Socket) -> None:
    await socket.accept()
    async for message in socket.messages():
        await socket.send(message)


if __name__ == "__main__":
    composition.DOORS.append(lambda *_: [SocketRoute("/echo", _echo)])
    main()
