"""A transcription in; the same with its text as it is to be written, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.written_stream import WrittenStream


class Transcription(Protocol):
    """One source being transcribed: a file, or live sound."""

    @property
    def received_s(self) -> float: ...

    @property
    def processing_s(self) -> float: ...

    def events(self) -> Iterator[Event | None]: ...

    def messages(self) -> Iterator[str]: ...

    def status(self) -> str: ...

    def transcript(self) -> Transcript: ...


def as_written(transcription: Transcription, writing: WritingOptions) -> Transcription:
    """The transcription itself where text stays as the model says it."""
    return transcription if writing.is_plain else WrittenTranscription(transcription, writing)


class WrittenTranscription:
    """A transcription whose events and transcript are written otherwise."""

    def __init__(self, spoken: Transcription, writing: WritingOptions) -> None:
        self._spoken = spoken
        self._text = WrittenStream(writing)

    @property
    def received_s(self) -> float:
        return self._spoken.received_s

    @property
    def processing_s(self) -> float:
        return self._spoken.processing_s

    def events(self) -> Iterator[Event | None]:
        """Its events, and None where it gives that."""
        for event in self._spoken.events():
            if event is None:
                yield None
            else:
                yield from self._text.take(event)

    def messages(self) -> Iterator[str]:
        return self._spoken.messages()

    def status(self) -> str:
        return self._spoken.status()

    def transcript(self) -> Transcript:
        return self._text.whole(self._spoken.transcript())
