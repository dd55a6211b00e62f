"""A transcription in; the same with its text as it is to be written, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from parakeet_streaming.channels import ChannelEvent, SeparateTranscript
from parakeet_streaming.cli.display import Told
from parakeet_streaming.results import Transcript
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.written_stream import WrittenStream


class Transcription(Protocol):
    """One source being transcribed: a file, or live sound."""

    @property
    def received_s(self) -> float: ...

    @property
    def processing_s(self) -> float: ...

    def events(self) -> Iterator[Told | None]: ...

    def messages(self) -> Iterator[str]: ...

    def status(self) -> str: ...

    def transcript(self) -> Transcript | SeparateTranscript: ...


def as_written(transcription: Transcription, writing: WritingOptions) -> Transcription:
    """The transcription itself where text stays as the model says it."""
    return transcription if writing.is_plain else WrittenTranscription(transcription, writing)


class WrittenTranscription:
    """A transcription whose events and transcript are written otherwise."""

    def __init__(self, spoken: Transcription, writing: WritingOptions) -> None:
        self._spoken = spoken
        self._texts = defaultdict[int, WrittenStream](lambda: WrittenStream(writing))
        """By channel."""

    @property
    def received_s(self) -> float:
        return self._spoken.received_s

    @property
    def processing_s(self) -> float:
        return self._spoken.processing_s

    def events(self) -> Iterator[Told | None]:
        """Its events, and None where it gives that."""
        for told in self._spoken.events():
            if told is None:
                yield None
            elif isinstance(told, ChannelEvent):
                for event in self._texts[told.channel].take(told.event):
                    yield ChannelEvent(told.channel, event)
            else:
                yield from self._texts[0].take(told)

    def messages(self) -> Iterator[str]:
        return self._spoken.messages()

    def status(self) -> str:
        return self._spoken.status()

    def transcript(self) -> Transcript | SeparateTranscript:
        spoken = self._spoken.transcript()
        if isinstance(spoken, Transcript):
            return self._texts[0].whole(spoken)
        return SeparateTranscript(
            tuple(
                replace(each, transcript=self._texts[each.channel].whole(each.transcript))
                for each in spoken.channels
            )
        )
