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


@dataclass(frozen=True, slots=True)
class Emissions:
    """What rows emitted between two reads."""

    counts: NDArray[Any]
    """(B,)"""
    told: NDArray[Any]
    """(B, M, 5); what stands after a row's count means nothing."""


def decoded_rows(
    heads: NDArray[Any],
    pieces: Sequence[Emissions],
    inputs: Sequence[DecoderInput],
    slots: Sequence[tuple[Slot, Slot]],
) -> list[Decoded]:
    """The rows of a call.

    Args:
        heads: (B, 6 + 2 K), as above.
        pieces: of the same rows, in the order in which they were read.
        inputs: of the call.
        slots: of each row, where its states at the border and at the end were written.

    Raises:
        ComputeError: numbers were not finite.
    """
    if heads[:, HEAD - 1].any():
        raise broken("the joint")
    confidences = [each.told[..., _CONFIDENCE].astype(np.int32).view(np.float32) for each in pieces]
    return [
        _decoded(
            given,
            heads[at].tolist(),
            [
                (*told[:_CONFIDENCE], confidence)
                for each, known in zip(pieces, confidences, strict=True)
                for told, confidence in zip(
                    each.told[at, : each.counts[at]].tolist(),
                    known[at, : each.counts[at]].tolist(),
                    strict=True,
                )
            ],
            slots[at],
        )
        for at, given in enumerate(inputs)
    ]


def _decoded(
    given: DecoderInput,
    head: Sequence[int],
    emitted: Sequence[tuple[Any, ...]],
    memories: tuple[Slot, Slot],
) -> Decoded:
    _, skip, token, frame, last = head[: HEAD - 1]
    first = given.state.decoded_frames
    border = given.chunk_end - given.chunk_start
    length = given.lookahead_end - given.chunk_start
    emissions = [
        Emission(token, first + at, duration, confidence, boosted=bool(boosted))
        for token, at, duration, boosted, confidence in emitted
    ]
    own = sum(each.frame < first + border for each in emissions)
    count, known = len(given.biases), head[HEAD:]
    middle = len(known) // 2
    nothing = (0,) * (count - middle)
    at_border = (*nothing, *known[:middle][:count])
    at_end = (*nothing, *known[middle:][:count])
    return Decoded(
        tuple(emissions[:own]),
        tuple(emissions[own:]),
        DecoderState(token, skip, first + border, memories[0], at_border),
        DecoderState(last, frame - length, first + length, memories[1], at_end),
    )
