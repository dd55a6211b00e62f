"""Torch networks on a device in; one model for the port out, whose frames and states stay there.

```
samples ─ upload ─► log-mel ► encoder ► projected frames ► label-looping ─ read back ─► tokens
                       ▲ ▼ rings of pasts                     ▲ ▼ slots of decoder states
```

Rules of this file:

1. What a stream remembers is a slot that it holds; a step writes new slots and leaves the old ones,
   so a step that fails leaves every stream where it was.
2. One call at a time uses the device; threads wait for each other. To say how much room there is,
   nobody waits.
3. A step uploads its samples once and reads its tokens once. Errors of its encoder may only show
   when the decoder's answer is read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import torch

from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    DecoderState,
    Encoded,
    EncoderInput,
    Floats,
)
from parakeet_streaming.timeline import (
    SUBSAMPLING,
    ContextConfig,
    WindowLengths,
    encoder_frames,
    frames_to_samples,
)
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.cached_encoder import CachedEncoder
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_confidence import measure_on_device
from parakeet_streaming.torch_runtime.device_decoder import DeviceDecoder, ProjectedFrames
from parakeet_streaming.torch_runtime.device_past import NO_PAST, DevicePast, PastStore
from parakeet_streaming.torch_runtime.device_room import MEMORIES_EACH, DeviceRoom, StreamKind
from parakeet_streaming.torch_runtime.devices import computing, in_words
from parakeet_streaming.torch_runtime.halving import halve
from parakeet_streaming.torch_runtime.loop_state import Rules
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory, step_bytes
from parakeet_streaming.torch_runtime.window_encoder import Group, WindowEncoder

_BATCHES: Final = 4
"""Batches of streams that there are slots for, where it is not said how many there will be."""


class TorchTransducer:
    """A `Transducer` on a device; shared and, but for its pools, frozen."""

    max_samples = None
    keeps_past = True

    def __init__(
        self,
        model: Transducer,
        device: torch.device,
        *,
        max_symbols: int | None = None,
        confidence: str = "probability",
        bfloat16: bool = False,
        cache_int8: bool = False,
        fixed_shapes: bool | None = None,
        fingerprint: str = "",
    ) -> None:
        """A model in evaluation; it is moved to the device.

        Args:
            model: the networks.
            device: made by `open_device`.
            max_symbols: tokens on one frame after which a frame is skipped; None for the model's.
            confidence: `probability` or `entropy`.
            bfloat16: whether the encoder computes in bfloat16.
            cache_int8: whether cached streams keep keys and values in 8 bits.
            fixed_shapes: whether `prepare_steps` makes steps of fixed shapes ready, captured in
                CUDA graphs where there is a GPU; None for on a GPU.
            fingerprint: equal for equal files.
        """
        config = model.config
        self.fingerprint = fingerprint
        self.durations = config.durations
        self.runs_on = in_words(device) + ", bf16" * bfloat16 + ", int8 cache" * cache_int8
        self._device = device
        self._lock = threading.Lock()
        self._fixed_shapes = device.type == "cuda" if fixed_shapes is None else fixed_shapes
        self._graphs = Graphs(device)
        dtype = torch.bfloat16 if bfloat16 else torch.float32
        with computing(weights=True):
            self._model = model.eval().to(device)
            if bfloat16:
                halve(model.encoder)
        with computing():
            rules = Rules(
                config.blank_id,
                torch.tensor(config.durations, dtype=torch.int64, device=device),
                max_symbols or config.max_symbols,
                measure_on_device(confidence),
            )
            mel = LogMel(config.encoder.mel_bins, device)
            graphs = self._graphs
            self._windows = WindowEncoder(model.encoder, mel, device, graphs, dtype)
            self._memory = memory = UsableMemory(device)
            self._decoder = DeviceDecoder(model, rules, device, graphs, memory)
            memories = self._decoder.memories
            self._pasts = PastStore(
                config.encoder,
                device,
                dtype,
                eight_bits=cache_int8,
                memory=memory,
                beside=MEMORIES_EACH * memories.bytes_each,
            )
            self._cached = CachedEncoder(model.encoder, mel, self._pasts, device, graphs)
            self._room = DeviceRoom(memory, self._pasts, memories)
            self._start = DecoderState(config.blank_id, 0, 0, self._decoder.started())

    def start(self) -> DecoderState:
        """The state of a stream of which nothing was decoded."""
        return self._start

    def encode(self, inputs: Sequence[EncoderInput]) -> Encoded:
        """Encodes one window of each of B streams.

        Raises:
            ComputeError: torch could not run the call.
        """
        with self._lock, computing():
            groups, pasts, lengths = self.encode_frames(inputs)
            return Encoded(self._projected(groups, len(inputs)), lengths, pasts)

    def prepare_steps(
        self,
        contexts: Sequence[ContextConfig],
        *,
        most_rows: int,
        most_streams: int | None = None,
        cached: bool = False,
    ) -> Iterator[None]:
        """Makes steps ready: on a GPU, captures their graphs. Some work is done between two yields.

        To be done before there are streams. Calls of these contexts take them from then on.

        Args:
            contexts: of the streams to come.
            most_rows: of a call.
            most_streams: that will be open at once; None for some batches. Where memory ends
                before, there are slots for as many as it has room for.
            cached: whether those streams encode each frame once.

        Raises:
            ComputeError: the device has no room for it.
        """
        if not self._fixed_shapes:
            return
        lengths = [context.frames for context in contexts]
        streams = most_streams or _BATCHES * most_rows
        most_frames = max((each.chunk + each.right for each in lengths), default=0)
        parts = [self._decoder.prepare(most_rows, most_frames)] if lengths else []
        config = self._model.config.encoder
        for each in lengths:
            window = each.chunk + each.right if cached else each.window
            features, value_bytes = (1 + window) * SUBSAMPLING, self._pasts.dtype.itemsize
            self._memory.steps_need(step_bytes(config, most_rows, features, value_bytes))
            if not cached:
                parts.append(self._windows.prepare(frames_to_samples(each.window), most_rows))
        if cached and lengths:
            parts.append(self._cached_steps(lengths, most_rows, streams))
        for part in parts:
            done = False
            while not done:
                with self._lock, computing():
                    done = next(part, self) is self
                yield

    def _cached_steps(
        self, lengths: Sequence[WindowLengths], most_rows: int, streams: int
    ) -> Iterator[None]:
        # What was made ready for decoding has its memory by now; the rest of it is for slots.
        for each in lengths:
            self._room.reserve(each, streams)
        for each in lengths:
            yield from self._cached.prepare(each, most_rows)

    def places(self, kind: StreamKind, open_streams: Mapping[StreamKind, int]) -> int | None:
        """For how many more streams of a kind there is room; None where nothing bounds them.

        Args:
            kind: of those to come.
            open_streams: how many were let in, by kind.
        """
        return self._room.places(kind, open_streams)

    def encode_frames(
        self, inputs: Sequence[EncoderInput]
    ) -> tuple[list[Group], tuple[object | None, ...], tuple[int, ...]]:
        """Frames as the encoder gives them, pasts and lengths; for those who hold the device."""
        # Samples of left context that a past stands for are not encoded.
        sizes = [
            each.samples.shape[0] - (0 if each.past is None else each.left_samples)
            for each in inputs
        ]
        length_of = {size: encoder_frames(size) for size in set(sizes)}
        lengths = tuple([length_of[size] for size in sizes])
        whole: list[int] = []
        keeping: list[int] = []
        pasts: list[object | None] = []
        for row, (each, length) in enumerate(zip(inputs, lengths, strict=True)):
            keeps = each.kept_frames is not None
            pasts.append((each.past or NO_PAST) if keeps else None)
            if length:
                (keeping if keeps else whole).append(row)
        groups = self._windows.encode(inputs, whole)
        cached, after = self._cached.encode(inputs, keeping)
        for row, past in after.items():
            pasts[row] = past
        return [*groups, *cached], tuple(pasts), lengths

    def decode(self, encoded: Encoded, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of encoded rows.

        Raises:
            ComputeError: torch could not run the call, or numbers are not finite.
        """
        frames = encoded.frames
        assert isinstance(frames, ProjectedFrames), "frames of another model"
        with self._lock, computing():
            return self._decoder.decode(frames, inputs)

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """A decoder's memory as named arrays."""
        with self._lock, computing():
            return self._decoder.memory_to_arrays(memory)

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """A decoder's memory of named arrays; SnapshotError where they do not fit."""
        with self._lock, computing():
            return self._decoder.memory_from_arrays(arrays)

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What the encoder keeps of a stream as named arrays."""
        assert isinstance(past, DevicePast), "the past of another encoder"
        with self._lock, computing():
            return self._pasts.kept(past).to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """What the encoder kept, of named arrays; SnapshotError where they do not fit."""
        with self._lock, computing():
            return self._pasts.from_arrays(arrays, most_frames)

    def _projected(self, groups: Sequence[Group], rows: int) -> ProjectedFrames:
        joint = self._model.joint
        first, place = np.zeros(rows, np.int64), 0
        projected, finite = [], torch.ones((), dtype=torch.bool, device=self._device)
        for group in groups:
            count = group.frames.shape[1]
            first[list(group.rows)] = place + np.arange(len(group.rows)) * count
            place += len(group.rows) * count
            projected.append(joint.frames(group.frames.float()).flatten(0, 1))
            finite = finite & torch.isfinite(group.frames).all()
        if not projected:
            width = self._model.config.joint_width
            projected.append(torch.zeros((1, width), device=self._device))
        whole = projected[0] if len(projected) == 1 else torch.cat(projected)
        return ProjectedFrames(whole, first, finite)
