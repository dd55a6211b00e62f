"""What a step of the cached encoder does with windows, in numbers; for the host and the device.

```
log-mels of the window   | left: known ··············· | ahead: known ·· | fresh ········· |
                                                       ^ the chunk begins
log-mels of the samples                                           | lead | fresh ········· |
```

Rules of this file:

1. Windows of one kind have one plan, which is made once for all of them: it has every number but
   those that say where a row's slots are. In a step of hundreds of rows there are few kinds.
2. For each row, numbers and the past after the step are made in one pass over all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from parakeet_streaming.model.features import SPOILT_BEFORE_CUT, SPOILT_BEHIND_CUT
from parakeet_streaming.ports import Counts, EncoderInput, Floats
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    SUBSAMPLING,
    encoder_frames,
    feature_frames,
)
from parakeet_streaming.torch_runtime.device_past import NO_PAST, DevicePast, RingSize
from parakeet_streaming.torch_runtime.slots import NOTHING, Slot
from parakeet_streaming.torch_runtime.window_encoder import heard_frames

FACTS: Final = 16
"""Numbers of a row for the device."""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step does with windows of one kind."""

    cut: int
    """The first sample of the window that log-mels must still be computed of."""
    samples: int
    """How many there are from there on."""
    lead: int
    """Log-mels of them that were known."""
    fresh: int
    """And those that were not."""
    left: int
    """Log-mels of the window before its chunk."""
    ahead: int
    """And those from there on that were known."""
    new: int
    """All from there on: feature frames of chunk and right context."""
    heard: int
    length: int
    """Encoder frames of the step."""
    chunk: int
    """And those of its chunk."""
    stored: int
    """Of which so many are kept."""
    filled: int
    """Frames of the past."""
    filled_after: int
    """And those after the step."""
    chunk_end: int
    """Log-mels of the window before the end of its chunk."""
    ahead_after: int
    """Those from there on that are known after the step."""
    least: RingSize
    """What a ring needs for the step."""
    usual: RingSize
    """What a new ring has."""

    @classmethod
    def of(cls, given: EncoderInput, past: DevicePast) -> StepPlan:
        """That of a window, and of all others of its kind."""
        assert given.kept_frames is not None
        samples, kept = given.samples.shape[0], given.kept_frames
        known = 0 if given.past is None else given.left_samples
        new, length = feature_frames(samples - known), encoder_frames(samples - known)
        left = min(feature_frames(known), past.before)
        ahead = max(-left, min(past.ahead, new - SPOILT_BEFORE_CUT))
        lead = min(left + ahead, SPOILT_BEHIND_CUT)
        cut = known + (ahead - lead) * HOP_SAMPLES
        fresh = feature_frames(samples - cut) - lead
        own = given.chunk_samples // FRAME_SAMPLES
        chunk = min((given.left_samples - known) // FRAME_SAMPLES + own, length)
        least, usual = ring_rooms(kept, min(own, chunk), length, past.before, new)
        total = left + ahead + fresh
        chunk_end = min(left + chunk * SUBSAMPLING, total)
        return cls(
            cut=cut,
            samples=samples - cut,
            lead=lead,
            fresh=fresh,
            left=left,
            ahead=ahead,
            new=ahead + fresh,
            heard=heard_frames(samples, given.tail_samples, left + new),
            length=length,
            chunk=chunk,
            stored=min(chunk, kept),
            filled=past.filled,
            filled_after=min(past.filled + chunk, kept),
            chunk_end=chunk_end,
            ahead_after=total - SPOILT_BEFORE_CUT - chunk_end,
            least=least,
            usual=usual,
        )


def ring_rooms(
    kept: int, own: int, length: int, before: int, new: int
) -> tuple[RingSize, RingSize]:
    """What a ring needs for a step at least, and what a new ring has.

    Args:
        kept: most frames of the past.
        own: of a chunk.
        length: of the step.
        before: log-mels that are known before the chunk.
        new: and those from there on.
    """
    return (
        RingSize(kept + own, before + new),
        RingSize(kept + length, (kept + own) * SUBSAMPLING + new),
    )


def by_kind(inputs: Sequence[EncoderInput], rows: Sequence[int]) -> list[list[int]]:
    """Those rows of a call whose plans are the same and whose rings have one size, together."""
    kinds: dict[object, list[int]] = {}
    for row in rows:
        given = inputs[row]
        past = given.past or NO_PAST
        assert type(past) is DevicePast, "the past of another encoder"
        ring = past.ring
        kind = (
            given.samples.shape[0],
            given.left_samples,
            given.chunk_samples,
            given.kept_frames,
            given.tail_samples,
            given.past is None,
            past.before,
            past.ahead,
            past.filled,
            None if ring is None else ring.size,
        )
        kinds.setdefault(kind, []).append(row)
    return list(kinds.values())


@dataclass(slots=True)
class StepRow:
    """One window in a step. It is not frozen, as one is made for each; it is never changed."""

    number: int
    """Of the row in its call."""
    plan: StepPlan
    past: DevicePast
    """In a ring that has room for the step."""
    samples: Floats
    """Those that log-mels must still be computed of."""


def facts_of(rows: Sequence[StepRow], size: RingSize, convolved: Sequence[Slot]) -> Counts:
    """Numbers (B, 16) of rows for the device, in the order of `Told`.

    Args:
        rows: whose rings have one size.
        size: of those.
        convolved: where inputs of convolutions of each row go.
    """
    frames, log_mels = size
    facts = [
        (
            plan.samples,
            plan.lead,
            plan.fresh,
            (past.log_mels + plan.ahead) % log_mels,
            (past.log_mels - plan.left) % log_mels,
            plan.left,
            plan.new,
            plan.heard,
            SUBSAMPLING if plan.left >= SUBSAMPLING else 0,
            past.ring.slot.number if past.ring is not None else NOTHING,
            past.frames % frames,
            plan.filled,
            plan.chunk,
            plan.stored,
            past.convolved.number if past.convolved is not None else NOTHING,
            slot.number,
        )
        for row, slot in zip(rows, convolved, strict=True)
        for plan, past in ((row.plan, row.past),)
    ]
    return np.array(facts, np.int64)


def pasts_after(rows: Sequence[StepRow], convolved: Sequence[Slot]) -> list[DevicePast]:
    """What is kept of each row after the step has written it; the slots are as of `facts_of`."""
    return [
        DevicePast(
            past.ring,
            slot,
            past.frames + plan.chunk,
            plan.filled_after,
            past.log_mels - plan.left + plan.chunk_end,
            plan.chunk_end,
            plan.ahead_after,
        )
        for row, slot in zip(rows, convolved, strict=True)
        for plan, past in ((row.plan, row.past),)
    ]


@dataclass(frozen=True, slots=True)
class Told:
    """The numbers of a row on the device, (B, 1) each; a row of zeros is none."""

    size: Tensor
    lead: Tensor
    fresh: Tensor
    fresh_at: Tensor
    window_at: Tensor
    left: Tensor
    new: Tensor
    heard: Tensor
    look_back: Tensor
    ring: Tensor
    frames: Tensor
    filled: Tensor
    chunk: Tensor
    stored: Tensor
    convolved: Tensor
    next_convolved: Tensor
