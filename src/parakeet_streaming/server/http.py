"""Starlette in; requests, replies and sockets as the doors know them, out.

The doors know only what is here, so no other file imports Starlette.

Rules of this file:

1. A body is read as it comes, and never as a whole. A door that answers before it has read all of
   it leaves the rest unread.
2. A socket is refused before it is accepted by a reply with a status and a body, as a request is.
3. A client that is gone ends `Socket.messages`; what is sent to it after that is dropped.
4. Whatever no route fits is answered in words: no path, no such method of it, no socket there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.replies import UnknownPathError, WrongMethodError


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status."""

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    unread_s: float | None = None
    """For how long a client may not read a body that comes in pieces; it is cut off then."""
    on_end: Callable[[], Awaitable[None]] | None = None
    """Called when a body that comes in pieces was sent, or cannot be; in any case once."""

    @classmethod
    def of_json(cls, value: object, status: int = 200, **headers: str) -> Reply:
        """A value as JSON; underscores in the names of `headers` stand for hyphens."""
        body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, body, headers=named)


class Request:
    """One HTTP request."""

    def __init__(self, request: StarletteRequest) -> None:
        self._request = request
        self.caller: Final = _caller(request)
        self.method: Final = request.method
        self.path: Final = request.url.path
        self.path_values: Final[Mapping[str, str]] = request.path_params

    async def body(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            ConnectionError: the client is gone.
        """
        try:
            async for piece in self._request.stream():
                if piece:
                    yield piece
        except ClientDisconnect:
            raise ConnectionError("the client has gone") from None

    async def is_gone(self) -> bool:
        """Whether the client has gone; only after all of the body was read."""
        return await self._request.is_disconnected()

    async def wait_until_gone(self) -> None:
        """Until the client has gone; only after all of the body was read."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


class Socket:
    """One WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.caller: Final = _caller(socket, tuple(socket.scope.get("subprotocols", ())))
        self.path_values: Final[Mapping[str, str]] = socket.path_params

    async def accept(self, protocol: str | None = None) -> None:
        """Takes the connection, with one of the subprotocols that it offers."""
        await self._socket.accept(protocol)

    async def refuse(self, reply: Reply) -> None:
        """Answers the handshake with a reply instead."""
        assert isinstance(reply.body, bytes), "a refusal is short"
        headers = dict(reply.headers)
        await self._socket.send_denial_response(
            Response(reply.body, reply.status, headers, reply.content_type)
        )

    async def messages(self) -> AsyncIterator[str | bytes]:
        """What the client sends, until it closes or is gone."""
        while True:
            message = await self._socket.receive()
            if message["type"] != "websocket.receive":
                return
            data = message.get("bytes")
            yield data if data is not None else message["text"]

    async def send(self, message: str | bytes) -> None:
        """Sends; waits while the client reads slowly."""
        if not self._is_open:
            return
        try:
            if isinstance(message, str):
                await self._socket.send_text(message)
            else:
                await self._socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError):
            return

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes; a reason is cut to the 123 bytes that a close frame holds."""
        if not self._is_open:
            return
        short = reason.encode()[:123].decode(errors="ignore")
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await self._socket.close(code, short)
            # A connection that ends with messages unread is reset, and the last words with it.
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                while (await self._socket.receive())["type"] != "websocket.disconnect":
                    pass

    @property
    def _is_open(self) -> bool:
        states = (self._socket.client_state, self._socket.application_state)
        return all(state is WebSocketState.CONNECTED for state in states)


_CLOSES_WITHIN_S: Final = 2.0
"""For a client to answer a close."""

Answering = Callable[[Request], Awaitable[Reply]]
Talking = Callable[[Socket], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """A path, its methods, and who answers."""

    path: str
    answer: Answering
    methods: Sequence[str] = ("GET",)


@dataclass(frozen=True, slots=True)
class SocketRoute:
    """A path whose WebSockets are talked to."""

    path: str
    talk: Talking


def application(
    routes: Sequence[HttpRoute | SocketRoute],
    not_found: Answering,
    failed: Callable[[Exception], Reply],
) -> ASGIApp:
    """The application of these routes, tried in order.

    Args:
        routes: who answers what.
        not_found: answers what no route fits.
        failed: the reply for an error that a door did not expect, and for a wrong method.
    """

    async def unmatched(request: StarletteRequest, _: Exception) -> Response:
        return _response(await not_found(Request(request)))

    async def wrong_method(request: StarletteRequest, error: Exception) -> Response:
        allowed = dict(getattr(error, "headers", None) or {})
        reply = failed(WrongMethodError(f"{request.url.path} takes no {request.method}"))
        return _response(replace(reply, headers={**reply.headers, **allowed}))

    async def no_socket(socket: Socket) -> None:
        await socket.refuse(failed(UnknownPathError("no socket is answered at this path")))

    made: list[Route | WebSocketRoute] = []
    for route in routes:
        if isinstance(route, HttpRoute):
            made.append(
                Route(route.path, _endpoint(route.answer, failed), methods=list(route.methods))
            )
        else:
            made.append(WebSocketRoute(route.path, _talking(route.talk)))
    made.append(WebSocketRoute("/{path:path}", _talking(no_socket)))
    return Starlette(routes=made, exception_handlers={404: unmatched, 405: wrong_method})


def _endpoint(
    answer: Answering, failed: Callable[[Exception], Reply]
) -> Callable[[StarletteRequest], Awaitable[Response]]:
    async def endpoint(request: StarletteRequest) -> Response:
        try:
            return _response(await answer(Request(request)))
        except Exception as error:  # whatever it is, the client gets an answer
            return _response(failed(error))

    return endpoint


def _talking(talk: Talking) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(socket: WebSocket) -> None:
        await talk(Socket(socket))

    return endpoint


def _response(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, reply.content_type)
    return _InPieces(reply, reply.body, headers)


class _InPieces(StreamingResponse):
    """A body that comes in pieces, to a client that may read slowly, or go."""

    def __init__(
        self, reply: Reply, body: AsyncIterator[bytes], headers: Mapping[str, str]
    ) -> None:
        super().__init__(body, reply.status, headers, reply.content_type)
        self._unread_s, self._on_end = reply.unread_s, reply.on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._on_end is not None:
                await self._on_end()

    async def stream_response(self, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(self._unread_s):
                await send(message)

        # A TimeoutError ends the request, and the server closes the connection.
        await super().stream_response(patient)


def _caller(connection: StarletteRequest | WebSocket, protocols: tuple[str, ...] = ()) -> Caller:
    address = "" if connection.client is None else connection.client.host
    query = connection.query_params
    repeated = {name: query.getlist(name) for name in query}
    return Caller(address, dict(connection.headers), dict(query), protocols, repeated)
