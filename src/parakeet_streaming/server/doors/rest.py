"""The service in; routes of OpenAI's REST API, out.

Rules of this file:

1. Who may not come in, and what is too long, is refused before the body is read.
2. The file is recognised while it comes. A field after it that changes how it is recognised lets
   that begin anew.
3. However a request ends, its place, its file and its stream are freed.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Final

from parakeet_streaming.channels import ChannelTranscript, whole_of
from parakeet_streaming.errors import InputError
from parakeet_streaming.server.doors.file_request import FileRequest
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.http import HttpRoute, Reply, Request
from parakeet_streaming.server.languages import heard_language
from parakeet_streaming.server.limits import ByteCount
from parakeet_streaming.server.multipart import MultipartReader
from parakeet_streaming.server.protocols.openai_bodies import (
    EVENT_STREAM,
    Answered,
    body,
    delta_event,
    done_event,
    error_event,
    segment_events,
)
from parakeet_streaming.server.protocols.openai_rest import FILE_FIELD
from parakeet_streaming.server.protocols.openapi import openapi
from parakeet_streaming.server.recordings import FileEvent, FileText
from parakeet_streaming.server.replies import UnknownPathError, WrongRequestError, answer_to
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.written_files import WrittenFile, written_channels
from parakeet_streaming.timeline import ContextConfig

_LOG: Final = logging.getLogger("parakeet_streaming")
_DOOR: Final = "rest"
_ALIVE: Final = b": still decoding\n\n"
_ALIVE_EVERY_S: Final = 15.0


class RestDoor:
    """`/v1/audio/…`, `/v1/models` and `/openapi.json`."""

    def __init__(self, service: Service, file_context: ContextConfig | None = None) -> None:
        """`file_context`: of files whose sender asks for none; that of `parakeet transcribe`."""
        self._service = service
        self._context = file_context or ContextConfig.offline_like()
        self._readers = FileReaders()

    def routes(self) -> Sequence[HttpRoute]:
        """Paths, and who answers."""
        return (
            HttpRoute("/v1/audio/transcriptions", self._transcriptions, ("POST",)),
            HttpRoute("/v1/audio/translations", self._translations, ("POST",)),
            HttpRoute("/v1/models", self._models),
            HttpRoute("/v1/models/{id:path}", self._one_model),
            HttpRoute("/openapi.json", self._schema),
        )

    async def _transcriptions(self, request: Request) -> Reply:
        try:
            reply = await self._transcribed(request)
        except ConnectionError:
            return Reply(400)  # to nobody
        except Exception as error:  # whatever it is, the client gets an answer
            return self._refusal(error)
        if isinstance(reply.body, bytes):
            self._sent(reply.body)
        return reply

    async def _transcribed(self, request: Request) -> Reply:
        service, caller = self._service, request.caller
        owner = service.let_in(caller)
        count = ByteCount(service.limits.upload_megabytes)
        count.announced(caller.headers.get("content-length"))
        reader = MultipartReader(caller.headers.get("content-type"))
        async with AsyncExitStack() as stack:
            stack.enter_context(service.uploads.hold(owner, caller.address))
            stack.enter_context(service.metrics.connection(_DOOR, owner))
            work = FileRequest(service, self._readers, self._context, caller.query)
            stack.push_async_callback(work.close)
            await work.receive(request, reader, count)
            if work.asked.stream:
                await work.begun(request)
                # Nothing is awaited between here and the reply, which closes what is held.
                held = stack.pop_all()
                headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
                unread_s = service.limits.unread_s
                return Reply(200, self._told(work), EVENT_STREAM, headers, unread_s, held.aclose)
            await work.finished(request)
            answered = self._answered(work)
            content, content_type = body(work.asked, answered)
            service.metrics.uploads_total.add()
            return Reply(200, content, content_type, _warning_headers(answered))

    async def _told(self, work: FileRequest) -> AsyncIterator[bytes]:
        """The events of a stream, to its end."""
        texts: list[str] = []
        channel: int | None = None
        try:
            async for event in _written(work):
                if event is None:
                    yield _ALIVE
                elif isinstance(event, FileText):
                    begins = bool(texts) and event.channel != channel
                    channel = event.channel
                    texts.append(f"\n{event.text}" if begins else event.text)
                    yield self._sent(delta_event(texts[-1], event.tokens, work.asked, channel))
                elif isinstance(event, ChannelTranscript) and work.asked.format == "diarized_json":
                    for told in segment_events(event):
                        yield self._sent(told)
            self._service.metrics.uploads_total.add()
            yield self._sent(done_event("".join(texts), work.asked, self._answered(work)))
        except Exception as error:  # the status is sent already
            self._service.refused(error)
            _log(error)
            yield self._sent(error_event(answer_to(error).as_openai()))

    def _answered(self, work: FileRequest) -> Answered:
        said = "".join(token.text for token in whole_of(work.heard).tokens)
        language = heard_language(self._service.model.languages, said)
        heard = whole_of(written_channels(work.heard, work.asked.writing))
        return Answered(heard, language, work.warnings)

    async def _translations(self, request: Request) -> Reply:
        try:
            self._service.let_in(request.caller)
        except Exception as error:  # whatever it is, the client gets an answer
            return self._refusal(error)
        return self._refusal(
            UnknownPathError(
                "nothing is translated here; /v1/audio/transcriptions writes down what is said"
            )
        )

    async def _models(self, request: Request) -> Reply:
        try:
            self._service.let_in(request.caller)
        except Exception as error:  # whatever it is, the client gets an answer
            return self._refusal(error)
        model = self._model(self._service.model.name)
        return Reply.of_json({"object": "list", "data": [model]})

    async def _one_model(self, request: Request) -> Reply:
        try:
            self._service.let_in(request.caller)
            asked = request.path_values["id"]
            self._check_model(asked)
        except Exception as error:  # whatever it is, the client gets an answer
            return self._refusal(error)
        return Reply.of_json(self._model(asked))

    def _check_model(self, asked: str) -> None:
        try:
            self._service.model.check(asked)
        except WrongRequestError as error:
            raise UnknownPathError(str(error)) from error

    def _model(self, name: str) -> dict[str, object]:
        created_s = self._service.model.created_s
        owner = "parakeet-streaming"
        return {"id": name, "object": "model", "created": created_s, "owned_by": owner}

    async def _schema(self, _: Request) -> Reply:
        return Reply.of_json(openapi())

    def _refusal(self, error: Exception) -> Reply:
        self._service.refused(error)
        _log(error)
        answer = answer_to(error)
        if isinstance(error, InputError):
            answer = replace(answer, field=FILE_FIELD)
        return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)

    def _sent(self, data: bytes) -> bytes:
        self._service.metrics.sent_bytes_total[_DOOR].add(len(data))
        return data


async def _written(work: FileRequest) -> AsyncIterator[FileEvent | None]:
    """What is recognised, as it is, as the client wants it written."""
    text = WrittenFile(work.asked.writing)
    async for event in work.events(_ALIVE_EVERY_S):
        if event is None:
            yield None
        else:
            for told in text.take(event):
                yield told


def _warning_headers(answered: Answered) -> dict[str, str]:
    """Warnings where a body of plain text cannot have them."""
    if not answered.warnings:
        return {}
    said = "; ".join(" ".join(warning.split()) for warning in answered.warnings)
    return {"X-Parakeet-Warnings": said.encode("ascii", "replace").decode()[:2_000]}


def _log(error: Exception) -> None:
    answer = answer_to(error)
    if answer.status == 500:
        _LOG.error("%s: %s", _DOOR, error, exc_info=error)
    else:
        _LOG.info("%s: %s: %s", _DOOR, answer.code, answer.message)
