"""What the page has shown in, as JSON; its subtitles by the package's own rules out.

Rules of this file:

1. Utterances come as the page keeps them: their text, their times, and words with times. Words are
   told within the utterance they belong to.
2. An utterance without words, as one that a lost connection has cut off, is shared out over its
   time: each of its words gets as much as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.formats import to_srt, to_vtt
from parakeet_streaming.results import Segment, Transcript, Word
from parakeet_streaming.server.protocols.fields import Fields

SUBTITLE_TYPES: Final = {"srt": "application/x-subrip", "vtt": "text/vtt"}
"""Content types by format."""

_LONGEST_S: Final = 1e6


def page_subtitles(asked: Fields) -> tuple[bytes, str]:
    """The subtitles, and their content type.

    Raises:
        WrongRequestError: it names the field that is wrong.
    """
    name = asked.choice("format", SUBTITLE_TYPES)
    if name is None:
        raise asked.mistake("format", f"is missing; use one of {', '.join(SUBTITLE_TYPES)}")
    segments = tuple(_segments(asked))
    transcript = Transcript(
        text=" ".join(segment.text for segment in segments),
        tokens=(),
        words=tuple(word for segment in segments for word in segment.words),
        segments=segments,
        audio_s=asked.number("audio_s", 0, _LONGEST_S) or 0.0,
    )
    made = to_srt(transcript) if name == "srt" else to_vtt(transcript)
    return made.encode(), SUBTITLE_TYPES[name]


def _segments(asked: Fields) -> Iterator[Segment]:
    for utterance in _objects(asked, "utterances"):
        words = [_word(each) for each in _objects(utterance, "words")]
        yield from group_segments(words or _shared_out(_word(utterance)))


def _word(told: Fields) -> Word:
    start = told.number("start", 0, _LONGEST_S) or 0.0
    end = told.number("end", 0, _LONGEST_S) or 0.0
    return Word(told.text("text") or "", start, max(start, end), 1.0)


def _shared_out(utterance: Word) -> list[Word]:
    """Its words, each with an equal part of its time."""
    texts = utterance.text.split()
    part = (utterance.end - utterance.start) / max(1, len(texts))
    edges = [utterance.start + part * at for at in range(len(texts) + 1)]
    return [
        Word(text, start, end, 1.0)
        for text, start, end in zip(texts, edges, edges[1:], strict=False)
    ]


def _objects(told: Fields, name: str) -> Iterator[Fields]:
    values = told.value(name)
    if not isinstance(values, list):
        raise told.mistake(name, "is to be an array of objects")
    for at, value in enumerate(values):
        if not isinstance(value, dict):
            raise told.mistake(name, "is to be an array of objects")
        yield Fields(value, f"{told.path(name)}[{at}]")
