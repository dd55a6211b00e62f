"""How one channel of a client comes, and how it is recognised: a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.outbox import MOST_WAITING

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

    @property
    def rate_hz(self) -> int:
        """Of the samples."""
        return self.live.context.sample_rate
