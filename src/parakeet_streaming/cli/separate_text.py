"""Events of several channels in; utterances or subtitles of all of them, in order of time, out.

Rules of this file:

1. What is given cannot change any more, and nothing that begins before it comes later.
2. So the text of a channel waits while another one's utterance, begun earlier, goes on.
3. Everything comes once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from parakeet_streaming.channels import ChannelEvent, TimeOrder, Utterance, UtteranceBuilder
from parakeet_streaming.cli.sure_text import SureText
from parakeet_streaming.results import Final as FinalEvent
from parakeet_streaming.results import Partial
from parakeet_streaming.subtitles.cues import Cue, CueBuilder
from parakeet_streaming.subtitles.options import LEAST_CUE_S, TRADE, SubtitleOptions
from parakeet_streaming.subtitles.units import Unit


class _Timed(Protocol):
    @property
    def start(self) -> float: ...


_T = TypeVar("_T", bound=_Timed)
_T_co = TypeVar("_T_co", bound=_Timed, covariant=True)


class _Builder(Protocol[_T_co]):
    """Makes what is given of one channel's units."""

    @property
    def open_from(self) -> float | None: ...

    def add(self, unit: Unit) -> Iterator[_T_co]: ...

    def end(self, audio_s: float) -> Iterator[_T_co]: ...


class _InOrder(Generic[_T]):
    """What builders of several channels give, in order of time."""

    def __init__(self, builders: Sequence[_Builder[_T]], options: SubtitleOptions = TRADE) -> None:
        self._builders = builders
        self._sure = [SureText(options) for _ in builders]
        self._reached_s = [0.0] * len(builders)
        self._order = TimeOrder[_T](len(builders))

    def feed(self, told: ChannelEvent) -> list[_T]:
        """What became sure with an event."""
        channel, event = told.channel, told.event
        builder = self._builders[channel]
        for unit in self._sure[channel].feed(event):
            self._add(channel, builder.add(unit))
        if isinstance(event, Partial):
            self._reached_s[channel] = max(self._reached_s[channel], event.committed_s)
        elif isinstance(event, FinalEvent):
            transcript = event.transcript
            self._add(channel, builder.end(transcript.audio_s))
            if event.reason == "end":
                self._reached_s[channel] = math.inf
        return list(self._order.take([self._open_from(each) for each in range(len(self._sure))]))

    def rest(self) -> list[_T]:
        """What is left of streams that gave no end."""
        for channel, builder in enumerate(self._builders):
            self._add(channel, builder.end(self._reached_s[channel]))
        return list(self._order.take([math.inf] * len(self._builders)))

    def _add(self, channel: int, made: Iterator[_T]) -> None:
        for each in made:
            self._order.add(channel, each.start, each)

    def _open_from(self, channel: int) -> float:
        """The earliest start of what the channel has not given."""
        for begun in (self._builders[channel].open_from, self._sure[channel].open_from):
            if begun is not None:
                return begun
        return self._reached_s[channel]


class _Utterances:
    """Utterances of one channel."""

    def __init__(self, channel: int, label: str) -> None:
        self._builder = UtteranceBuilder(channel, label)

    @property
    def open_from(self) -> float | None:
        return self._builder.open_from

    def add(self, unit: Unit) -> Iterator[Utterance]:
        return self._builder.add(unit)

    def end(self, audio_s: float) -> Iterator[Utterance]:
        return self._builder.end()


class _Cues:
    """Subtitles of one channel, which say whose they are."""

    def __init__(self, label: str, options: SubtitleOptions) -> None:
        self._label = label
        self._builder = CueBuilder(options)

    @property
    def open_from(self) -> float | None:
        begun = self._builder.open_from
        # At the end of the audio it may begin so much earlier.
        return None if begun is None else begun - LEAST_CUE_S

    def add(self, unit: Unit) -> Iterator[Cue]:
        return self._labelled(self._builder.add(unit))

    def end(self, audio_s: float) -> Iterator[Cue]:
        return self._labelled(self._builder.end(audio_s))

    def _labelled(self, cues: Iterator[Cue]) -> Iterator[Cue]:
        return (replace(cue, speaker=self._label) for cue in cues)


class SeparateUtterances(_InOrder[Utterance]):
    """Utterances of all channels."""

    def __init__(self, labels: Sequence[str]) -> None:
        """`labels`: what the channels are called."""
        super().__init__([_Utterances(number, label) for number, label in enumerate(labels)])


class SeparateCues(_InOrder[Cue]):
    """Subtitles of all channels."""

    def __init__(self, labels: Sequence[str], options: SubtitleOptions = TRADE) -> None:
        """`labels`: what the channels are called."""
        super().__init__([_Cues(label, options) for label in labels], options)
