"""Torch networks on a device in; one model for the port out, whose frames and states stay there.

```
samples ─ upload ─► log-mel ► encoder ► projected frames ► label-looping ─ read back ─► tokens
                       ▲ ▼ rings of pasts                     ▲ ▼ slots of decoder states
```

Rules of this file:

1. What a stream remembers is a slot that it holds; a step writes new slots and leaves the old ones,
   so a step that fails leaves every stream where it was.
2. One call at a time uses the device; threads wait for each other.
3. A step uploads its samples once and reads its tokens once. Errors of its encoder may only show
   when the decoder's answer is read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    DecoderState,
    Encoded,
    EncoderInput,
    Floats,
)
from parakeet_streaming.timeline import encoder_frames
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.cached_encoder import CachedEncoder, known_samples
from parakeet_streaming.torch_runtime.device_biases import BiasStore, RowBiases
from parakeet_streaming.torch_runtime.device_confidence import measure_on_device
from parakeet_streaming.torch_runtime.device_loop import DeviceLoop, LoopEnd, LoopStart, Rules
from parakeet_streaming.torch_runtime.device_past import DevicePast, PastStore
from parakeet_streaming.torch_runtime.devices import computing, in_words, upload
from parakeet_streaming.torch_runtime.halving import halve
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.read_back import decoded_rows
from parakeet_streaming.torch_runtime.slots import Pool, Shape, Slot
from parakeet_streaming.torch_runtime.window_encoder import Group, WindowEncoder

_HIDDEN: Final = "hidden"
_CELL: Final = "cell"
_FACTS: Final = 8
"""Of a row, before what is remembered of its biases."""
_OUTPUT: Final = "output"
"""Of other runtimes' snapshots: what the prediction network gave, which its hidden state has."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of a call, as the joint projects them, all rows in one."""

    projected: Tensor
    """(N, J)."""
    first: tuple[int, ...]
    """Where each row begins."""
    finite: Tensor
    """Whether all that was encoded is; () bool."""


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
            fingerprint: equal for equal files.
        """
        config = model.config
        self.fingerprint = fingerprint
        self.durations = config.durations
        self.runs_on = in_words(device) + ", bf16" * bfloat16 + ", int8 cache" * cache_int8
        self._device = device
        self._lock = threading.Lock()
        self._blank_id = config.blank_id
        dtype = torch.bfloat16 if bfloat16 else torch.float32
        with computing(weights=True):
            self._model = model.eval().to(device)
            if bfloat16:
                halve(model.encoder)
        with computing():
            self._rules = Rules(
                config.blank_id,
                torch.tensor(config.durations, dtype=torch.int64, device=device),
                max_symbols or config.max_symbols,
                measure_on_device(confidence),
            )
            mel = LogMel(config.encoder.mel_bins, device)
            self._windows = WindowEncoder(model.encoder, mel, device, dtype)
            self._pasts = PastStore(config.encoder, device, dtype, eight_bits=cache_int8)
            self._cached = CachedEncoder(model.encoder, mel, self._pasts, device)
            shape = Shape(config.predictor_layers, 1, config.predictor_width)
            self._biases = BiasStore(device)
            self._memories = Pool({_HIDDEN: shape, _CELL: shape}, device)
            self._start = DecoderState(config.blank_id, 0, 0, self._started())

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

    def encode_frames(
        self, inputs: Sequence[EncoderInput]
    ) -> tuple[list[Group], tuple[object | None, ...], tuple[int, ...]]:
        """Frames as the encoder gives them, pasts and lengths; for those who hold the device."""
        lengths = tuple(
            encoder_frames(each.samples.shape[0] - known_samples(each)) for each in inputs
        )
        whole = [at for at, each in enumerate(inputs) if lengths[at] and each.kept_frames is None]
        keeping = [
            at for at, each in enumerate(inputs) if lengths[at] and each.kept_frames is not None
        ]
        pasts: list[object | None] = [
            None if each.kept_frames is None else each.past or DevicePast() for each in inputs
        ]
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
        assert isinstance(frames, _Frames), "frames of another model"
        if not inputs:
            return []
        with self._lock, computing():
            border = [self._memories.take() for _ in inputs]
            end = [self._memories.take() for _ in inputs]
            biases = RowBiases(inputs, self._blank_id, self._biases)
            ended, places = self._loop(frames, inputs, border, end, biases)
            self._keep(places[0], *ended.at_border)
            self._keep(places[1], *ended.at_end)
            told = torch.cat((ended.told.flatten(), frames.finite.to(torch.int32)[None]))
            read = told.cpu().numpy()
        slots = zip(border, end, strict=True)
        return decoded_rows(read, inputs, list(slots), biases.most)

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """A decoder's memory as named arrays."""
        assert isinstance(memory, Slot), "the memory of another decoder"
        with self._lock, computing():
            return {
                name: self._memories.stacked(name)[:, memory.number].cpu().numpy()
                for name in (_HIDDEN, _CELL)
            }

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> object:
        """A decoder's memory of named arrays; SnapshotError where they do not fit."""
        config = self._model.config
        shape = (config.predictor_layers, 1, config.predictor_width)
        given = {name: array.shape for name, array in arrays.items() if name != _OUTPUT}
        if given != {_HIDDEN: shape, _CELL: shape}:
            raise SnapshotError(f"a decoder memory of {given}; this model's states are {shape}")
        with self._lock, computing():
            slot = self._memories.take()
            states = (torch.from_numpy(np.array(arrays[name])) for name in (_HIDDEN, _CELL))
            self._keep(self._place(slot), *(state.to(self._device) for state in states))
            return slot

    def past_to_arrays(self, past: object) -> dict[str, Floats]:
        """What the encoder keeps of a stream as named arrays."""
        assert isinstance(past, DevicePast), "the past of another encoder"
        with self._lock, computing():
            return self._pasts.kept(past).to_arrays()

    def past_from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> object:
        """What the encoder kept, of named arrays; SnapshotError where they do not fit."""
        with self._lock, computing():
            return self._pasts.from_arrays(arrays, most_frames)

    def _started(self) -> Slot:
        """The memory after the start symbol."""
        config, slot = self._model.config, self._memories.take()
        zeros = torch.zeros(
            (config.predictor_layers, 1, config.predictor_width), device=self._device
        )
        symbol = torch.tensor([[config.blank_id]], device=self._device)
        _, hidden, cell = self._model.predictor(symbol, zeros, zeros)
        self._keep(self._place(slot), hidden, cell)
        return slot

    def _place(self, slot: Slot) -> Tensor:
        return torch.tensor([slot.number], device=self._device)

    def _keep(self, numbers: Tensor, hidden: Tensor, cell: Tensor) -> None:
        """Writes states (L, B, H) into the B slots of those numbers."""
        for name, states in ((_HIDDEN, hidden), (_CELL, cell)):
            self._memories.stacked(name)[:, :, 0].index_copy_(1, numbers, states)

    def _projected(self, groups: Sequence[Group], rows: int) -> _Frames:
        joint = self._model.joint
        first, place = [0] * rows, 0
        projected, finite = [], torch.ones((), dtype=torch.bool, device=self._device)
        for group in groups:
            count = group.frames.shape[1]
            for at, row in enumerate(group.rows):
                first[row] = place + at * count
            place += len(group.rows) * count
            projected.append(joint.frames(group.frames.float()).flatten(0, 1))
            finite = finite & torch.isfinite(group.frames).all()
        if not projected:
            width = self._model.config.joint_width
            projected.append(torch.zeros((1, width), device=self._device))
        whole = projected[0] if len(projected) == 1 else torch.cat(projected)
        return _Frames(whole, tuple(first), finite)

    def _loop(
        self,
        frames: _Frames,
        inputs: Sequence[DecoderInput],
        border: Sequence[Slot],
        end: Sequence[Slot],
        biases: RowBiases,
    ) -> tuple[LoopEnd, tuple[Tensor, Tensor]]:
        """Decodes; and the numbers of the slots for the states at the border and at the end."""
        facts = []
        for each, *slots in zip(inputs, border, end, strict=True):
            state = each.state
            assert isinstance(state.memory, Slot), "the memory of another decoder"
            facts.append(
                (
                    frames.first[each.row] + each.chunk_start,
                    state.frames_to_skip,
                    each.chunk_end - each.chunk_start,
                    each.lookahead_end - each.chunk_start,
                    state.last_token,
                    state.memory.number,
                    *(slot.number for slot in slots),
                    *biases.states_of(each),
                )
            )
        _, told = upload(np.zeros(0, np.float32), np.array(facts, np.int64), self._device)
        first, skip, chunk, length, token, memories, *places = told[:, :_FACTS].unbind(1)
        hidden, cell = (
            self._memories.stacked(name)[:, :, 0].index_select(1, memories)
            for name in (_HIDDEN, _CELL)
        )
        known = told[:, _FACTS:]
        start = LoopStart(first, skip, chunk, length, token, hidden, cell, known)
        loop = DeviceLoop(self._model, self._rules, frames.projected, start, biases)
        return loop.run(max(fact[3] - fact[1] for fact in facts)), (places[0], places[1])
