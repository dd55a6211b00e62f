"""OpenAI Realtime over WebRTC: a call's sound is the audio, its channel `oai-events` the events.

- `POST /v1/realtime/calls` answers an offer: 201, with the answer and the call's `Location`. The
  offer is the body (`application/sdp`), or the part `sdp` of a form, beside a part `session`.
- `DELETE` of that location, or `POST` to its `/hangup`, ends the call after its last words.

Rules of this file:

1. A call is let in, counted and limited as a socket is. Its place is held from its offer on, and is
   free when it has ended, whoever ended it, or when it does not connect.
2. Whoever shows another key than the one that began a call does not find it.
3. Pages of allowed sites may begin calls; pages of others may not, whatever they send.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from parakeet_streaming.errors import ExtraMissingError
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.dialogue import Talk, log_error
from parakeet_streaming.server.doors.realtime import asked_settings
from parakeet_streaming.server.http import HttpRoute, Reply, Request
from parakeet_streaming.server.multipart import MultipartReader, PartBegin, PartData
from parakeet_streaming.server.protocols.fields import Fields, object_of
from parakeet_streaming.server.protocols.openai_realtime_settings import AudioFormat, Settings
from parakeet_streaming.server.protocols.sdp_offer import MOST_OFFER_BYTES, read_offer
from parakeet_streaming.server.realtime import RealtimeDialogue
from parakeet_streaming.server.replies import (
    SessionTimeError,
    TooLargeError,
    UnknownPathError,
    WrongRequestError,
    answer_to,
)
from parakeet_streaming.server.service import Service

if TYPE_CHECKING:
    from parakeet_streaming.server.peers import Peer, Peers

DOOR: Final = "webrtc"
PATH: Final = "/v1/realtime/calls"
_LOG: Final = logging.getLogger("parakeet_streaming.server")
_MOST_BODY_BYTES: Final = 2 * MOST_OFFER_BYTES
_BODY_WITHIN_S: Final = 20.0
_LAST_WORDS_S: Final = 5.0
"""For a call that is hung up."""


def routes(
    service: Service, host: str, stun_server: str | None = None, unheard_s: float = 30.0
) -> Sequence[HttpRoute]:
    """Where calls begin and end; without the extra `webrtc` they are answered with 501.

    Raises:
        OptionError: there is no such host.
    """
    found = _peers()
    peers = found if isinstance(found, ExtraMissingError) else found(host, stun_server, unheard_s)
    door = CallsDoor(service, peers)
    return (
        HttpRoute(PATH, door.begin, ("POST",)),
        HttpRoute(f"{PATH}/{{id}}", door.end, ("DELETE",)),
        HttpRoute(f"{PATH}/{{id}}/hangup", door.end, ("POST",)),
        HttpRoute(PATH, door.preflight, ("OPTIONS",)),
        HttpRoute(f"{PATH}/{{id}}", door.preflight, ("OPTIONS",)),
    )


def is_there() -> bool:
    """Whether calls can be answered: the extra `webrtc` is installed."""
    return not isinstance(_peers(), ExtraMissingError)


def _peers() -> type[Peers] | ExtraMissingError:
    try:
        from parakeet_streaming.server.peers import Peers
    except ImportError as error:
        return ExtraMissingError(
            f"this server takes no calls, aiortc is not there ({error}); "
            "pip install 'parakeet-streaming[webrtc]', or use WS /v1/realtime"
        )
    return Peers


@dataclass(frozen=True, slots=True)
class _Call:
    """One that has not ended."""

    owner: str
    peer: Peer
    dialogue: RealtimeDialogue
    task: asyncio.Task[None]


class CallsDoor:
    """Answers with one service."""

    def __init__(self, service: Service, peers: Peers | ExtraMissingError) -> None:
        """`peers`: makes calls, or says why there are none."""
        self._service = service
        self._peers = peers
        self._calls: dict[str, _Call] = {}
        service.end_call_here = self.end_here

    async def begin(self, request: Request) -> Reply:
        """Answers an offer."""
        try:
            reply = await self._begun(request)
        except ConnectionError:
            return Reply(400)  # to nobody
        except Exception as error:  # whatever it is, the client gets an answer
            reply = self._refusal(error)
        return self._readable(reply, request.caller)

    async def end(self, request: Request) -> Reply:
        """Ends a call."""
        caller = request.caller
        try:
            await self._end(caller, request.path_values["id"])
        except Exception as error:  # the same
            return self._readable(self._refusal(error), caller)
        reply = Reply(204 if request.method == "DELETE" else 200)
        return self._readable(reply, caller)

    async def preflight(self, request: Request) -> Reply:
        """What a browser asks before a page of another site may begin a call."""
        return self._readable(Reply(204), request.caller)

    async def end_here(self, name: str, owner: str) -> bool:
        """Ends a call of this server; whether there is one of that name and key."""
        call = self._calls.get(name)
        if call is None or call.owner != owner:
            return False
        call.peer.give_up()
        call.dialogue.finish()
        await asyncio.wait([call.task], timeout=_LAST_WORDS_S)
        if call.task.cancel():
            await asyncio.wait([call.task])
        return True

    async def _end(self, caller: Caller, name: str) -> None:
        access, replicas = self._service.access, self._service.replicas
        access.check_origin(caller)
        owner = access.owner(caller, self._service.clock())
        if await self.end_here(name, owner):
            return
        if replicas is None or not await replicas.end_call(name, owner):
            raise UnknownPathError("there is no such call, or it has ended")

    async def _begun(self, request: Request) -> Reply:
        service, caller = self._service, request.caller
        owner = service.let_in(caller, from_page=True)
        if isinstance(self._peers, ExtraMissingError):
            raise self._peers
        offer, session = await _asked(request)
        settings = self._settings(caller, session)
        async with AsyncExitStack() as stack:
            stack.enter_context(service.counted_socket(DOOR, owner, caller))
            track = AudioFormat("s16le", 48_000, channels=2)
            dialogue = RealtimeDialogue(service, settings, track=track)
            stack.push_async_callback(dialogue.close)
            peer = self._peers.new(caller)
            stack.push_async_callback(peer.end)
            answer = await peer.answer(offer)
            # Nothing is awaited between here and the task, which closes what is held.
            held = stack.pop_all()
        return self._answered(peer, dialogue, owner, held, answer)

    def _answered(
        self, peer: Peer, dialogue: RealtimeDialogue, owner: str, held: AsyncExitStack, answer: str
    ) -> Reply:
        name = f"rtc_{secrets.token_hex(16)}"
        task = asyncio.create_task(self._talk(peer, dialogue, owner, held))
        self._calls[name] = _Call(owner, peer, dialogue, task)
        task.add_done_callback(lambda _: self._calls.pop(name))
        return Reply(201, answer.encode(), "application/sdp", {"Location": f"{PATH}/{name}"})

    async def _talk(
        self, peer: Peer, dialogue: RealtimeDialogue, owner: str, held: AsyncExitStack
    ) -> None:
        """Talks to a caller until the call ends, and frees what it held."""
        talk = Talk(self._service, peer, (DOOR, owner), dialogue)

        async def hearing() -> None:
            async for sound in peer.sound():
                talk.heard(len(sound.data))
                if sound.missing:
                    dialogue.lose(sound.missing)
                await dialogue.push(sound.data)
                talk.heard(0)

        async with held:
            leaving = asyncio.create_task(self._give_up_when_draining(peer))
            try:
                await talk.run(hearing=hearing)
            except ConnectionError as error:
                _LOG.info("%s", error, extra={"door": DOOR, "stream": dialogue.stream_ids})
            except Exception as error:  # nobody is there to be told
                self._service.refused(error)
                log_error(error, DOOR, dialogue.stream_ids)
            finally:
                leaving.cancel()

    async def _give_up_when_draining(self, peer: Peer) -> None:
        await self._service.drain.wait()
        peer.give_up()

    def _settings(self, caller: Caller, session: bytes | None) -> Settings:
        settings = asked_settings(self._service, caller)
        if session:
            settings = settings.updated(Fields(object_of(session)))
            self._service.model.check(settings.model)
        return settings

    def _refusal(self, error: Exception) -> Reply:
        answer = answer_to(error)
        self._service.refused(error)
        log_error(error, DOOR)
        return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)

    def _readable(self, reply: Reply, caller: Caller) -> Reply:
        """A reply that pages of allowed sites may read."""
        origin = caller.headers.get("origin")
        if origin is None or not self._service.access.allows(caller):
            return reply
        headers = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "POST, DELETE",
            "Access-Control-Allow-Headers": "authorization, content-type",
            "Access-Control-Expose-Headers": "Location, Retry-After",
            "Vary": "Origin",
        }
        return replace(reply, headers={**reply.headers, **headers})


async def _asked(request: Request) -> tuple[str, bytes | None]:
    """The offer, and the session that is asked for with it."""
    kind = request.caller.headers.get("content-type", "")
    is_form = kind.partition(";")[0].strip().lower() == "multipart/form-data"
    form = MultipartReader(kind) if is_form else None
    parts: dict[str, bytearray] = {}
    body, count = bytearray(), 0
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for piece in request.body():
                count += len(piece)
                if count > _MOST_BODY_BYTES:
                    raise TooLargeError(f"the body may have {_MOST_BODY_BYTES} bytes")
                if form is None:
                    body += piece
                    continue
                for event in form.feed(piece):
                    if isinstance(event, PartBegin):
                        body = parts[event.name] = bytearray()
                    elif isinstance(event, PartData):
                        body += event.data
    except TimeoutError:
        raise SessionTimeError(f"the offer did not come within {_BODY_WITHIN_S:g} s") from None
    if form is None:
        return read_offer(bytes(body)), None
    form.finish()
    if "sdp" not in parts:
        raise WrongRequestError("the form has no part `sdp`; it is the offer", "sdp")
    return read_offer(bytes(parts["sdp"])), bytes(parts.get("session", b"")) or None
