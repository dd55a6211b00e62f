"""A socket that asks to be let in, and how its dialogue is opened, in; a talk or a refusal, out.

Rules of this file:

1. All that can be refused is refused in the handshake, by a reply with a body.
2. Whatever happens, the dialogue is closed, and so its streams are freed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from parakeet_streaming.server.dialogue import Dialogue, Line, Talk, log_error
from parakeet_streaming.server.http import Reply, Request
from parakeet_streaming.server.replies import Answer, UpgradeNeededError, answer_to
from parakeet_streaming.server.service import Service


class Socket(Line, Protocol):
    """What messages go over once it is let in: `http.Socket`, or a connection of another kind."""

    async def refuse(self, reply: Reply) -> None:
        """Answers the handshake with a reply instead."""
        ...


Opening = Callable[[str], Awaitable[Dialogue]]
"""Takes the name of the caller's key and opens the dialogue, or raises why it cannot be."""


def openai_refusal(answer: Answer) -> Reply:
    """A refusal as OpenAI's clients read it."""
    return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)


async def converse(
    service: Service,
    socket: Socket,
    door: str,
    opening: Opening,
    protocol: str | None = None,
    *,
    keyless: bool = False,
    refusal: Callable[[Answer], Reply] = openai_refusal,
) -> None:
    """Lets a socket in, or refuses it, and talks to it until it ends.

    Args:
        service: what all doors share.
        socket: not accepted yet.
        door: its name in metrics.
        opening: makes the dialogue.
        protocol: the subprotocol to accept.
        keyless: whether the protocol has no keys, so that none is asked for.
        refusal: how this protocol says that it lets nobody in.
    """
    try:
        owner = service.let_in(socket.caller, from_page=True, keyless=keyless)
        with service.counted_socket(door, owner, socket.caller):
            dialogue = await opening(owner)
            try:
                await Talk(service, socket, (door, owner), dialogue).run(protocol)
            finally:
                await dialogue.close()
    except Exception as error:  # whatever it is, the client is answered
        service.refused(error)
        answer = answer_to(error)
        log_error(error, door)
        await socket.refuse(refusal(answer))


async def foretell(service: Service, request: Request, opening: Opening) -> Reply:
    """What the handshake of a socket that asks the same is answered.

    Browsers do not show pages why a socket was refused, so that a page asks for it here.

    Args:
        service: what all doors share.
        request: of a socket's path, with its query.
        opening: makes the dialogue.
    """
    error: Exception = UpgradeNeededError("a WebSocket is answered at this path")
    try:
        owner = service.let_in(request.caller, from_page=True)
        with service.sockets.hold(owner, request.caller.address):
            await (await opening(owner)).close()
    except Exception as found:  # whatever it is, the client is answered
        error = found
        log_error(error, "")
    answer = answer_to(error)
    headers = {**answer.headers, "Cache-Control": "no-store"}
    return replace(Reply.of_json(answer.as_openai(), answer.status), headers=headers)
