"""What was read from the device after a call in; what each row gave out.

```
per row:   emissions · skip, token at the border · frame, token at the end · not finite
           then token, frame, duration and the confidence's bits of each emission
at last:   whether all frames were finite
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.model.decoder_row import Choice
from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Decoded, DecoderInput, DecoderState, Emission
from parakeet_streaming.torch_runtime.named_tokens import NamedRow
from parakeet_streaming.torch_runtime.slots import Slot

_HEAD: Final = 6
_FIELDS: Final = 4
_CONFIDENCE: Final = 3
"""Of the fields."""


def decoded_rows(
    read: NDArray[Any],
    inputs: Sequence[DecoderInput],
    slots: Sequence[tuple[Slot, Slot]],
    named: Mapping[int, NamedRow],
) -> list[Decoded]:
    """The rows of a call.

    Args:
        read: (n,) int32, as above.
        inputs: of the call.
        slots: of each row, where its states at the border and at the end were written.
        named: what biases chose, by row.

    Raises:
        ComputeError: numbers were not finite.
    """
    if not read[-1]:
        raise broken("the encoder")
    rows = read[:-1].reshape(len(inputs), -1)
    if rows[:, _HEAD - 1].any():
        raise broken("the joint")
    confidences = rows[:, _HEAD + _CONFIDENCE :: _FIELDS].copy().view(np.float32)
    return [
        _decoded(
            given,
            rows[at].tolist(),
            confidences[at].tolist(),
            slots[at],
            named[at].choices if at in named else [],
        )
        for at, given in enumerate(inputs)
    ]


def _decoded(
    given: DecoderInput,
    row: Sequence[int],
    confidences: Sequence[float],
    memories: tuple[Slot, Slot],
    choices: Sequence[Choice],
) -> Decoded:
    count, skip, token, frame, last = row[: _HEAD - 1]
    first = given.state.decoded_frames
    border = given.chunk_end - given.chunk_start
    length = given.lookahead_end - given.chunk_start
    emissions = [
        Emission(
            row[at],
            first + row[at + 1],
            row[at + 2],
            confidences[number],
            boosted=bool(choices) and choices[number].boosted,
        )
        for number in range(count)
        for at in [_HEAD + _FIELDS * number]
    ]
    own = sum(each.frame < first + border for each in emissions)
    before = given.state.bias_states or (0,) * len(given.biases)
    # Of the last token before the border, which its memory is of, too.
    biased = [before, *(choice.states for choice in choices)]
    return Decoded(
        tuple(emissions[:own]),
        tuple(emissions[own:]),
        DecoderState(token, skip, first + border, memories[0], biased[min(own, len(choices))]),
        DecoderState(last, frame - length, first + length, memories[1], biased[-1]),
    )
