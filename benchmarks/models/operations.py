"""An encoder's graph in; how many operations it takes for windows of so many frames out.

A multiplication and an addition are two operations. Norms, activations, softmax and the shifting of
positions are left out: they are a hundredth of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from parakeet_streaming.timeline import SUBSAMPLING

_TAPS_2D = 9
_STAGES = 3


@dataclass(frozen=True)
class EncoderShape:
    """The numbers that decide how much work an encoder is."""

    mel_bins: int
    channels: int
    """Of the subsampling convolutions."""
    width: int
    layers: int
    inner: int
    """Width inside a feed-forward block."""
    kernel: int

    def operations(self, frames: int, streams: int = 1) -> int:
        """For `streams` windows of `frames` encoder frames each, in one call."""
        # Distances are the same for all streams: their products are computed once.
        distances = 2 * frames - 1
        shared = self.layers * distances * self.width**2
        alone = self._subsampling(frames) + self.layers * frames * self._per_frame(frames)
        return 2 * (shared + streams * alone)

    def _per_frame(self, frames: int) -> int:
        """Multiplications of one layer for one frame among `frames`."""
        feed_forward = 4 * self.inner * self.width
        projections = (4 + 3) * self.width**2
        attended = self.width * (frames + (2 * frames - 1) + frames)
        return feed_forward + projections + attended + self.kernel * self.width

    def _subsampling(self, frames: int) -> int:
        places = frames * SUBSAMPLING * self.mel_bins
        total = places // 4 * _TAPS_2D * self.channels
        for stage in range(1, _STAGES):
            total += places // 4 ** (stage + 1) * self.channels * (_TAPS_2D + self.channels)
        return total + frames * self.channels * (self.mel_bins // SUBSAMPLING) * self.width


def shape_of(encoder: Path, mel_bins: int, width: int) -> EncoderShape:
    """The shape of the encoder in an .onnx file, known by its weights' shapes.

    Raises:
        SystemExit: a graph in which the blocks of a FastConformer are not found.
    """
    graph = onnx.load(encoder, load_external_data=False).graph
    shapes = {each.name: tuple(each.dims) for each in graph.initializer}
    shapes |= {
        node.output[0]: tuple(node.attribute[0].t.dims)
        for node in graph.node
        if node.op_type == "Constant" and node.attribute[0].HasField("t")
    }
    depthwise = [each for each in shapes.values() if len(each) == 3 and each[:2] == (width, 1)]
    images = [each for each in shapes.values() if len(each) == 4]
    widened = [each[1] for each in shapes.values() if len(each) == 2 and each[0] == width]
    if not (depthwise and images and widened):
        raise SystemExit(f"{encoder} is no FastConformer whose work can be counted")
    return EncoderShape(
        mel_bins=mel_bins,
        channels=max(each[0] for each in images),
        width=width,
        layers=len(depthwise),
        inner=max(widened),
        kernel=max(each[2] for each in depthwise),
    )
