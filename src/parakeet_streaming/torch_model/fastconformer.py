"""Features (B, F, T) and their lengths in; encoder frames (B, U, D) and lengths out, in torch.

A FastConformer (Rekesh et al., "Fast Conformer with Linearly Scalable Attention", 2023) as every
Parakeet has it: depthwise-striding subsampling by 8, then Conformer layers with full attention.

Rules of this file:

1. Padding after a row's end never changes the row's frames: it is set to zero before every
   convolution, and attention and batch statistics leave it out.
2. Weights have PyTorch's initial values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import shown
from parakeet_streaming.torch_model.attention import Attention, relative_positions
from parakeet_streaming.torch_model.sizes import check_part, check_size

SUBSAMPLING_STAGES = 3

_SIZES = ("mel_bins", "subsampling_channels", "width", "layers", "heads", "feed_forward", "kernel")


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The size of an encoder.

    Raises:
        OptionError: a size out of its bounds, heads that do not divide the width, or an even
            kernel.
    """

    mel_bins: int = 128
    """F."""
    subsampling_channels: int = 24
    width: int = 256
    """D."""
    layers: int = 12
    heads: int = 4
    feed_forward: int = 4
    """Inner width of a feed-forward block, in widths."""
    kernel: int = 9
    """Frames that a depthwise convolution spans."""
    dropout: float = 0.1
    bias: bool = True
    """Whether linear layers and convolutions of the Conformer layers add a bias."""

    def __post_init__(self) -> None:
        for name in _SIZES:
            check_size(name, getattr(self, name))
        check_part("dropout", self.dropout)
        if not isinstance(self.bias, bool):
            raise OptionError(f"bias is {shown(self.bias)}; true or false is possible")
        if self.width % (2 * self.heads):
            raise OptionError(
                f"width {self.width} with {self.heads} heads; choose a multiple of {2 * self.heads}"
            )
        if self.kernel % 2 == 0:
            raise OptionError(f"kernel {self.kernel}; choose an odd number of frames")


class Dropout(nn.Module):
    """PyTorch's dropout with one random byte per value: its own draws take a quarter of a step."""

    def __init__(self, part: float) -> None:
        super().__init__()
        self.part = part
        """Of the values; rounded to 256ths."""

    def forward(self, values: Tensor) -> Tensor:
        dropped = round(256 * self.part)
        if not self.training or dropped == 0:
            return values
        if values.device.type != "cpu":
            return functional.dropout(values, self.part)
        words = torch.empty(-(-values.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: values.numel()] >= dropped
        return values * kept.view_as(values).to(values.dtype).mul_(256 / (256 - dropped))


def subsampled(lengths: Tensor) -> Tensor:
    """Encoder frames of feature frames: halved three times, rounding up."""
    for _ in range(SUBSAMPLING_STAGES):
        lengths = torch.div(lengths + 1, 2, rounding_mode="floor")
    return lengths


def within(lengths: Tensor, frames: Tensor) -> Tensor:
    """Mask (B, n), True up to each length; n is the size of axis 1 of `frames`."""
    return torch.arange(frames.shape[1], device=lengths.device)[None, :] < lengths[:, None]


class Encoder(nn.Module):
    """Subsampling and Conformer layers."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.subsampling = Subsampling(config)
        self.dropout = Dropout(config.dropout)
        self.layers = nn.ModuleList(ConformerLayer(config) for _ in range(config.layers))

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encodes features (B, F, T) float of `lengths` (B,) frames: (B, U, D) and (B,)."""
        frames, lengths = self.subsampling(features, lengths)
        frames = self.dropout(frames)
        mask = within(lengths, frames)
        positions = relative_positions(frames)
        for layer in self.layers:
            frames = layer(frames, mask, positions)
        return frames, lengths


class Subsampling(nn.Module):
    """Features (B, F, T) to frames (B, U, D), eight to one.

    Three convolutions of 3 x 3 with stride 2, the second and third depthwise and followed by a
    pointwise one, each stage ended by ReLU.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        channels = config.subsampling_channels
        self.first = nn.Conv2d(1, channels, 3, stride=2, padding=1)
        later = range(SUBSAMPLING_STAGES - 1)
        self.depthwise = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, groups=channels) for _ in later
        )
        self.pointwise = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in later)
        bins = config.mel_bins
        for _ in range(SUBSAMPLING_STAGES):
            bins = (bins + 1) // 2
        self.out = nn.Linear(channels * bins, config.width)

    def forward(
        self, features: Tensor, lengths: Tensor, starts: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Frames and their lengths; before `starts` (B,), a multiple of 8, there are none."""
        image = features.transpose(1, 2)[:, None]
        # Channels last: on processors several times as fast for images of few channels.
        image = _silent(image, lengths, starts).contiguous(memory_format=torch.channels_last)
        image = functional.relu(_single(self.first, image))
        lengths, starts = _halved(lengths, starts)
        image = _silent(image, lengths, starts)
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            image = functional.relu(pointwise(_depthwise(depthwise, image)))
            lengths, starts = _halved(lengths, starts)
            image = _silent(image, lengths, starts)
        frames: Tensor = self.out(image.transpose(1, 2).flatten(2))
        return frames, lengths


def _halved(lengths: Tensor, starts: Tensor | None) -> tuple[Tensor, Tensor | None]:
    lengths = torch.div(lengths + 1, 2, rounding_mode="floor")
    return lengths, None if starts is None else torch.div(starts, 2, rounding_mode="floor")


def _silent(image: Tensor, lengths: Tensor, starts: Tensor | None) -> Tensor:
    """Sets an image (B, C, T, F) to zero after its rows' lengths, and before their starts."""
    steps = torch.arange(image.shape[2], device=lengths.device)[None, :]
    inside = steps < lengths[:, None]
    if starts is not None:
        inside = inside & (steps >= starts[:, None])
    return image * inside[:, None, :, None].to(image.dtype)


def _single(convolution: nn.Conv2d, image: Tensor) -> Tensor:
    """A 3 x 3 convolution of one channel with stride 2; a product of matrices in training.

    On processors, PyTorch's gradient of its weights takes longer than all other subsampling.
    """
    if not torch.is_grad_enabled():
        convolved: Tensor = convolution(image)
        return convolved
    patches = functional.pad(image, (1, 1, 1, 1)).unfold(2, 3, 2).unfold(3, 3, 2)[:, 0]
    weight = convolution.weight.flatten(1)
    return functional.linear(patches.flatten(3), weight, convolution.bias).permute(0, 3, 1, 2)


def _depthwise(convolution: nn.Module, image: Tensor) -> Tensor:
    """A depthwise convolution; on processors in float32: bfloat16 takes three times as long."""
    convolved: Tensor
    if image.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        convolved = convolution(image)
        return convolved
    with torch.autocast("cpu", enabled=False):
        convolved = convolution(image.float())
    return convolved


class ConformerLayer(nn.Module):
    """Half feed-forward, attention, convolution, half feed-forward, norm; each with a bypass."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.feed_forward_in = FeedForward(config)
        self.attention = Attention(config.width, config.heads, config.bias)
        self.convolution = Convolution(config)
        self.feed_forward_out = FeedForward(config)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = Dropout(config.dropout)

    def forward(self, frames: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        frames = frames + 0.5 * self.dropout(self.feed_forward_in(frames))
        frames = frames + self.dropout(self.attention(frames, mask, positions))
        frames = frames + self.dropout(self.convolution(frames, mask))
        frames = frames + 0.5 * self.dropout(self.feed_forward_out(frames))
        normed: Tensor = self.norm(frames)
        return normed


class FeedForward(nn.Module):
    """Norm, widen, SiLU, narrow."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        inner = config.feed_forward * config.width
        self.norm = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, inner, bias=config.bias)
        self.narrow = nn.Linear(inner, config.width, bias=config.bias)
        self.dropout = Dropout(config.dropout)

    def forward(self, frames: Tensor) -> Tensor:
        inner = self.dropout(functional.silu(self.widen(self.norm(frames))))
        narrowed: Tensor = self.narrow(inner)
        return narrowed


class Convolution(nn.Module):
    """Norm, gated widening, depthwise convolution over time, batch norm, SiLU, pointwise."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width, bias = config.width, config.bias
        self.norm = nn.LayerNorm(width)
        self.gated = nn.Linear(width, 2 * width, bias=bias)
        self.depthwise = nn.Conv1d(
            width, width, config.kernel, padding=config.kernel // 2, groups=width, bias=bias
        )
        self.batch_norm = MaskedBatchNorm(width)
        self.pointwise = nn.Linear(width, width, bias=bias)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        gated = self.gate(frames, mask)
        convolved = self.depthwise(gated.transpose(1, 2)).transpose(1, 2)
        return self.after_depthwise(convolved, mask)

    def gate(self, frames: Tensor, mask: Tensor) -> Tensor:
        """The input of the depthwise convolution, (B, U, D), zero where there is no frame."""
        gated = functional.glu(self.gated(self.norm(frames)), dim=-1)
        return gated * mask[:, :, None].to(gated.dtype)

    def after_depthwise(self, convolved: Tensor, mask: Tensor) -> Tensor:
        """The rest of the block, from the output of the depthwise convolution."""
        pointed: Tensor = self.pointwise(functional.silu(self.batch_norm(convolved, mask)))
        return pointed


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch norm of frames (B, U, D) with statistics of the valid frames only."""

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        if not self.training or mask is None:
            assert self.running_mean is not None
            assert self.running_var is not None
            scale = self.weight * torch.rsqrt(self.running_var + self.eps)
            shift = self.bias - self.running_mean * scale
            return frames * scale + shift
        valid = mask.flatten().nonzero()[:, 0]
        rows = frames.reshape(-1, frames.shape[2])
        normed = super().forward(rows.index_select(0, valid).float())
        return torch.zeros_like(rows).index_copy(0, valid, normed.to(rows.dtype)).view_as(frames)
