"""`WS /v1/stream`: binary PCM in, JSON events out. `docs/protocol.md` specifies it."""

from __future__ import annotations

from dataclasses import replace

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.handshake import Opening, converse, foretell, openai_refusal
from parakeet_streaming.server.http import HttpRoute, Reply, Request, Socket, SocketRoute
from parakeet_streaming.server.native import NativeDialogue
from parakeet_streaming.server.protocols import native
from parakeet_streaming.server.protocols.native_settings import StreamSettings, comes_back
from parakeet_streaming.server.replies import AGAIN_AFTER_S, Answer
from parakeet_streaming.server.service import Service

DOOR = "native"
PATH = "/v1/stream"


def routes(service: Service) -> list[HttpRoute | SocketRoute]:
    """Where it is found."""

    def opening(caller: Caller) -> Opening:
        async def opened(owner: str) -> NativeDialogue:
            service.model.check(caller.query.get("model"))
            settings = StreamSettings(writing=service.writing).with_fields(caller.query)
            return await NativeDialogue.open(service, settings, owner)

        return opened

    async def talk(socket: Socket) -> None:
        offered = native.SUBPROTOCOL in socket.caller.protocols
        protocol = native.SUBPROTOCOL if offered else None

        def refusal(answer: Answer) -> Reply:
            if answer.retry_after_s is not None and comes_back(socket.caller.query):
                answer = replace(answer, retry_after_s=AGAIN_AFTER_S)
            return openai_refusal(answer)

        await converse(service, socket, DOOR, opening(socket.caller), protocol, refusal=refusal)

    async def explain(request: Request) -> Reply:
        return await foretell(service, request, opening(request.caller))

    return [SocketRoute(PATH, talk), HttpRoute(PATH, explain)]
