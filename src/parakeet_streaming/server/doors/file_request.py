"""The form of one request in; what it asks for, and its file's text as it is decoded, out.

Rules of this file:

1. Fields come in any order. Recognition begins with the file's first bytes, by the fields that are
   known; where a later field changes how, it begins anew.
2. A form that comes too slowly is given up.
3. An error of the file ends the receiving at the next piece of the body.
4. Whatever ends it, `close` frees everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.channels import ChannelTranscript
from parakeet_streaming.results import Transcript
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.http import Request
from parakeet_streaming.server.limits import ByteCount
from parakeet_streaming.server.multipart import BodyReader, PartBegin, PartData, PartEvent
from parakeet_streaming.server.patience import patient
from parakeet_streaming.server.protocols.openai_rest import (
    FILE_FIELD,
    MOST_FIELD_BYTES,
    TranscriptionRequest,
    is_kept,
    with_field,
)
from parakeet_streaming.server.recordings import (
    FileBegun,
    FileEvent,
    FileOptions,
    FileTranscription,
    RawSamples,
)
from parakeet_streaming.server.replies import DrainingError, WrongRequestError
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.upload import Upload
from parakeet_streaming.timeline import ContextConfig


class FileRequest:
    """One request to transcribe a file."""

    def __init__(
        self,
        service: Service,
        readers: FileReaders,
        context: ContextConfig,
        query: Mapping[str, str],
        *,
        door: str = "rest",
        raw: RawSamples | None = None,
        boosting: Boosting | None = None,
    ) -> None:
        """A request that begins.

        Args:
            service: what all doors share.
            readers: threads that read files.
            context: where the request asks for none.
            query: fields may stand there, too.
            door: the name in metrics.
            raw: what the samples of a file are that has nothing else.
            boosting: what is boosted, where no field says it.

        Raises:
            WrongRequestError: an impossible value there.
        """
        self.asked = TranscriptionRequest(writing=service.writing)
        for name, value in query.items():
            self.asked = with_field(self.asked, name, value)
        self.heard: list[ChannelTranscript | Transcript] = []
        self._boosting = boosting
        self._service, self._readers, self._context = service, readers, context
        self._received, self._raw = service.metrics.received_bytes_total[door], raw
        self._upload = Upload()
        self._has_file = False
        self._name = ""
        self._value: bytearray | None = None
        self._options: FileOptions | None = None
        self._transcription: FileTranscription | None = None
        self._collecting: asyncio.Task[None] | None = None
        self._stopping = asyncio.create_task(self._stop_when_drained())
        self._stopped: Exception | None = None
        self._waiting: list[FileEvent] = []
        self._is_told = True
        """Whether text is told as it comes; before all fields are there, it may be."""
        self._news = asyncio.Event()
        self._begun = asyncio.Event()
        """Set also where it failed."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the file."""
        return () if self._transcription is None else self._transcription.warnings

    async def receive(self, request: Request, reader: BodyReader, count: ByteCount) -> None:
        """Takes the whole form.

        Raises:
            ConnectionError: the client has gone.
            SessionTimeError: nothing came for too long.
            TooLargeError: it is too long.
            WrongRequestError: it is no form, lacks the file, or has an impossible field.
            Exception: the file cannot be recognised.
        """
        limits = self._service.limits
        async for data in patient(request.body(), limits.idle_s, self._service.clock):
            self._received.add(len(data))
            count.came(len(data))
            for event in reader.feed(data):
                await self._take(event)
            self._check_failed()
        reader.finish()
        if not self._has_file:
            raise WrongRequestError("the form has no file; send the audio as `file`", FILE_FIELD)
        self._upload.end()
        self.asked.check()
        self._service.model.check(self.asked.model)
        if self._options != self._wanted():
            await self._give_up()
            self._begin()

    async def begun(self, request: Request) -> None:
        """Until it is known that the file is audio, and that there is room for it.

        Raises:
            ConnectionError: the client has gone.
            Exception: the file cannot be recognised.
        """
        beginning = asyncio.create_task(self._begun.wait())
        try:
            await self._wait(request, beginning)
        finally:
            beginning.cancel()

    async def finished(self, request: Request) -> None:
        """Until all was recognised.

        Raises:
            ConnectionError: the client has gone.
            Exception: the file cannot be recognised.
        """
        assert self._collecting is not None, "the form was received"
        self._is_told, self._waiting = False, []
        await self._wait(request, self._collecting)

    async def events(self, most_wait_s: float) -> AsyncIterator[FileEvent | None]:
        """What is recognised, as it is; None where nothing was for so long.

        Raises:
            Exception: the file cannot be recognised.
        """
        assert self._collecting is not None, "the form was received"
        while True:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                yield event
            if self._waiting:
                continue
            if self._collecting.done():
                self._check_failed()
                return
            self._news.clear()
            try:
                async with asyncio.timeout(most_wait_s):
                    await self._news.wait()
            except TimeoutError:
                yield None

    async def close(self) -> None:
        """Frees everything."""
        self._stopping.cancel()
        self._upload.close()
        await self._give_up()

    async def _wait(self, request: Request, what: asyncio.Task[Any]) -> None:
        gone: asyncio.Task[Any] = asyncio.create_task(request.wait_until_gone())
        try:
            await asyncio.wait({what, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if not what.done():
            raise ConnectionError("the client has gone")
        self._check_failed()

    async def _take(self, event: PartEvent) -> None:
        if isinstance(event, PartBegin):
            self._begin_part(event)
        elif isinstance(event, PartData):
            await self._take_data(event.data)
        elif self._name == FILE_FIELD:
            self._upload.end()
        elif self._value is not None:
            value = self._value.decode(errors="replace")
            self.asked = with_field(self.asked, self._name, value)

    def _begin_part(self, part: PartBegin) -> None:
        self._name = part.name
        self._value = bytearray() if is_kept(part.name) else None
        if part.name != FILE_FIELD:
            return
        if self._has_file:
            raise WrongRequestError("the form has two files; send one in each request", FILE_FIELD)
        self._has_file = True
        self._begin()

    async def _take_data(self, data: bytes) -> None:
        if self._name == FILE_FIELD:
            await self._upload.add(data)
        elif self._value is not None:
            self._value += data
            if len(self._value) > MOST_FIELD_BYTES:
                raise WrongRequestError(
                    f"`{self._name}` has more than {MOST_FIELD_BYTES} bytes; shorten it", self._name
                )

    def _wanted(self) -> FileOptions:
        most_s, cached = self._service.limits.upload_s, self._service.defaults.cached
        asked, context = self.asked, self.asked.context or self._context
        boosting = asked.boosting or self._boosting
        self._service.check_phrases(boosting, "keywords")
        return FileOptions(
            context,
            asked.separate,
            asked.names,
            most_s,
            cached,
            asked.languages,
            self._raw,
            boosting,
        )

    def _begin(self) -> None:
        self._options = self._wanted()
        self._begun.clear()
        self._transcription = FileTranscription(
            self._service.engine, self._readers, self._upload, self._options
        )
        self._collecting = asyncio.create_task(self._collect(self._transcription))

    async def _give_up(self) -> None:
        transcription, collecting = self._transcription, self._collecting
        if transcription is None or collecting is None:
            return
        collecting.cancel()
        await asyncio.wait({collecting})
        if not collecting.cancelled():
            collecting.exception()
        await transcription.close()
        self._waiting, self.heard = [], []

    async def _collect(self, transcription: FileTranscription) -> None:
        try:
            async for event in transcription.events():
                if isinstance(event, FileBegun):
                    self._begun.set()
                    continue
                if isinstance(event, (ChannelTranscript, Transcript)):
                    self.heard.append(event)
                if self._is_told:
                    self._waiting.append(event)
                self._news.set()
        finally:
            self._begun.set()
            self._news.set()

    def _check_failed(self) -> None:
        """Raises what has ended the recognition before its time."""
        if self._stopped is not None:
            raise self._stopped
        if self._collecting is not None and self._collecting.done():
            self._collecting.result()

    async def _stop_when_drained(self) -> None:
        drain = self._service.drain
        await drain.wait()
        await asyncio.sleep(max(0.0, (drain.until_s or 0.0) - self._service.clock()))
        self._stopped = DrainingError("the server stops; send the file to another one")
        if self._collecting is not None:
            self._collecting.cancel()
        self._news.set()
