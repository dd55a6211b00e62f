"""What a cached encoder keeps of one stream between two windows, and how it grows.

Rules of this file:

1. A past is never changed: what a window adds makes a new one.
2. What is known is not copied at every step. Keys and values lie in blocks, one for each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.ports import Floats

_MOST_BLOCKS: Final = 32
"""Blocks that gather before they are put together, which costs new memory."""


class Past(Protocol):
    """What one stream keeps between steps, wherever its keys and values lie."""

    @property
    def log_mel(self) -> Floats:
        """(F, T), not normalised, as far as they are certain."""
        ...

    @property
    def ahead(self) -> int:
        """How many of them follow the last chunk; -1 where the chunk's own last one is to come."""
        ...

    @property
    def frames(self) -> int:
        """K: how many the keys and values are of."""
        ...


@dataclass(frozen=True, slots=True)
class EncoderPast:
    """What one stream keeps between steps."""

    log_mel: Floats
    """(F, T), not normalised, as far as they are certain."""
    ahead: int
    """How many of them follow the last chunk; -1 where the chunk's own last one is to come."""
    keys: tuple[Floats, ...]
    """Of the left context, the oldest first: (L, n, D) each, K frames together."""
    values: tuple[Floats, ...]
    """Likewise."""
    convolved: Floats
    """(L, R, D): what the convolutions reach back to."""

    @property
    def frames(self) -> int:
        """K."""
        return sum(block.shape[1] for block in self.keys)

    def to_arrays(self) -> dict[str, Floats]:
        """All of this as named arrays."""
        layers, _, width = self.convolved.shape
        nothing = np.zeros((layers, 0, width), dtype=np.float32)
        return {
            "log_mel": self.log_mel,
            "ahead": np.array([self.ahead], dtype=np.float32),
            "keys": np.concatenate((nothing, *self.keys), axis=1),
            "values": np.concatenate((nothing, *self.values), axis=1),
            "convolved": self.convolved,
        }

    def from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> Self:
        """The past of which `to_arrays` made the arrays; of the same encoder as this one.

        All rows of a call are padded to the longest past, so one that is longer than its stream
        keeps would cost other streams.

        Raises:
            SnapshotError: arrays of other names or shapes, or more than `most_frames` frames.
        """
        layers, reach, width = self.convolved.shape
        shapes = {name: array.shape for name, array in arrays.items()}
        columns, kept = (
            shapes[name][1] if len(shapes.get(name, ())) in (2, 3) else -1
            for name in ("log_mel", "keys")
        )
        expected: dict[str, tuple[int, ...]] = {
            "log_mel": (self.log_mel.shape[0], columns),
            "ahead": (1,),
            "keys": (layers, kept, width),
            "values": (layers, kept, width),
            "convolved": (layers, reach, width),
        }
        if shapes != expected:
            raise SnapshotError(f"an encoder's past of {shapes}; this model's is like {expected}")
        if kept > most_frames:
            raise SnapshotError(f"an encoder's past of {kept} frames, not of {most_frames} at most")
        ahead = int(arrays["ahead"][0])
        if not -1 <= ahead <= columns:
            raise SnapshotError(f"an encoder's past with {ahead} of {columns} log-mels ahead")
        return type(self)(
            arrays["log_mel"],
            ahead,
            (arrays["keys"],) if kept else (),
            (arrays["values"],) if kept else (),
            arrays["convolved"],
        )


def _last(columns: Floats, count: int) -> Floats:
    """The last `count` along axis 1, or all there are."""
    return columns[:, max(0, columns.shape[1] - count) :]


def with_block(blocks: tuple[Floats, ...], new: Floats, count: int) -> tuple[Floats, ...]:
    """The last `count` frames of blocks (L, n, D) and of what is new (L, n, D) after them.

    What is known is not copied at every step, but when many blocks have gathered.
    """
    kept = [_last(new, count).copy()]
    wanted = count - new.shape[1]
    for block in reversed(blocks):
        if wanted <= 0:
            break
        kept.append(_last(block, wanted))
        wanted -= block.shape[1]
    kept.reverse()
    return tuple(kept) if len(kept) <= _MOST_BLOCKS else (np.concatenate(kept, axis=1),)


def lay_blocks(blocks: tuple[Floats, ...], slots: Floats) -> None:
    """Writes blocks (L, n, D) at the right edge of slots (L, K, D)."""
    end = slots.shape[1]
    for block in reversed(blocks):
        slots[:, end - block.shape[1] : end] = block
        end -= block.shape[1]
