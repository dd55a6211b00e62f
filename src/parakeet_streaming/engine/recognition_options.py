"""What is chosen once for a recognizer: symbols per frame, confidence, segments."""

from __future__ import annotations

from dataclasses import dataclass

from parakeet_streaming.engine.words import WordConfidence
from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import (
    LEAST_SECONDS,
    MOST_SEGMENT_GAP_S,
    MOST_SYMBOLS,
    check_number,
    check_whole,
)
from parakeet_streaming.ports import CONFIDENCE_MEASURES


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """What is chosen once for a recognizer.

    Raises:
        OptionError: a choice that does not exist.
    """

    max_symbols: int | None = None
    """Tokens on one frame after which a frame is skipped, 1 to 1,000; None for what the model says,
    and 10 where it says nothing. (`load` puts the model's number in place of None.)"""
    confidence: str = "probability"
    """`probability` (softmax) or `entropy` (NeMo's Tsallis measure)."""
    word_confidence: WordConfidence = "min"
    """How tokens' confidences become a word's: `min` or `mean`."""
    segment_gap_s: float | None = None
    """A gap between words that ends a segment; None ends segments at sentence marks only."""

    def __post_init__(self) -> None:
        if self.confidence not in CONFIDENCE_MEASURES:
            raise OptionError(
                f"confidence {self.confidence!r} does not exist; use one of "
                f"{', '.join(CONFIDENCE_MEASURES)}"
            )
        if self.word_confidence not in ("min", "mean"):
            raise OptionError(f"word_confidence {self.word_confidence!r}; use 'min' or 'mean'")
        if self.max_symbols is not None:
            check_whole("max_symbols", self.max_symbols, 1, MOST_SYMBOLS)
        if self.segment_gap_s is not None:
            least = LEAST_SECONDS
            gap_s = self.segment_gap_s
            gap_s = check_number("segment_gap_s", gap_s, least, MOST_SEGMENT_GAP_S, "seconds")
            object.__setattr__(self, "segment_gap_s", gap_s)
