"""When probabilities of speech count as speech: thresholds and durations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import check_number

MAX_DURATION_MS: Final = 60_000
_HYSTERESIS: Final = 0.15
_LEAST_NEG_THRESHOLD: Final = 0.01


@dataclass(frozen=True, slots=True)
class VadOptions:
    """When a stream of probabilities counts as speech.

    Thresholds and padding are those of Silero VAD, LiveKit and OpenAI's server_vad; durations lie
    between what LiveKit (50 ms of speech, 550 of silence) and Pipecat (200 and 200) use.

    Raises:
        OptionError: a probability or a duration that makes no sense.
    """

    threshold: float = 0.5
    """Probability at which voice begins."""
    neg_threshold: float | None = None
    """Probability below which voice ends; None for 0.15 below `threshold`, 0.01 at least."""
    min_speech_ms: float = 100
    """Milliseconds of voice that make speech."""
    min_silence_ms: float = 200
    """Milliseconds without voice that end speech."""
    prefix_padding_ms: float = 300
    """Milliseconds before possible speech that are never quiet; quiet is known this much later."""
    hangover_ms: float = 600
    """Milliseconds after possible speech that are never quiet: the last tokens, punctuation most of
    all, come late. `min_silence_ms` where that is longer."""

    def __post_init__(self) -> None:
        check_number("threshold", self.threshold, 0, 1)
        if self.neg_threshold is not None:
            check_number("neg_threshold", self.neg_threshold, 0, 1)
        if not 0 < self.threshold <= 1:
            raise OptionError(f"threshold {self.threshold}; use a probability above 0, up to 1")
        if not 0 < self.effective_neg_threshold <= self.threshold:
            raise OptionError(
                f"neg_threshold {self.neg_threshold}; use more than 0, and at most the threshold "
                f"{self.threshold}"
            )
        for name in ("min_speech_ms", "min_silence_ms", "prefix_padding_ms", "hangover_ms"):
            check_number(name, getattr(self, name), 0, MAX_DURATION_MS, "milliseconds")

    @property
    def effective_neg_threshold(self) -> float:
        """`neg_threshold`, or what stands for None."""
        if self.neg_threshold is not None:
            return self.neg_threshold
        return min(max(self.threshold - _HYSTERESIS, _LEAST_NEG_THRESHOLD), self.threshold)
