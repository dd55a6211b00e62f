"""Projected frames on a device, and what to decode of them, in; what it gave, on the host, out.

Decoder memories lie in slots. A call fetches those of its rows, lets a loop go over the frames and
writes what is remembered at the border and at the end to new slots.

Rules of this file:

1. Loops that were made ready take all rows that fit, padded with rows that are none. Others get a
   loop of their own size, which runs as a plain call: rows whose tables have no place in the arena,
   and calls with more frames.
2. A loop reads and writes its own tensors only. Slots are read before it and written after it, so
   their pool may grow at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Decoded, DecoderInput, Floats
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.buckets import parts_of
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_biases import BiasStore, RowBiases
from parakeet_streaming.torch_runtime.device_loop import DeviceLoop, frames_of_a_turn
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.loop_state import EMISSION, HEAD, LoopRoom, Rules
from parakeet_streaming.torch_runtime.read_back import Emissions, decoded_rows
from parakeet_streaming.torch_runtime.ready_loops import LEAST_EMISSIONS, TURNS, ReadyLoops
from parakeet_streaming.torch_runtime.slots import Pool, Shape, Slot
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory

TURNS_ON_CPU: Final = 1
"""Of a loop that a call has for itself; a look costs nothing there."""
_HIDDEN: Final = "hidden"
_CELL: Final = "cell"
_OUTPUT: Final = "output"
"""Of other runtimes' snapshots: what the prediction network gave, which its hidden state has."""


@dataclass(frozen=True, slots=True)
class ProjectedFrames:
    """The frames of a call, as the joint projects them, all rows in one."""

    projected: Tensor
    """(N, J)."""
    first: tuple[int, ...]
    """Where each row begins."""
    finite: Tensor
    """Whether all that was encoded is; () bool."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What is decoded of one row, and the slots for what is remembered after it."""

    given: DecoderInput
    border: Slot
    end: Slot

    @property
    def length(self) -> int:
        return self.given.lookahead_end - self.given.chunk_start

    def numbers(self, first: int, of_biases: Sequence[int]) -> tuple[int, ...]:
        """For the device: as `LoopState.facts`, then three slots."""
        given, state = self.given, self.given.state
        assert isinstance(state.memory, Slot), "the memory of another decoder"
        return (
            first,
            state.frames_to_skip,
            given.chunk_end - given.chunk_start,
            self.length,
            state.last_token,
            *of_biases,
            state.memory.number,
            self.border.number,
            self.end.number,
        )


class DeviceDecoder:
    """Label-looping on a device. Call it inside `computing()`, one call at a time."""

    def __init__(
        self,
        model: Transducer,
        rules: Rules,
        device: torch.device,
        graphs: Graphs,
        memory: UsableMemory | None = None,
    ) -> None:
        """`memory`: what of the device may be used."""
        config = model.config
        self._model = model
        self._rules = rules
        self._device = device
        self._biases = BiasStore(device)
        self.loops = ReadyLoops(model, rules, device, graphs)
        """Those that were made ready."""
        self._shape = (config.predictor_layers, 1, config.predictor_width)
        shape = Shape(*self._shape)
        self.memories = Pool({_HIDDEN: shape, _CELL: shape}, device, memory)

    def prepare(self, most_rows: int, frames_each: int) -> Iterator[None]:
        """Makes loops ready; as `ReadyLoops.prepare`."""
        return self.loops.prepare(most_rows, frames_each)

    def started(self) -> Slot:
        """The memory after the start symbol."""
        slot = self.memories.take()
        zeros = torch.zeros(self._shape, device=self._device)
        symbol = torch.tensor([[self._rules.blank_id]], device=self._device)
        _, hidden, cell = self._model.predictor(symbol, zeros, zeros)
        self._keep(self._place(slot), hidden, cell)
        return slot

    def decode(self, frames: ProjectedFrames, inputs: Sequence[DecoderInput]) -> list[Decoded]:
        """Decodes frames of the rows.

        Raises:
            ComputeError: numbers are not finite.
        """
        rows = [_Row(each, self.memories.take(), self.memories.take()) for each in inputs]
        decoded: dict[int, Decoded] = {}
        for numbers, size in self._parts(inputs):
            found = self._part(frames, [rows[at] for at in numbers], size)
            decoded |= zip(numbers, found, strict=True)
        return [decoded[at] for at in range(len(rows))]

    def _parts(self, inputs: Sequence[DecoderInput]) -> Iterator[tuple[list[int], int]]:
        """Numbers of rows that go together, and the size of the loop that was made ready for them.

        Size 0: these rows get a loop of their own. One whose tables have no place keeps no other
        from the loop that it would have had without it.
        """
        take = self.loops.take
        ready = [at for at, each in enumerate(inputs) if take(each)]
        for part in parts_of(len(ready), tuple(self.loops.plain)):
            yield ready[part.first : part.first + part.count], part.size
        if len(ready) < len(inputs):
            yield sorted(set(range(len(inputs))) - set(ready)), 0

    def _part(self, frames: ProjectedFrames, rows: Sequence[_Row], size: int) -> list[Decoded]:
        lengths = np.array([row.length for row in rows], np.int64)
        loop = self._loop_for(size, lengths, rows)
        places = self._lay(loop, frames, rows, lengths)
        pieces, most = self._run(loop, len(rows))
        state = loop.state
        for numbers, memory in zip(places, (state.rows.border, state.rows.memory), strict=True):
            count = len(rows)
            self._keep(numbers, memory.hidden[:, :count], memory.cell[:, :count])
        heads, emitted = state.heads[: len(rows)], state.emitted[: len(rows), :most].flatten(1)
        told = torch.cat((heads, emitted.to(torch.int32)), dim=1).flatten()
        read = torch.cat((told, frames.finite.to(torch.int32)[None])).cpu().numpy()
        if not read[-1]:
            raise broken("the encoder")
        whole = read[:-1].reshape(len(rows), -1)
        head = HEAD + 2 * loop.room.biases
        pieces.append(Emissions(whole[:, 0], whole[:, head:].reshape(len(rows), -1, EMISSION)))
        slots = [(row.border, row.end) for row in rows]
        return decoded_rows(whole[:, :head], pieces, [row.given for row in rows], slots)

    def _loop_for(self, size: int, lengths: NDArray[Any], rows: Sequence[_Row]) -> DeviceLoop:
        """The loop that was made ready, or one for these rows alone."""
        frames = int(lengths.sum())
        ready = self.loops.of(size, frames, biased=any(row.given.biases for row in rows))
        if ready is not None:
            return ready
        most = max(
            (row.length - row.given.state.frames_to_skip for row in rows),
            default=0,
        )
        biases = RowBiases([row.given for row in rows], self._rules.blank_id, self._biases)
        room = LoopRoom(
            len(rows),
            max(1, frames),
            max(LEAST_EMISSIONS, most // 2),
            TURNS_ON_CPU if self._device.type == "cpu" else TURNS,
            frames_of_a_turn(len(rows), most),
            biases.most,
        )
        loop = DeviceLoop(self._model, self._rules, room, Graphs.none(), self._device)
        loop.biases = biases
        return loop

    def _lay(
        self,
        loop: DeviceLoop,
        frames: ProjectedFrames,
        rows: Sequence[_Row],
        lengths: NDArray[Any],
    ) -> tuple[Tensor, Tensor]:
        """Puts frames, facts and states to their places; gives the slots of border and end."""
        first = np.cumsum(lengths) - lengths
        facts = np.array(
            [
                row.numbers(int(place), loop.biases.facts_of(row.given) if loop.biases else ())
                for row, place in zip(rows, first, strict=True)
            ],
            np.int64,
        )
        begins = np.array([frames.first[row.given.row] + row.given.chunk_start for row in rows])
        wanted = np.repeat(begins - first, lengths) + np.arange(lengths.sum())
        nothing = np.zeros(0, np.float32)
        _, there = upload(nothing, np.concatenate((facts.ravel(), wanted)), self._device)
        told = there[: facts.size].view(facts.shape)
        state, count = loop.state, len(rows)
        width = state.facts.shape[1]
        chosen = frames.projected.index_select(0, there[facts.size :])
        state.frames[: len(chosen)].copy_(chosen)
        state.facts[:count].copy_(told[:, :width])
        state.facts[count:].zero_()
        memories, border, end = told[:, width:].unbind(1)
        for name, beginning in ((_HIDDEN, state.hidden), (_CELL, state.cell)):
            kept = self.memories.stacked(name)[:, :, 0].index_select(1, memories)
            beginning[:, :count].copy_(kept)
        return border, end

    def _run(self, loop: DeviceLoop, count: int) -> tuple[list[Emissions], int]:
        """Lets all rows go to their ends; what was read on the way, and the most that is not."""
        state, pieces = loop.state, []
        loop.begin.run()
        loop.turns.run()
        most, live = state.looked.tolist()
        while live:
            if most >= loop.room.emissions:
                # A row has no room left; it waits, and goes on where it was.
                counts = state.rows.count[:count, None]
                read = torch.cat((counts, state.emitted[:count, :most].flatten(1)), 1).cpu().numpy()
                pieces.append(Emissions(read[:, 0], read[:, 1:].reshape(count, -1, EMISSION)))
                state.rows.count.zero_()
            loop.turns.run()
            most, live = state.looked.tolist()
        return pieces, most

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """A decoder's memory as named arrays."""
        assert isinstance(memory, Slot), "the memory of another decoder"
        return {
            name: self.memories.stacked(name)[:, memory.number].cpu().numpy()
            for name in (_HIDDEN, _CELL)
        }

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> Slot:
        """A decoder's memory of named arrays; SnapshotError where they do not fit."""
        given = {name: array.shape for name, array in arrays.items() if name != _OUTPUT}
        if given != {_HIDDEN: self._shape, _CELL: self._shape}:
            raise SnapshotError(
                f"a decoder memory of {given}; this model's states are {self._shape}"
            )
        slot = self.memories.take()
        hidden, cell = (
            torch.from_numpy(np.array(arrays[name], np.float32)).to(self._device)
            for name in (_HIDDEN, _CELL)
        )
        self._keep(self._place(slot), hidden, cell)
        return slot

    def _place(self, slot: Slot) -> Tensor:
        return torch.tensor([slot.number], device=self._device)

    def _keep(self, numbers: Tensor, hidden: Tensor, cell: Tensor) -> None:
        """Writes states (L, B, H) into the B slots of those numbers."""
        for name, states in ((_HIDDEN, hidden), (_CELL, cell)):
            self.memories.stacked(name)[:, :, 0].index_copy_(1, numbers, states)
