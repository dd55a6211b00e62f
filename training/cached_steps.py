"""Log-mel features of whole utterances in; them as steps of cached streams, and their frames, out.

```
step 1      |chunk|right|
step 2      : kept |chunk|right|               kept: keys, values and convolution inputs of the
step 3      :  kept     |chunk|right|                chunks before, as the steps before made them
```

A cached stream (`torch_model/cached.py`) encodes a frame once, when it is chunk, and never hears it
again with another left end. Here all steps of an utterance are rows of one batch: in each layer, a
row's past is made of the chunks of the rows before it, so one pass gives what the steps would have
given one after the other, with gradients through all that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from parakeet_streaming.model.features import DEVIATION_GUARD
from parakeet_streaming.timeline import SUBSAMPLING
from parakeet_streaming.torch_model.cached import encode_step
from parakeet_streaming.torch_model.fastconformer import Encoder

# Encoder frames: chunks, and the left contexts that presets and users have beside them.
CHUNKS_AND_LEFTS = ((1, 12), (3, 25), (6, 62), (12, 62), (25, 125))


@dataclass(frozen=True)
class Steps:
    """Steps of a batch; row b's step k is row b * steps + k."""

    features: Tensor
    """(B * steps, F, 8 + 8 * (chunk + right)) normalised; the first 8 are the look-back."""
    lengths: Tensor
    """(B * steps,) feature frames, the 8 included; 8 where a row has no such step."""
    look_back: Tensor
    """(B * steps,) 8, or 0 in first steps."""
    filled: Tensor
    """(B * steps,) frames of left context."""
    stitch: Tensor
    """(B, U): which of the steps' frames, flattened, is each row's frame."""
    frame_lengths: Tensor
    """(B,) encoder frames."""
    count: int
    """Steps of each row."""
    chunk: int
    left: int


def random_steps(features: Tensor, lengths: Tensor, generator: torch.Generator) -> Steps:
    """Steps of one context drawn at random, of log-mels (B, F, T) of `lengths` (B,) frames."""
    at, far = torch.rand(2, generator=generator).tolist()
    chunk, left = CHUNKS_AND_LEFTS[int(at * len(CHUNKS_AND_LEFTS))]
    # A right context from half as long as the chunk to twice as long, as presets have them.
    return cut(features, lengths, chunk, max(1, round(chunk * 2 ** (2 * far - 1))), left)


def cut(features: Tensor, lengths: Tensor, chunk: int, right: int, left: int) -> Steps:
    """Steps of log-mels (B, F, T), not normalised, each normalised over its window."""
    batch, _, total = features.shape
    device, shown = features.device, chunk + right
    frame_lengths = torch.div(lengths + SUBSAMPLING - 1, SUBSAMPLING, rounding_mode="floor")
    # What is left after the last whole step is its chunk, too.
    own = 1 + torch.div(
        (frame_lengths - shown).clamp(min=0) + chunk - 1, chunk, rounding_mode="floor"
    )
    count = int(own.max())
    number = torch.arange(count, device=device)
    first = number * chunk
    there = number[None, :] < own[:, None]
    offsets = torch.arange(-SUBSAMPLING, shown * SUBSAMPLING, device=device)
    index = first[:, None] * SUBSAMPLING + offsets
    heard = (index >= 0) & (index < lengths[:, None, None])
    rows = features[:, :, index.clamp(0, total - 1)].transpose(1, 2)
    stop = torch.minimum(((first + shown) * SUBSAMPLING)[None, :], lengths[:, None])
    begin = ((first - left).clamp(min=0) * SUBSAMPLING).expand(batch, -1)
    mean, deviation = _statistics(features, lengths, begin, torch.maximum(stop, begin))
    rows = (rows - mean[..., None]) / (deviation[..., None] + float(DEVIATION_GUARD))
    new = (stop - first * SUBSAMPLING).clamp(min=0) * there
    frame = torch.arange(int(frame_lengths.max()), device=device)
    step = torch.minimum(torch.div(frame, chunk, rounding_mode="floor"), own[:, None] - 1)
    row = torch.arange(batch, device=device)[:, None] * count + step
    within = (frame - step * chunk).clamp(max=shown - 1)
    return Steps(
        (rows * heard[:, :, None, :]).flatten(0, 1),
        (SUBSAMPLING + new).flatten(),
        torch.where(number > 0, SUBSAMPLING, 0).repeat(batch),
        first.clamp(max=left).repeat(batch),
        row * shown + within,
        frame_lengths,
        count,
        chunk,
        left,
    )


def _statistics(
    features: Tensor, lengths: Tensor, begin: Tensor, stop: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and unbiased deviation (B, n, F) of log-mels from `begin` to `stop` (B, n)."""
    inside = torch.arange(features.shape[2], device=features.device)[None, :] < lengths[:, None]
    # Around the middle of all, so that differences of long sums keep their digits.
    middle = features.mean(dim=(0, 2), keepdim=True)
    centred = ((features - middle) * inside[:, None, :]).transpose(1, 2)
    sums = functional.pad(centred.cumsum(1), (0, 0, 1, 0))
    squares = functional.pad(centred.square().cumsum(1), (0, 0, 1, 0))
    total, square = (
        each.gather(1, _wide(stop, each)) - each.gather(1, _wide(begin, each))
        for each in (sums, squares)
    )
    frames = (stop - begin)[..., None]
    mean = total / frames.clamp(min=1)
    variance = (square - frames * mean.square()) / (frames - 1).clamp(min=1)
    return mean + middle[:, :, 0], variance.clamp(min=0).sqrt()


def _wide(index: Tensor, table: Tensor) -> Tensor:
    return index[..., None].expand(-1, -1, table.shape[2])


def encoded(encoder: Encoder, steps: Steps) -> Tensor:
    """Frames (B * steps, chunk + right, D) of the steps."""
    earlier = _Earlier(steps.count, steps.chunk, steps.left, encoder.config.kernel // 2)
    frames, _ = encode_step(
        encoder,
        (steps.features, steps.lengths, steps.look_back),
        (steps.left, steps.filled),
        lambda _: earlier,
        lambda *_: None,
    )
    return frames


@dataclass(frozen=True)
class _Earlier:
    """The past of each row from the chunks of the rows before it."""

    count: int
    chunk: int
    left: int
    reach: int

    def kept(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        return self._behind(keys, self.left), self._behind(values, self.left)

    def convolved(self, inputs: Tensor) -> Tensor:
        return self._behind(inputs, self.reach)

    def _behind(self, frames: Tensor, most: int) -> Tensor:
        """The last frames (B * steps, most, D) before each row's chunk; zeros where none are."""
        width = frames.shape[2]
        chunks = frames.view(-1, self.count, frames.shape[1], width)[:, :, : self.chunk]
        line = functional.pad(chunks.flatten(1, 2), (0, 0, most, 0))
        behind = line.unfold(1, most, self.chunk)[:, : self.count]
        return behind.transpose(2, 3).flatten(0, 1)
