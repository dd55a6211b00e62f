"""Transcripts of channels that were recognised each for itself in; one, in order of time, out.

Rules of this file:

1. Channels are counted from 0. One is called by its name, or `channel 0` where it has none.
2. An utterance is what a channel says up to the end of a sentence, or up to a pause of `PAUSE_S`.
   No other channel divides it: where two speak at once, both are told whole.
3. Who began to speak first comes first; of two that began together, the lower channel.
4. Utterances that come one by one are those that come of the whole.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import MOST_SEPARATE_CHANNELS
from parakeet_streaming.plain_text import readable, shown
from parakeet_streaming.results import Event, Token, Transcript, Word
from parakeet_streaming.subtitles.units import Unit

_T = TypeVar("_T")

PAUSE_S: Final = 0.8
"""Without a word for so long, an utterance has ended: the usual length for calls (Deepgram's
`utt_split`)."""
MOST_NAME_CHARACTERS: Final = 40
"""Of a channel's name: a line of subtitles has room for it."""


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """What the stream of one channel gave."""

    channel: int
    event: Event


@dataclass(frozen=True, slots=True)
class ChannelTranscript:
    """All that was recognised in one channel."""

    transcript: Transcript
    channel: int = 0
    label: str = ""
    """What the channel is called."""

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """What was said in it, one utterance after the other."""
        return tuple(_utterances_of(self))


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one channel said in one go."""

    channel: int
    label: str
    """What the channel is called."""
    text: str
    start: float
    """Seconds."""
    end: float
    """Seconds."""
    words: tuple[Word, ...] = field(default=(), repr=False)

    @property
    def line(self) -> str:
        """The utterance with its channel, as people read it."""
        return f"{self.label}: {readable(self.text)}"


@dataclass(frozen=True, slots=True)
class SeparateTranscript:
    """Everything recognised in the channels of one recording, each for itself."""

    channels: tuple[ChannelTranscript, ...]

    @property
    def utterances(self) -> tuple[Utterance, ...]:
        """Those of all channels, in order of time."""
        order = TimeOrder[Utterance](len(self.channels))
        for place, each in enumerate(self.channels):
            for utterance in each.utterances:
                order.add(place, utterance.start, utterance)
        return tuple(order.take([math.inf] * len(self.channels)))

    @property
    def text(self) -> str:
        """A line for each utterance, with its channel."""
        lines = (each.line for each in self.utterances if readable(each.text).strip())
        return "\n".join(lines)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those of all channels, one channel after the other."""
        return tuple(token for each in self.channels for token in each.transcript.tokens)

    @property
    def audio_s(self) -> float:
        """Seconds of audio that were decoded, of the longest channel."""
        return max((each.transcript.audio_s for each in self.channels), default=0.0)


def labels_of(names: Sequence[str], channels: int) -> tuple[str, ...]:
    """What channels are called: by the names that were given, or by their numbers.

    Raises:
        OptionError: more channels than may be separate, not as many names, two alike, or a name
            that is empty, too long, or no text of one line.
    """
    if not 1 <= channels <= MOST_SEPARATE_CHANNELS:
        raise OptionError(
            f"{channels} channels cannot be transcribed each for itself; {MOST_SEPARATE_CHANNELS} "
            "can: take fewer, or let them be averaged"
        )
    if not names:
        return tuple(f"channel {number}" for number in range(channels))
    if len(names) != channels:
        raise OptionError(
            f"{len(names)} channel name{'s' * (len(names) > 1)} ({shown(', '.join(names))}) for "
            f"{channels} channel{'s' * (channels > 1)}; give one for each"
        )
    for name in names:
        if not name.strip() or readable(name) != name or len(name) > MOST_NAME_CHARACTERS:
            raise OptionError(
                f"{shown(name)} cannot be a channel's name; use 1 to {MOST_NAME_CHARACTERS} "
                "letters in one line"
            )
    if len(set(names)) < len(names):
        raise OptionError(f"channel names must differ: {shown(', '.join(names))}")
    return tuple(names)


def whole_of(
    heard: Sequence[ChannelTranscript | Transcript],
) -> Transcript | SeparateTranscript:
    """The transcripts of channels as one; that of the average of all as it is."""
    channels = tuple(each for each in heard if isinstance(each, ChannelTranscript))
    averaged = [each for each in heard if isinstance(each, Transcript)]
    return averaged[0] if averaged else SeparateTranscript(channels)


class UtteranceBuilder:
    """Makes utterances of one channel's units, which come one by one."""

    def __init__(self, channel: int, label: str) -> None:
        self._channel, self._label = channel, label
        self._units: list[Unit] = []

    @property
    def open_from(self) -> float | None:
        """Where the utterance begins that has not ended; None where there is none."""
        return self._units[0].start if self._units else None

    def add(self, unit: Unit) -> Iterator[Utterance]:
        """Takes the next unit; gives what has ended."""
        if self._units and unit.space and is_pause(self._units[-1].end, unit.start):
            yield from self.end()
        self._units.append(unit)
        if unit.ends_segment:
            yield from self.end()

    def end(self) -> Iterator[Utterance]:
        """Gives what is left, if anything is."""
        units, self._units = self._units, []
        if units:
            text = "".join(f"{' ' * each.space}{each.text}" for each in units).strip()
            yield Utterance(self._channel, self._label, text, units[0].start, units[-1].end)


class TimeOrder(Generic[_T]):
    """What several channels give, each in its order; all of it in order of time, out."""

    def __init__(self, channels: int) -> None:
        self._waiting: list[tuple[float, int, int, _T]] = []
        self._count = 0
        self._channels = range(channels)

    def add(self, channel: int, start: float, each: _T) -> None:
        """Takes what begins at `start`; within a channel it comes in order."""
        heapq.heappush(self._waiting, (start, channel, self._count, each))
        self._count += 1

    def take(self, open_from: Sequence[float]) -> Iterator[_T]:
        """What nothing can come before any more.

        Args:
            open_from: of each channel, the earliest start of what it has not given.
        """
        while self._waiting:
            start, channel, _, each = self._waiting[0]
            if any(
                (open_from[other], other) < (start, channel)
                for other in self._channels
                if other != channel
            ):
                return
            heapq.heappop(self._waiting)
            yield each


def is_pause(before: float, after: float) -> bool:
    """Whether an utterance ends between two words, by the end of one and the start of the other."""
    # Rounded as times are, so that a pause of exactly so many frames counts as that long.
    return round(after - before, 6) >= PAUSE_S


def _utterances_of(of: ChannelTranscript) -> Iterator[Utterance]:
    transcript = of.transcript
    for segment in transcript.segments:
        words: list[Word] = []
        for word in segment.words:
            if words and is_pause(words[-1].end, word.start):
                yield _utterance(of, words)
                words = []
            words.append(word)
        if words:
            yield _utterance(of, words)


def _utterance(of: ChannelTranscript, words: Sequence[Word]) -> Utterance:
    text = " ".join(word.text for word in words)
    return Utterance(of.channel, of.label, text, words[0].start, words[-1].end, tuple(words))
