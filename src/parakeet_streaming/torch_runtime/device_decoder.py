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
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.finite import broken
from parakeet_streaming.ports import Counts, Decoded, DecoderInput, Floats
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.buckets import parts_of
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_biases import BiasStore, RowBiases
from parakeet_streaming.torch_runtime.device_loop import DeviceLoop, frames_of_a_turn
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.loop_state import EMISSION, HEAD, LoopRoom, Rules
from parakeet_streaming.torch_runtime.placed_biases import PlacedBiases
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
    first: Counts
    """(B,) where each row begins."""
    finite: Tensor
    """Whether all that was encoded is; () bool."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is decoded of the rows of a part, and the slots for what is remembered after it."""

    inputs: Sequence[DecoderInput]
    borders: Sequence[Slot]
    ends: Sequence[Slot]
    numbers: Counts
    """(B, 7): row, chunk's start and end, look-ahead's end, frames to skip, last token, slot."""

    @classmethod
    def of(cls, inputs: Sequence[DecoderInput], memories: Pool) -> _Rows:
        """In one pass over the rows; each gets two slots."""
        count = len(inputs)
        slots = memories.take_many(2 * count)
        known = [each.state.memory for each in inputs]
        assert {type(each) for each in known} <= {Slot}, "the memory of another decoder"
        numbers = [
            (
                each.row,
                each.chunk_start,
                each.chunk_end,
                each.lookahead_end,
                each.state.frames_to_skip,
                each.state.last_token,
                slot.number,
            )
            for each, slot in zip(inputs, cast("list[Slot]", known), strict=True)
        ]
        return cls(inputs, slots[:count], slots[count:], np.array(numbers, np.int64))

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> Counts:
        """(B,) frames of chunk and look-ahead."""
        return self.numbers[:, 3] - self.numbers[:, 1]

    def facts(self, biases: RowBiases | PlacedBiases | None) -> Counts:
        """(B, 8 + K + P) for the device: as `LoopState.facts`, then three slots."""
        _, start, end, _, skip, token, memory = self.numbers.T
        lengths = self.lengths
        first = np.cumsum(lengths) - lengths
        columns = [np.stack((first, skip, end - start, lengths, token), axis=1)]
        if biases:
            of_biases = [biases.facts_of(each) for each in self.inputs]
            columns.append(np.array(of_biases, np.int64))
        after = [[slot.number for slot in slots] for slots in (self.borders, self.ends)]
        columns.append(np.stack((memory, *np.array(after, np.int64)), axis=1))
        return np.concatenate(columns, axis=1)

    def wanted(self, first: Counts) -> Counts:
        """Numbers of the frames (N,) that are decoded, of all that were encoded.

        Args:
            first: (B,) of each encoded row.
        """
        row, start = self.numbers[:, 0], self.numbers[:, 1]
        lengths = self.lengths
        places = np.cumsum(lengths) - lengths
        return np.repeat(first[row] + start - places, lengths) + np.arange(lengths.sum())


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
        decoded: dict[int, Decoded] = {}
        for numbers, size in self._parts(inputs):
            rows = _Rows.of([inputs[at] for at in numbers], self.memories)
            decoded |= zip(numbers, self._part(frames, rows, size), strict=True)
        return [decoded[at] for at in range(len(inputs))]

    def _parts(self, inputs: Sequence[DecoderInput]) -> Iterator[tuple[list[int], int]]:
        """Numbers of rows that go together, and the size of the loop that was made ready for them.

        Size 0: these rows get a loop of their own. One whose tables have no place keeps no other
        from the loop that it would have had without it.
        """
        ready = self.loops.taken(inputs)
        for part in parts_of(len(ready), tuple(self.loops.plain)):
            yield ready[part.first : part.first + part.count], part.size
        if len(ready) < len(inputs):
            yield sorted(set(range(len(inputs))) - set(ready)), 0

    def _part(self, frames: ProjectedFrames, rows: _Rows, size: int) -> list[Decoded]:
        count = len(rows)
        loop = self._loop_for(size, rows)
        places = self._lay(loop, frames, rows)
        pieces, most = self._run(loop, count)
        state = loop.state
        for numbers, memory in zip(places, (state.rows.border, state.rows.memory), strict=True):
            self._keep(numbers, memory.hidden[:, :count], memory.cell[:, :count])
        heads, emitted = state.heads[:count], state.emitted[:count, :most].flatten(1)
        told = torch.cat((heads, emitted.to(torch.int32)), dim=1).flatten()
        read = torch.cat((told, frames.finite.to(torch.int32)[None])).cpu().numpy()
        if not read[-1]:
            raise broken("the encoder")
        whole = read[:-1].reshape(count, -1)
        head = HEAD + 2 * loop.room.biases
        pieces.append(Emissions(whole[:, 0], whole[:, head:].reshape(count, -1, EMISSION)))
        return decoded_rows(whole[:, :head], pieces, rows.inputs, (rows.borders, rows.ends))

    def _loop_for(self, size: int, rows: _Rows) -> DeviceLoop:
        """The loop that was made ready, or one for these rows alone."""
        lengths, count = rows.lengths, len(rows)
        frames = int(lengths.sum())
        biased = [each for each in rows.inputs if each.biases]
        ready = self.loops.of(size, frames, biased=bool(biased))
        if ready is not None:
            return ready
        most = int((lengths - rows.numbers[:, 4]).max())
        biases = RowBiases(rows.inputs, self._rules.blank_id, self._biases)
        room = LoopRoom(
            count,
            max(1, frames),
            max(LEAST_EMISSIONS, most // 2),
            TURNS_ON_CPU if self._device.type == "cpu" else TURNS,
            frames_of_a_turn(count, most),
            biases.most,
        )
        loop = DeviceLoop(self._model, self._rules, room, Graphs.none(), self._device)
        loop.biases = biases
        return loop

    def _lay(self, loop: DeviceLoop, frames: ProjectedFrames, rows: _Rows) -> tuple[Tensor, Tensor]:
        """Puts frames, facts and states to their places; gives the slots of border and end."""
        facts = rows.facts(loop.biases)
        wanted = rows.wanted(frames.first)
        _, there = upload((), np.concatenate((facts.ravel(), wanted)), self._device)
        told = there[: facts.size].view(facts.shape)
        state, count = loop.state, len(facts)
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
