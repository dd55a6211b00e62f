"""Rows of arrays on a device in; the same rows in one array there, in any order, out.

Rows of one array are those along its middle axis, of three: states (L, B, H) are B rows, keys
(L, B, K, D) are B x K. What streams keep lies in arrays of the calls that made it, and each call
has other streams: this is how a call gets those of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parakeet_streaming.model.device_graphs import (
    ARITIES,
    CHECK,
    FRAMES,
    GATHERED,
    INDEX,
    LARGEST_ARITY,
    LAYOUT,
    SHAPE,
    source,
)
from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Counts
from parakeet_streaming.runtime.onnx_runtime import DeviceArray, OnnxRuntimeSession

Part = tuple[DeviceArray, Counts]
"""An array and the numbers of some of its rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Rows of an array that lie one after the other."""

    array: DeviceArray
    start: int
    count: int

    @property
    def part(self) -> Part:
        return self.array, np.arange(self.start, self.start + self.count)


class DeviceRows:
    """Puts rows together on one device."""

    def __init__(self, sessions: Mapping[int, OnnxRuntimeSession], device: str) -> None:
        """`sessions`: of `rows_graph`, by the number of its sources, one for each of `ARITIES`."""
        self.device = device
        self._sessions = sessions

    def gather(
        self, parts: Sequence[Part], layout: tuple[int, int], shape: Sequence[int]
    ) -> DeviceArray:
        """Rows of arrays, one part after the other.

        Args:
            parts: whose rows; not none.
            layout: what stands before and behind the axis of the rows: A and C.
            shape: of the result.

        Raises:
            ComputeError: the device could not do it.
        """
        while len(sources := _sources(parts)) > LARGEST_ARITY:
            parts = self._fewer(parts, sources[:LARGEST_ARITY], layout)
        return self._run(parts, sources, layout, shape)

    def _fewer(
        self, parts: Sequence[Part], sources: Sequence[DeviceArray], layout: tuple[int, int]
    ) -> list[Part]:
        """The same parts, with those of some sources in one array."""
        chosen = {id(each) for each in sources}
        moved = [part for part in parts if id(part[0]) in chosen]
        count = sum(len(index) for _, index in moved)
        array = self._run(moved, sources, layout, (layout[0], count, layout[1]))
        fewer, at = [], 0
        for part in parts:
            if id(part[0]) in chosen:
                size = len(part[1])
                fewer.append((array, np.arange(at, at + size)))
                at += size
            else:
                fewer.append(part)
        return fewer

    def _run(
        self,
        parts: Sequence[Part],
        sources: Sequence[DeviceArray],
        layout: tuple[int, int],
        shape: Sequence[int],
    ) -> DeviceArray:
        before, behind = layout
        starts, rows = {}, 0
        for each in sources:
            starts[id(each)] = rows
            rows += math.prod(each.shape) // (before * behind)
        arity = next(each for each in ARITIES if each >= len(sources))
        # Sources that are not needed are copied too, so they are the smallest one.
        spare = min(sources, key=lambda each: math.prod(each.shape))
        feeds: dict[str, DeviceArray | Counts] = {
            source(at): sources[at] if at < len(sources) else spare for at in range(arity)
        }
        feeds[INDEX] = np.concatenate([starts[id(array)] + index for array, index in parts])
        feeds[LAYOUT] = np.array([before, -1, behind])
        feeds[SHAPE] = np.array(shape)
        _, kept = self._sessions[arity].run_bound(feeds, kept=(GATHERED,), device=self.device)
        return kept[GATHERED]


class DeviceFrames:
    """Takes an encoder's frames (B, D, U) apart on one device."""

    def __init__(self, session: OnnxRuntimeSession, device: str, name: str) -> None:
        """`session`: of `frames_graph`; `name`: what messages call the encoder."""
        self.device = device
        self._session = session
        self._name = name

    def rows(self, frames: DeviceArray, lengths: Sequence[int]) -> list[Stretch]:
        """The frames of each row, as many as its length says.

        Raises:
            ComputeError: numbers that are not finite among them.
        """
        most = frames.shape[2]
        index = np.concatenate(
            [np.arange(row * most, row * most + length) for row, length in enumerate(lengths)]
        )
        read, kept = self._session.run_bound(
            {FRAMES: frames, INDEX: index}, read=(CHECK,), kept=(GATHERED,), device=self.device
        )
        if not np.isfinite(read[CHECK]):
            raise broken(self._name)
        ends = np.cumsum(lengths).tolist()
        return [
            Stretch(kept[GATHERED], end - length, length)
            for end, length in zip(ends, lengths, strict=True)
        ]


def _sources(parts: Sequence[Part]) -> list[DeviceArray]:
    """Each array once, in order."""
    return list({id(array): array for array, _ in parts}.values())
