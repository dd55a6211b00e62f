"""Deepgram's `POST /v1/listen`: a file as the body in; its words, once all are there, out.

Files are read and recognised as those of OpenAI's REST API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Final

from parakeet_streaming.channels import SeparateTranscript, whole_of
from parakeet_streaming.server.dialogue import log_error
from parakeet_streaming.server.doors.deepgram import DOOR, PATH, begun, refusal_of
from parakeet_streaming.server.doors.file_request import FileRequest
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.http import HttpRoute, Reply, Request
from parakeet_streaming.server.limits import ByteCount
from parakeet_streaming.server.multipart import PartBegin, PartData, PartEvent
from parakeet_streaming.server.protocols import deepgram
from parakeet_streaming.server.protocols.deepgram_settings import ListenSettings, settings_of
from parakeet_streaming.server.protocols.openai_rest import FILE_FIELD
from parakeet_streaming.server.recordings import RawSamples
from parakeet_streaming.server.replies import WrongRequestError, answer_to
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.written_files import written_channels
from parakeet_streaming.timeline import ContextConfig

_NOT_FETCHED: Final = "files are not fetched from elsewhere; send the audio itself as the body"


class DeepgramFiles:
    """`POST /v1/listen`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._readers = FileReaders()

    def routes(self) -> list[HttpRoute]:
        """Where it is found."""
        return [HttpRoute(PATH, self._answer, ("POST",))]

    async def _answer(self, request: Request) -> Reply:
        about = begun(self._service)
        try:
            reply = await self._transcribed(request, about)
        except ConnectionError:
            return Reply(400)  # to nobody
        except Exception as error:  # whatever it is, the client gets an answer
            self._service.refused(error)
            log_error(error, DOOR)
            return refusal_of(about(1))(answer_to(error))
        assert isinstance(reply.body, bytes), "it is whole"
        self._service.metrics.sent_bytes_total[DOOR].add(len(reply.body))
        return reply

    async def _transcribed(self, request: Request, about: deepgram.Abouts) -> Reply:
        service, caller = self._service, request.caller
        owner = service.let_in(caller)
        count = ByteCount(service.limits.upload_megabytes)
        count.announced(caller.headers.get("content-length"))
        settings = settings_of(caller.query, caller.repeated, service.writing)
        service.model.check(settings.model)
        if caller.headers.get("content-type", "").lower().startswith("application/json"):
            raise WrongRequestError(_NOT_FETCHED, "url")
        async with AsyncExitStack() as stack:
            stack.enter_context(service.uploads.hold(owner, caller.address))
            stack.enter_context(service.metrics.connection(DOOR, owner))
            work = FileRequest(
                service,
                self._readers,
                ContextConfig.offline_like(),
                _fields(settings),
                door=DOOR,
                raw=_raw(settings),
                boosting=settings.boosting,
            )
            stack.push_async_callback(work.close)
            body = _WholeBody()
            await work.receive(request, body, count)
            await work.finished(request)
            heard = whole_of(written_channels(work.heard, settings.writing))
            transcripts = (
                [each.transcript for each in heard.channels]
                if isinstance(heard, SeparateTranscript)
                else [heard]
            )
            service.metrics.uploads_total.add()
            return Reply.of_json(
                deepgram.file_body(
                    about(len(transcripts)),
                    body.digest.hexdigest(),
                    heard.audio_s,
                    transcripts,
                    utterances=settings.utterances,
                    warnings=work.warnings,
                )
            )


class _WholeBody:
    """A body that is the file, as if it were the only part of a form."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._has_begun = False

    def feed(self, data: bytes) -> Iterable[PartEvent]:
        """The file's bytes."""
        if not self._has_begun:
            self._has_begun = True
            yield PartBegin(FILE_FIELD)
        self.digest.update(data)
        yield PartData(data)

    def finish(self) -> None:
        """No more bytes come.

        Raises:
            WrongRequestError: there were none.
        """
        if not self._has_begun:
            raise WrongRequestError("the body is empty; send the audio as the body")


def _fields(settings: ListenSettings) -> dict[str, str]:
    """What a client wants, as fields of a form."""
    fields = {} if settings.context is None else {"context": settings.context}
    if settings.language:
        fields["language"] = settings.language
    return {**fields, "channels": "separate"} if settings.separate else fields


def _raw(settings: ListenSettings) -> RawSamples | None:
    if settings.encoding is None:
        return None
    if settings.rate_hz is None:
        raise WrongRequestError("sample_rate is missing: encoding needs it", "sample_rate")
    return RawSamples(settings.rate_hz, settings.encoding, settings.channels)
