"""How one channel of a client comes, and how it is recognised: a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from parakeet_streaming.audio.resample import fed_again, sample_at
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import FilterStart
from parakeet_streaming.server.outbox import MOST_WAITING
from parakeet_streaming.server.session_state import SessionState
from parakeet_streaming.writing.options import WritingOptions

LEAST_RATE_HZ: Final = 4_000
MOST_RATE_HZ: Final = 192_000


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """How one channel's audio comes, and how it is recognised."""

    live: LiveOptions = field(default_factory=LiveOptions)
    """Its rate is that of the samples."""
    encoding: str = "s16le"
    """A name from `audio.pcm_decoder.ENCODINGS`."""
    channels: int = 1
    """Interleaved; they are averaged."""
    stream_id: str | None = None
    most_waiting: int = MOST_WAITING
    """Events that a client may leave unread."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How its text is written."""

    @property
    def rate_hz(self) -> int:
        """Of the samples."""
        return self.live.context.sample_rate

    def needed_from(self, start: ChannelStart) -> int:
        """The client's first sample that a channel needs to go on from there."""
        if start.filters:
            return fed_again(start.filters[0], start.position, self.rate_hz).sample
        return sample_at(start.position, self.rate_hz)


@dataclass(frozen=True, slots=True)
class ChannelStart:
    """Where one channel goes on that was heard elsewhere."""

    snapshot: bytes
    session: SessionState
    position: int
    """The first sample, at 16 kHz, that its stream needs."""
    first_sample: int = 0
    """The client's first sample that comes; those before the one that is needed are left out."""
    filters: tuple[FilterStart, ...] = ()
    """Where its resamplers began: that of the sample at `position`, and those after it."""
    repeated: int = 0
    """Commits and clears that come again for another channel's sake."""


def starts_together(
    starts: Sequence[ChannelStart], options: ChannelOptions
) -> tuple[ChannelStart, ...]:
    """The starts of all channels of a client, whose audio comes again for all of them together."""
    first = min(options.needed_from(each) for each in starts)
    answered = min(each.session.answered for each in starts)
    return tuple(
        replace(each, first_sample=first, repeated=each.session.answered - answered)
        for each in starts
    )
