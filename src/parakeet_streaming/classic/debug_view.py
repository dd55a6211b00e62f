"""What an engine of the classic API holds at one moment, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass, field

from parakeet_streaming.results import TokenResult
from parakeet_streaming.timeline import ContextConfig


@dataclass(frozen=True, slots=True)
class DebugView:
    """What an engine holds at one moment."""

    context: ContextConfig
    ring_samples: int
    """Samples in the audio ring, at the pushed rate."""
    window_samples: int
    """Samples at 16 kHz taken but not yet decoded."""
    decoded_samples: int
    """Samples at 16 kHz decoded."""
    refused_samples: int
    """Samples that a full ring did not take."""
    tokens: tuple[TokenResult, ...] = field(repr=False)
    """Committed."""
    tentative_text: str
    """Decoded early from the look-ahead."""

    def __str__(self) -> str:
        left, chunk, right = self.context.effective
        text = "".join(token.text for token in self.tokens)
        return (
            f"context  left {left} s, chunk {chunk} s, right {right} s\n"
            f"buffer   {self.ring_samples} in the ring, {self.window_samples} in the window, "
            f"{self.decoded_samples} decoded, {self.refused_samples} refused\n"
            f"tokens   {len(self.tokens)}: {text!r} and tentatively {self.tentative_text!r}"
        )
