"""What was read from the device after a call in; what each row gave out.

```
heads      of each row: emissions · skip, token at the border · frame, token at the end · not finite
           then the states of its biases at the border, and at the end: of all, or of the last ones
           where those before remember nothing
emissions  of each row: token, frame, duration, boosted and the confidence's bits of each
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Decoded, DecoderInput, DecoderState, Emission
from parakeet_streaming.torch_runtime.loop_state import HEAD
from parakeet_streaming.torch_runtime.slots import Slot

_CONFIDENCE: Final = 4
"""Of an emission's numbers."""
_NONE: Final[tuple[Emission, ...]] = ()
"""What most rows of a step emit."""


@dataclass(frozen=True, slots=True)
class Emissions:
    """What rows emitted between two reads."""

    counts: NDArray[Any]
    """(B,)"""
    told: NDArray[Any]
    """(B, M, 5); what stands after a row's count means nothing."""


_Told = tuple[int, int, int, int, float]
"""Token, frame, duration, whether it was boosted, and confidence."""


def decoded_rows(
    heads: NDArray[Any],
    pieces: Sequence[Emissions],
    inputs: Sequence[DecoderInput],
    memories: tuple[Sequence[Slot], Sequence[Slot]],
) -> list[Decoded]:
    """The rows of a call.

    Args:
        heads: (B, 6 + 2 K), as above.
        pieces: of the same rows, in the order in which they were read.
        inputs: of the call.
        memories: slots where states of each row were written, those at borders and those at ends.

    Raises:
        ComputeError: numbers were not finite.
    """
    if heads[:, HEAD - 1].any():
        raise broken("the joint")
    emitted = _emitted(pieces)
    rows: list[Decoded] = []
    for at, (given, head, border, end) in enumerate(
        zip(inputs, heads.tolist(), *memories, strict=True)
    ):
        _, skip, token, frame, last = head[: HEAD - 1]
        first = given.state.decoded_frames
        own_frames = given.chunk_end - given.chunk_start
        length = given.lookahead_end - given.chunk_start
        own = ahead = _NONE
        if at in emitted:
            own, ahead = _emissions(emitted[at], first, own_frames)
        at_border: tuple[int, ...] = ()
        at_end: tuple[int, ...] = ()
        if given.biases:
            at_border, at_end = _bias_states(head[HEAD:], len(given.biases))
        rows.append(
            Decoded(
                own,
                ahead,
                DecoderState(token, skip, first + own_frames, border, at_border),
                DecoderState(last, frame - length, first + length, end, at_end),
            )
        )
    return rows


def _emitted(pieces: Sequence[Emissions]) -> dict[int, list[_Told]]:
    """Of the rows that emitted something, all of it in order."""
    emitted: dict[int, list[_Told]] = {}
    for piece in pieces:
        given = np.arange(piece.told.shape[1]) < piece.counts[:, None]
        owners, told = given.nonzero()[0], piece.told[given]
        confidences = told[:, _CONFIDENCE].astype(np.int32).view(np.float32)
        for row, numbers, confidence in zip(
            owners.tolist(), told.tolist(), confidences.tolist(), strict=True
        ):
            emitted.setdefault(row, []).append((*numbers[:_CONFIDENCE], confidence))
    return emitted


def _emissions(
    told: Sequence[_Told], first: int, own_frames: int
) -> tuple[tuple[Emission, ...], tuple[Emission, ...]]:
    """Those of the chunk and those of the look-ahead; `first`: the chunk's first frame."""
    own: list[Emission] = []
    ahead: list[Emission] = []
    for token, frame, duration, boosted, confidence in told:
        (own if frame < own_frames else ahead).append(
            Emission(token, first + frame, duration, confidence, boosted=bool(boosted))
        )
    return tuple(own), tuple(ahead)


def _bias_states(known: Sequence[int], count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """States of so many biases at the border and at the end, of those that were told."""
    middle = len(known) // 2
    nothing = (0,) * (count - middle)
    return (*nothing, *known[:middle][:count]), (*nothing, *known[middle:][:count])
