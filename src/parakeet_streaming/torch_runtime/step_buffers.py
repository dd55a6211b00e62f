"""Samples and facts of B rows in; both, and log-mels, at fixed places on a device out.

```
upload ─► samples, facts ─► log-mels ─► [ work, perhaps as one graph ] ─► frames
```

Rules of this file:

1. Log-mels are computed before the work, never in it: plans of Fourier transforms are kept by torch
   for as long as it likes, and a graph would go on using one that was freed. Their shapes are those
   of the buffers, so one plan serves a step for good.
2. A row of zeros as its facts is none. What an earlier call left in a row, or after its end, never
   changes another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.ports import Counts, Floats
from parakeet_streaming.timeline import feature_frames
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.mel import LogMel


@dataclass(frozen=True, slots=True)
class StepRoom:
    """For what a step has room."""

    rows: int
    """B."""
    samples: int
    """n, of a row."""
    facts: int
    """k, of a row; its samples are the first."""
    frames: int
    """U."""
    width: int
    """D."""


@dataclass(frozen=True, slots=True)
class StepBuffers:
    """Where the input of a step of B rows is put, and its frames are found."""

    samples: Tensor
    """(B, n) float32."""
    facts: Tensor
    """(B, k) whole numbers."""
    log_mels: Tensor
    """(B, n // 160, F) float32, not normalised."""
    frames: Tensor
    """(B, U, D)."""

    @classmethod
    def of(
        cls, room: StepRoom, mel_bins: int, dtype: torch.dtype, device: torch.device
    ) -> StepBuffers:
        """New ones; `dtype`: of the frames."""
        rows = room.rows
        return cls(
            torch.zeros((rows, room.samples), device=device),
            torch.zeros((rows, room.facts), dtype=torch.int64, device=device),
            torch.zeros((rows, feature_frames(room.samples), mel_bins), device=device),
            torch.zeros((rows, room.frames, room.width), dtype=dtype, device=device),
        )

    def first(self, rows: int) -> StepBuffers:
        """The first rows of these: steps of one kind run one at a time, and share them."""
        return StepBuffers(
            self.samples[:rows], self.facts[:rows], self.log_mels[:rows], self.frames[:rows]
        )

    def lay(self, samples: Sequence[Floats], facts: Counts, mel: LogMel) -> None:
        """Puts samples of b rows and facts (b, k) to the first rows; the others become padding."""
        heard, told = upload(_of_one_length(samples), facts, self.samples.device)
        count = len(samples)
        heard = heard.view(count, -1)
        self.samples[:count, : heard.shape[1]].copy_(heard)
        self.facts[:count].copy_(told)
        self.facts[count:].zero_()
        self.hear(mel)

    def hear(self, mel: LogMel) -> None:
        """Computes log-mels of the samples that are there."""
        self.log_mels.copy_(mel.raw(self.samples, self.facts[:, 0]))


def _of_one_length(rows: Sequence[Floats]) -> Sequence[Floats]:
    """Rows of samples, with zeros after each that is shorter than the longest."""
    sizes = [each.shape[0] for each in rows]
    most = max(sizes)
    if min(sizes) == most:
        return rows
    whole = np.zeros((len(rows), most), dtype=np.float32)
    for place, size, each in zip(whole, sizes, rows, strict=True):
        place[:size] = each
    return [whole.reshape(-1)]
