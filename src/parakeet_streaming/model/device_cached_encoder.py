"""Windows of samples and the kept past of their streams in; encoder frames out, all on a device.

`cached_encoder.py` for a device that keeps keys, values and inputs of convolutions: they go from
one step's outputs to the next one's inputs there. The host sends log-mels and numbers of rows.

```
past of a row    blocks: what the last step was given · what it added for the chunk
next step        rows of all blocks ─► keys (L, B, K, D), each past at the right edge
```

Rules of this file:

1. A past is never changed: blocks name rows of arrays that nothing writes to again.
2. A block keeps the whole array of its call in memory. When three quarters of an array's streams
   have moved on, the rest are put into an array of their own.
3. Slots that no frame fills are zeros, never what other streams left there.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.errors import ComputeError
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder, Step
from parakeet_streaming.model.device_rows import DeviceFrames, DeviceRows, Part, Stretch
from parakeet_streaming.model.encoder_past import EncoderPast, Past
from parakeet_streaming.ports import Floats
from parakeet_streaming.runtime.onnx_runtime import DeviceArray, OnnxRuntimeSession

_LEAST_SHARE: Final = 0.25
"""Of an array's streams that still need it, below which it is not kept for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Frames of one stream that lie one after the other."""

    keys: DeviceArray
    values: DeviceArray
    start: int
    count: int


class Crowd:
    """The streams of one call, as long as they need its arrays."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pasts: weakref.WeakSet[DevicePast] = weakref.WeakSet()


class DevicePast:
    """What one stream keeps between steps."""

    __slots__ = ("__weakref__", "ahead", "blocks", "convolved", "crowd", "log_mel")

    def __init__(
        self, log_mel: Floats, ahead: int, blocks: Sequence[Block], convolved: Stretch
    ) -> None:
        self.log_mel = log_mel
        self.ahead = ahead
        self.blocks = tuple(blocks)
        """Of the left context, the oldest first."""
        self.convolved = convolved
        """R rows: what the convolutions reach back to."""
        self.crowd: Crowd | None = None
        """Whose arrays these are; None where they are its own."""

    @property
    def frames(self) -> int:
        """K."""
        return sum(block.count for block in self.blocks)


class DeviceCachedEncoder(OnnxCachedEncoder):
    """Log-mel features on the host; an encoder graph, and the past, on a device."""

    def __init__(
        self,
        session: OnnxRuntimeSession,
        frames: DeviceFrames,
        rows: DeviceRows,
        spec: ModelSpec,
        name: str,
    ) -> None:
        """`frames` and `rows`: of the same device; `name`: what messages call the graph."""
        super().__init__(session, spec, name)
        self._on_device = session
        self._frames = frames
        self._rows = rows
        self._crowds: weakref.WeakSet[Crowd] = weakref.WeakSet()
        self._lock = threading.Lock()
        """Of the crowds and their pasts."""
        layers, reach, width = self._empty.convolved.shape
        self._nought = DeviceArray.of(np.zeros((layers, 1, width), np.float32), rows.device)
        self._layout = (layers, width)
        start = DeviceArray.of(self._empty.convolved, rows.device)
        self._first = DevicePast(self._empty.log_mel, 0, (), Stretch(start, 0, reach))

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What is kept of a stream as named arrays; those of `OnnxCachedEncoder`."""
        assert isinstance(past, DevicePast), "the past of another encoder"
        keys, values, convolved = (
            each.numpy()[:, 0] for each in self._together([past], max(1, past.frames))
        )
        kept = past.frames > 0
        host = EncoderPast(
            past.log_mel,
            past.ahead,
            (keys,) if kept else (),
            (values,) if kept else (),
            convolved,
        )
        return host.to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> DevicePast:
        """What was kept, of which `past_to_arrays` made the arrays: `most_frames` at most.

        Raises:
            SnapshotError: arrays of other names or shapes, or more frames than that.
        """
        host = self._empty.from_arrays(arrays, most_frames)
        keys, values, convolved = (
            [DeviceArray.of(each, self._rows.device) for each in blocks]
            for blocks in (host.keys, host.values, (host.convolved,))
        )
        blocks = [
            Block(*both, start=0, count=both[0].shape[1]) for both in zip(keys, values, strict=True)
        ]
        reach = host.convolved.shape[1]
        return DevicePast(host.log_mel, host.ahead, blocks, Stretch(convolved[0], 0, reach))

    def _encoded(self, steps: Sequence[Step]) -> Iterable[tuple[object, Past]]:
        """Runs the graph on rows; where frames of each lie, and the past after its chunk."""
        self._let_go()
        names, frames = self._past_names, self._names.frames
        slots = max(1, *(step.past.frames for step in steps))
        given = self._together([cast(DevicePast, step.past) for step in steps], slots)
        feeds = dict(
            zip((names.past_keys, names.past_values, names.past_convolved), given, strict=True)
        )
        _, made = self._on_device.run_bound(
            {**self._feeds(steps), **feeds},
            kept=(frames, names.keys, names.values, names.convolved),
            device=self._rows.device,
        )
        self._check_shapes(made, steps)
        rows = self._frames.rows(made[frames], [step.length for step in steps])
        new = (made[names.keys], made[names.values], made[names.convolved])
        pasts = [
            step.past
            if step.given.kept_frames is None
            else self._after(step, at, (given[0], given[1]), new)
            for at, step in enumerate(steps)
        ]
        self._joined([each for each in pasts if isinstance(each, DevicePast)])
        return zip(rows, pasts, strict=True)

    def _together(
        self, pasts: Sequence[DevicePast], slots: int
    ) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
        """Keys and values (L, B, K, D) and inputs of convolutions (L, B, R, D) of pasts."""
        keys: list[Part] = []
        values: list[Part] = []
        for past in pasts:
            blocks = past.blocks
            free = slots - sum(block.count for block in blocks)
            if free:
                nought = (self._nought, np.zeros(free, np.int64))
                keys.append(nought)
                values.append(nought)
            keys += [Stretch(each.keys, each.start, each.count).part for each in blocks]
            values += [Stretch(each.values, each.start, each.count).part for each in blocks]
        (layers, width), count = self._layout, len(pasts)
        shape, reach = (layers, count, slots, width), self._empty.convolved.shape[1]
        return (
            self._rows.gather(keys, self._layout, shape),
            self._rows.gather(values, self._layout, shape),
            self._rows.gather(
                [past.convolved.part for past in pasts],
                self._layout,
                (layers, count, reach, width),
            ),
        )

    def _after(
        self,
        step: Step,
        at: int,
        given: tuple[DeviceArray, DeviceArray],
        made: tuple[DeviceArray, DeviceArray, DeviceArray],
    ) -> DevicePast:
        """The past after the chunk of a row, of what the call was given and what it made."""
        most, chunk, filled = step.given.kept_frames or 0, step.chunk_frames, step.past.frames
        slots, frames, reached = given[0].shape[2], made[0].shape[2], made[2].shape[2]
        new = min(chunk, most)
        old = min(filled, most - new)
        blocks = (
            Block(*given, start=(at + 1) * slots - old, count=old),
            Block(*made[:2], start=at * frames + chunk - new, count=new),
        )
        convolved = Stretch(made[2], at * reached + chunk, self._empty.convolved.shape[1])
        return DevicePast(*step.kept_log_mel, [each for each in blocks if each.count], convolved)

    def _joined(self, pasts: Sequence[DevicePast]) -> None:
        """Notes that these share arrays, if one of them could be left behind alone."""
        crowd = Crowd(len(pasts))
        if _LEAST_SHARE * crowd.size < 1:
            return
        with self._lock:
            for past in pasts:
                if past is not self._first:
                    past.crowd = crowd
                    crowd.pasts.add(past)
            self._crowds.add(crowd)

    def _let_go(self) -> None:
        """Gives those that most of their crowd have left arrays of their own; rule 2."""
        with self._lock:
            left = [(crowd, list(crowd.pasts)) for crowd in self._crowds]
        for crowd, pasts in left:
            if pasts and len(pasts) <= _LEAST_SHARE * crowd.size:
                with suppress(ComputeError):  # no memory for it: they keep what they have
                    self._move(pasts)

    def _move(self, pasts: Sequence[DevicePast]) -> None:
        """Puts pasts into arrays that no other stream needs."""
        slots = max(1, *(past.frames for past in pasts))
        keys, values, convolved = self._together(pasts, slots)
        reach = convolved.shape[2]
        for at, past in enumerate(pasts):
            count = past.frames
            block = Block(keys, values, (at + 1) * slots - count, count)
            past.blocks = (block,) if count else ()
            past.convolved = Stretch(convolved, at * reach, reach)
        self._joined(pasts)
