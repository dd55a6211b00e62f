"""What is recognised in a file in; the same with its text as a client wants it written, out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from parakeet_streaming.channels import ChannelTranscript
from parakeet_streaming.engine.words import text_of
from parakeet_streaming.results import Token, Transcript
from parakeet_streaming.server.recordings import FileBegun, FileEvent, FileText
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.written_stream import WrittenStream, written


class WrittenFile:
    """The events of one file, as they come."""

    def __init__(self, writing: WritingOptions) -> None:
        self._is_plain = writing.is_plain
        self._texts = defaultdict[int | None, WrittenStream](lambda: WrittenStream(writing))
        """By channel."""
        self._begun: set[int | None] = set()

    def take(self, event: FileEvent) -> Iterator[FileEvent]:
        """The events that stand for one."""
        if self._is_plain or isinstance(event, FileBegun):
            yield event
            return
        if isinstance(event, FileText):
            yield from self._told(event.channel, self._texts[event.channel].feed(event.tokens))
            return
        if isinstance(event, ChannelTranscript):
            rest, transcript = self._texts[event.channel].end(event.transcript)
            yield from self._told(event.channel, rest)
            yield replace(event, transcript=transcript)
        else:
            rest, transcript = self._texts[None].end(event)
            yield from self._told(None, rest)
            yield transcript

    def _told(self, channel: int | None, tokens: tuple[Token, ...]) -> Iterator[FileText]:
        text = text_of(tokens)
        if channel not in self._begun:
            text = text.lstrip()
        if text:
            self._begun.add(channel)
            yield FileText(channel, text, tokens)


def written_channels(
    heard: Iterable[ChannelTranscript | Transcript], writing: WritingOptions
) -> list[ChannelTranscript | Transcript]:
    """The transcripts of a file, written."""
    if writing.is_plain:
        return list(heard)
    return [
        replace(each, transcript=written(each.transcript, writing))
        if isinstance(each, ChannelTranscript)
        else written(each, writing)
        for each in heard
    ]
