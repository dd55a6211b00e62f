"""An uploaded file in; its text as it is decoded, and its transcript, out.

Rules of this file:

1. Reading, decoding and resampling of the file run in a thread of their own. The engine's recording
   lane recognises it, so live streams come first.
2. Text is exactly that of `parakeet transcribe` for the same file and context.
3. Channels are recognised one after the other, each from its own reading of the file, so that a
   recording holds one place in the engine. Of one without sound a beginning is recognised.
4. Where a file is broken, what was read before is recognised, and a warning says so.
5. Whatever ends it, `close` frees the engine's stream and the thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from parakeet_streaming.audio.blocks import AudioFile
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.channels import ChannelTranscript, labels_of
from parakeet_streaming.errors import (
    AudioFormatError,
    CapacityError,
    InputError,
    OptionError,
)
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.results import Partial, Token, Transcript
from parakeet_streaming.server.engine_port import Engine, EngineStream
from parakeet_streaming.server.file_readers import FileReaders
from parakeet_streaming.server.leading_silence import LeadingSilence
from parakeet_streaming.server.replies import TooLargeError, WrongRequestError
from parakeet_streaming.server.upload import Upload
from parakeet_streaming.sources.stdin import open_stdin
from parakeet_streaming.timeline import ContextConfig

_NAME: Final = "the file"
_BLOCK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class RawSamples:
    """What bytes are that no head describes."""

    rate_hz: int
    encoding: str
    """A name from `audio.pcm_decoder.ENCODINGS`."""
    channels: int


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is recognised."""

    context: ContextConfig
    """Its rate is not used: the file has its own."""
    separate: bool = False
    """Whether each channel is recognised alone, instead of the average of all."""
    names: tuple[str, ...] = ()
    """What separate channels are called."""
    most_s: float = 6 * 3_600.0
    """Seconds of sound, of all channels that are recognised."""
    cached: bool = False
    """Whether each frame is encoded once."""
    languages: tuple[str, ...] = ()
    """That are spoken."""
    raw: RawSamples | None = None
    """Of a file that has samples alone; None for one that says itself what it is."""
    boosting: Boosting | None = None
    """What is boosted."""


@dataclass(frozen=True, slots=True)
class FileBegun:
    """The file is audio, and has its place in the engine."""

    channel: int | None
    """From 0; None where channels are averaged."""


@dataclass(frozen=True, slots=True)
class FileText:
    """Committed text; the texts of a channel, joined, are its transcript."""

    channel: int | None
    """From 0; None where channels are averaged."""
    text: str
    tokens: tuple[Token, ...]


FileEvent = FileBegun | FileText | ChannelTranscript | Transcript
"""With one transcript, of the average of all channels, or one for each of them."""


class FileTranscription:
    """One uploaded file, being transcribed."""

    def __init__(
        self, engine: Engine, readers: FileReaders, upload: Upload, options: FileOptions
    ) -> None:
        self._engine, self._readers = engine, readers
        self._upload = upload
        self._options = options
        self._turn = threading.Lock()
        self._stream: EngineStream | None = None
        self._reading: asyncio.Future[None] | None = None
        self._is_closed = False
        self._channels = 1
        self._labels: tuple[str, ...] = ()
        self._unheard_s = 0.0
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of what was read so far."""
        return tuple(self._warnings)

    @property
    def channels(self) -> int:
        """Channels of the file; 1 until its head has been read."""
        return self._channels

    async def events(self) -> AsyncIterator[FileEvent]:
        """What was recognised, as it is; each channel ends with its transcript.

        Raises:
            AudioFormatError: it is no audio, or holds no sound.
            CapacityError: there is no room for it.
            TooLargeError: it is too long.
            WrongRequestError: too many channels to be separate, or names that do not fit them.
        """
        channel = 0 if self._options.separate else None
        while True:
            async for event in self._events_of(channel):
                yield event
            if channel is None or channel + 1 >= self._channels:
                return
            channel += 1

    async def close(self) -> None:
        """Gives it up; its place is free then. No more bytes of the upload may be outstanding."""
        with self._turn:
            self._is_closed = True
            stream = self._stream
        if stream is not None:
            stream.cancel()
        if self._reading is not None:
            await asyncio.wait({self._reading})
        stream = self._stream
        if stream is not None:
            with suppress(Exception):  # whatever ended it was told, or nobody wants to know
                async for _ in stream:
                    pass

    async def _events_of(self, channel: int | None) -> AsyncIterator[FileEvent]:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[EngineStream] = loop.create_future()

        def tell(stream: EngineStream) -> None:
            if not opened.done():
                opened.set_result(stream)

        def read() -> None:
            self._read(channel, lambda stream: loop.call_soon_threadsafe(tell, stream))

        reading = self._reading = self._readers.start(read)
        either: set[asyncio.Future[Any]] = {opened, reading}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            reading.result()
        yield FileBegun(channel)
        is_first = True
        async for event in opened.result():
            if isinstance(event, Partial) and event.text:
                text = event.text.lstrip() if is_first else event.text
                is_first = False
                yield FileText(channel, text, event.tokens)
            elif isinstance(event, FinalEvent):
                # An error of the file counts more than what was made of it until then.
                await asyncio.wait({reading})
                reading.result()
                yield self._whole(channel, event.transcript)

    def _whole(self, channel: int | None, told: Transcript) -> ChannelTranscript | Transcript:
        whole = replace(told, audio_s=told.audio_s + self._unheard_s)
        return (
            whole if channel is None else ChannelTranscript(whole, channel, self._labels[channel])
        )

    def _read(self, channel: int | None, tell: Callable[[EngineStream], object]) -> None:
        """Reads the file into a stream of the engine; in a thread."""
        try:
            audio = self._open()
        except OptionError as error:
            # Nothing was asked for but to read it: the temporary folder has no room.
            raise CapacityError("the server's disk has no room for this file; try later") from error
        with audio:
            self._channels = audio.channels
            if channel is not None:
                self._labels = _labels(self._options.names, audio.channels)
                audio.choose_channel(channel)
            options = self._options
            context = replace(options.context, sample_rate=audio.rate_hz)
            cached, languages = options.cached, options.languages
            recording = LiveOptions.recording(context, cached=cached, languages=languages)
            recording = replace(recording, boosting=options.boosting)
            try:
                stream = self._engine.open(recording)
            except CapacityError as error:
                raise CapacityError(
                    "the server transcribes as many files as it may at once (max_uploads); try "
                    "again later"
                ) from error
            with self._turn:
                self._stream = stream
                is_closed = self._is_closed
            tell(stream)
            try:
                if not is_closed:
                    self._push(audio, stream)
            except BaseException:
                stream.cancel()
                raise
            finally:
                self._warnings |= dict.fromkeys(audio.warnings)
            if is_closed:
                stream.cancel()
            stream.finish()

    def _open(self) -> AudioFile:
        reader, raw = self._upload.reader(), self._options.raw
        if raw is None:
            return open_stdin(reader, name=_NAME, as_file=True)
        # A head that is there all the same counts more than what was said.
        return open_stdin(
            reader,
            rate_hz=raw.rate_hz,
            encoding=raw.encoding,
            channels=raw.channels,
            name=_NAME,
        )

    def _push(self, audio: AudioFile, stream: EngineStream) -> None:
        """All samples, or those before the place where the file is broken."""
        most_s = self._options.most_s / (self._channels if self._options.separate else 1)
        silence = LeadingSilence(audio.rate_hz)
        self._unheard_s = 0.0
        try:
            for block in audio.blocks(_BLOCK_S):
                for piece in silence.take(block) if self._options.separate else (block,):
                    if stream.push_waiting(piece) < len(piece):
                        return  # the stream has ended, and says why itself
                self._unheard_s = silence.waiting_s
                if audio.read_s > most_s:
                    raise TooLargeError(
                        f"the file is longer than {most_s:g} s; send it in parts, or ask for more"
                    )
        except InputError as error:
            if self._upload.is_closed or audio.read_s == 0:
                raise
            self._warnings[str(error)] = None
        if audio.read_s == 0:
            raise AudioFormatError(f"{_NAME} holds no sound; check what wrote it")


def _labels(names: tuple[str, ...], channels: int) -> tuple[str, ...]:
    try:
        return labels_of(names, channels)
    except OptionError as error:
        raise WrongRequestError(str(error), "channel_names" if names else "channels") from error
