"""`WS /v1/stream`: binary PCM in, JSON events out. `docs/protocol.md` specifies it."""

from __future__ import annotations

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.handshake import Opening, converse, foretell
from parakeet_streaming.server.http import HttpRoute, Reply, Request, Socket, SocketRoute
from parakeet_streaming.server.native import NativeDialogue
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.service import Service

DOOR = "native"
PATH = "/v1/stream"


def routes(service: Service) -> list[HttpRoute | SocketRoute]:
    """Where it is found."""

    def opening(caller: Caller) -> Opening:
        async def opened(owner: str) -> NativeDialogue:
            service.model.check(caller.query.get("model"))
            settings = StreamSettings().with_fields(caller.query)
            return await NativeDialogue.open(service, settings, owner)

        return opened

    async def talk(socket: Socket) -> None:
        offered = native.SUBPROTOCOL in socket.caller.protocols
        await converse(
            service, socket, DOOR, opening(socket.caller), native.SUBPROTOCOL if offered else None
        )

    async def explain(request: Request) -> Reply:
        return await foretell(service, request, opening(request.caller))

    return [SocketRoute(PATH, talk), HttpRoute(PATH, explain)]
