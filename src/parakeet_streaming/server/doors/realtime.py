"""OpenAI Realtime over WebSockets, and short-lived keys for browsers.

- `WS /v1/realtime?intent=transcription`: see `realtime.py`.
- `POST /v1/realtime/client_secrets`, and `/v1/realtime/transcription_sessions` of before: a key
  that is valid for minutes, and what is to hold for the session of whoever shows it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from parakeet_streaming.server.access import KEY_PROTOCOL
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.handshake import converse
from parakeet_streaming.server.http import HttpRoute, Reply, Request, Socket, SocketRoute
from parakeet_streaming.server.protocols.fields import MOST_TEXT, Fields, object_of
from parakeet_streaming.server.protocols.openai_realtime_options import first_settings
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings, with_query_format
from parakeet_streaming.server.realtime import RealtimeDialogue
from parakeet_streaming.server.replies import AccessError, TooLargeError, WrongRequestError
from parakeet_streaming.server.service import Service

DOOR: Final = "realtime"
_MOST_BODY_BYTES: Final = 65_536
_LASTS_S: Final = (10, 7_200)
_USUALLY_LASTS_S: Final = 600
_OLDER_USUALLY_LASTS_S: Final = 60
_OLDER_PROTOCOL: Final = "openai-beta.realtime-v1"


def routes(service: Service) -> Sequence[HttpRoute | SocketRoute]:
    """Where it is found."""
    door = RealtimeDoor(service)
    return (
        SocketRoute("/v1/realtime", door.talk),
        HttpRoute("/v1/realtime/client_secrets", door.client_secret, ("POST",)),
        HttpRoute("/v1/realtime/transcription_sessions", door.transcription_session, ("POST",)),
    )


class RealtimeDoor:
    """Answers with one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def talk(self, socket: Socket) -> None:
        """Talks to one socket until it ends."""
        caller = socket.caller

        async def opening(_: str) -> RealtimeDialogue:
            older = _is_older(caller)
            return RealtimeDialogue(
                self._service, asked_settings(self._service, caller), older=older
            )

        await converse(self._service, socket, DOOR, opening, _accepted_protocol(caller))

    async def client_secret(self, request: Request) -> Reply:
        """A short-lived key, with today's session."""
        owner = self._owner(request)
        body = await _body(request)
        settings = self._settings(body.inner("session"))
        after = body.inner("expires_after")
        lasts_s = None
        if after is not None:
            after.choice("anchor", ("created_at",))
            lasts_s = after.number("seconds", *_LASTS_S)
        lasts_s = int(lasts_s or _USUALLY_LASTS_S)
        value, expires_at = await self._new_secret(owner, lasts_s, settings)
        session = settings.told(value.partition("_")[2][:16])
        return Reply.of_json({"value": value, "expires_at": expires_at, "session": session})

    async def transcription_session(self, request: Request) -> Reply:
        """The same as it was asked for before: the body is the session."""
        owner = self._owner(request)
        settings = self._settings(await _body(request))
        value, expires_at = await self._new_secret(owner, _OLDER_USUALLY_LASTS_S, settings)
        session = settings.told_before(value.partition("_")[2][:16])
        secret = {"value": value, "expires_at": expires_at}
        return Reply.of_json(session | {"client_secret": secret})

    def _owner(self, request: Request) -> str:
        """Who asks for a key; a short-lived one does not get another."""
        service, caller = self._service, request.caller
        owner = service.let_in(caller)
        if service.access.secret(caller, service.clock()) is not None:
            raise AccessError("a short-lived key cannot ask for another one; use an API key")
        return owner

    def _settings(self, asked: Fields | None) -> Settings:
        service = self._service
        settings = first_settings(service.model.name, service.defaults)
        if asked is not None:
            settings = settings.updated(asked)
        service.model.check(settings.model)
        return settings

    async def _new_secret(self, owner: str, lasts_s: int, settings: Settings) -> tuple[str, int]:
        """The key, and the Unix time at which it expires."""
        service = self._service
        secret = service.access.new_secret(owner, lasts_s, service.clock(), settings)
        if service.replicas is not None:
            await service.replicas.share(secret, lasts_s)
        return secret.value, int(time.time()) + lasts_s


def asked_settings(service: Service, caller: Caller) -> Settings:
    """What holds for a session before the client's first message: its key's, and its address's.

    Raises:
        WrongRequestError: the address asks for what is not here.
    """
    query = caller.query
    if query.get("intent", "transcription") != "transcription":
        raise WrongRequestError("only intent=transcription is served here", "intent")
    secret = service.access.secret(caller, service.clock())
    settings = None if secret is None else secret.session
    if not isinstance(settings, Settings):
        settings = first_settings(service.model.name, service.defaults)
    service.model.check(query.get("model"))
    settings = replace(settings, model=query.get("model", "")[:MOST_TEXT] or settings.model)
    return with_query_format(settings, query.get("input_audio_format"))


def _is_older(caller: Caller) -> bool:
    beta = caller.headers.get("openai-beta", "")
    return "realtime" in beta or _OLDER_PROTOCOL in caller.protocols


def _accepted_protocol(caller: Caller) -> str | None:
    """One of the subprotocols that the client offers, never the one with its key."""
    offered = [each for each in caller.protocols if not each.startswith(KEY_PROTOCOL)]
    return "realtime" if "realtime" in offered else next(iter(offered), None)


async def _body(request: Request) -> Fields:
    """The body as an object; an empty one is an empty object."""
    body = bytearray()
    async for piece in request.body():
        body += piece
        if len(body) > _MOST_BODY_BYTES:
            raise TooLargeError(f"the body may have {_MOST_BODY_BYTES} bytes")
    values: Mapping[str, object] = object_of(bytes(body)) if body.strip() else {}
    return Fields(values)
