"""What was read from the device after a call in; what each row gave out.

```
per row:   emissions · skip, token at the border · frame, token at the end · not finite
           then what its biases are at the border, and at the end
           then token, frame, duration, boosted and the confidence's bits of each emission
at last:   whether all frames were finite
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Decoded, DecoderInput, DecoderState, Emission
from parakeet_streaming.torch_runtime.slots import Slot

_HEAD: Final = 6
_FIELDS: Final = 5
_CONFIDENCE: Final = 4
"""Of the fields."""


def decoded_rows(
    read: NDArray[Any],
    inputs: Sequence[DecoderInput],
    slots: Sequence[tuple[Slot, Slot]],
    most_biases: int,
) -> list[Decoded]:
    """The rows of a call.

    Args:
        read: (n,) int32, as above.
        inputs: of the call.
        slots: of each row, where its states at the border and at the end were written.
        most_biases: of one row.

    Raises:
        ComputeError: numbers were not finite.
    """
    if not read[-1]:
        raise broken("the encoder")
    rows = read[:-1].reshape(len(inputs), -1)
    if rows[:, _HEAD - 1].any():
        raise broken("the joint")
    head = _HEAD + 2 * most_biases
    confidences = rows[:, head + _CONFIDENCE :: _FIELDS].copy().view(np.float32)
    return [
        _decoded(
            given,
            rows[at, :head].tolist(),
            rows[at, head:].reshape(-1, _FIELDS).tolist(),
            confidences[at].tolist(),
            slots[at],
        )
        for at, given in enumerate(inputs)
    ]


def _decoded(
    given: DecoderInput,
    head: Sequence[int],
    emitted: Sequence[Sequence[int]],
    confidences: Sequence[float],
    memories: tuple[Slot, Slot],
) -> Decoded:
    count, skip, token, frame, last = head[: _HEAD - 1]
    first = given.state.decoded_frames
    border = given.chunk_end - given.chunk_start
    length = given.lookahead_end - given.chunk_start
    emissions = [
        Emission(token, first + at, duration, confidence, boosted=bool(boosted))
        for (token, at, duration, boosted, _), confidence in zip(
            emitted[:count], confidences, strict=False
        )
    ]
    own = sum(each.frame < first + border for each in emissions)
    biases, known = len(given.biases), head[_HEAD:]
    at_border = tuple(known[:biases])
    at_end = tuple(known[len(known) // 2 :][:biases])
    return Decoded(
        tuple(emissions[:own]),
        tuple(emissions[own:]),
        DecoderState(token, skip, first + border, memories[0], at_border),
        DecoderState(last, frame - length, first + length, memories[1], at_end),
    )
