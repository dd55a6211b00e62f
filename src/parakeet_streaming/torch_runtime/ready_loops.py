"""How many rows and frames calls will have, in; loops of fixed shapes for them, captured, out.

There are two for each number of rows: one for calls in which no row has a bias, which costs nothing
more than before there were any, and one for others, whose tables lie in an arena that all share.

Rules of this file:

1. Loops are made before there are streams. Those that there are stay as they are.
2. What a loop cannot take is not its caller's fault: it is decoded by a loop of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import torch

from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.bias_arena import ArenaRoom, BiasArena
from parakeet_streaming.torch_runtime.buckets import sizes_up_to
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_loop import DeviceLoop, frames_of_a_turn
from parakeet_streaming.torch_runtime.loop_state import FACTS, LoopRoom, Rules
from parakeet_streaming.torch_runtime.placed_biases import PLACES, STATES, PlacedBiases

TURNS: Final = 8
"""Turns between two looks at the device: a look waits for all that was asked of it."""
LEAST_EMISSIONS: Final = 16
"""Of a row, for which there is room until they are read."""


class ReadyLoops:
    """The loops of one decoder. Call it inside `computing()`, one call at a time."""

    def __init__(
        self, model: Transducer, rules: Rules, device: torch.device, graphs: Graphs
    ) -> None:
        self._model = model
        self._rules = rules
        self._device = device
        self._graphs = graphs
        self.room = ArenaRoom()
        """For the tables of all streams; to be chosen before loops are prepared."""
        self.arena: BiasArena | None = None
        """There once loops are."""
        self.plain: dict[int, DeviceLoop] = {}
        """By their rows."""
        self.biased: dict[int, DeviceLoop] = {}
        """Likewise."""

    def prepare(self, most_rows: int, frames_each: int) -> Iterator[None]:
        """Makes loops ready for calls of up to so many rows, those of one size between two yields.

        Args:
            most_rows: of a call.
            frames_each: chunk and look-ahead of a row, on average at most.
        """
        plain: dict[int, DeviceLoop] = {}
        biased: dict[int, DeviceLoop] = {}
        for rows in sizes_up_to(most_rows):
            known = self.plain.get(rows)
            if known is not None and known.room.frames >= rows * frames_each:
                continue
            room = LoopRoom(
                rows,
                rows * frames_each,
                max(LEAST_EMISSIONS, frames_each // 2),
                TURNS,
                frames_of_a_turn(rows, frames_each),
            )
            plain[rows] = DeviceLoop(self._model, self._rules, room, self._graphs, self._device)
            plain[rows].capture()
            biased[rows] = self._with_biases(plain[rows])
            biased[rows].capture()
            yield
        # All at once: one row is not to be padded to the largest size.
        self.plain |= plain
        self.biased |= biased

    def take(self, given: DecoderInput) -> bool:
        """Whether loops can have a row with such biases, which are brought to the device then."""
        arena = self.arena
        return arena is not None and (not given.biases or arena.place_of(given.biases) is not None)

    def of(self, rows: int, frames: int, *, biased: bool) -> DeviceLoop | None:
        """The loop of that size, if it has room for so many frames."""
        loop = (self.biased if biased else self.plain).get(rows)
        return loop if loop is not None and loop.room.frames >= frames else None

    def _with_biases(self, loop: DeviceLoop) -> DeviceLoop:
        """One of the same size, for rows with biases; it shares the frames."""
        if self.arena is None:
            self.arena = BiasArena(self.room, self._rules.blank_id, self._device)
        room = replace(loop.room, biases=STATES, places=PLACES)
        made = DeviceLoop(
            self._model, self._rules, room, self._graphs, self._device, loop.state.frames
        )
        made.biases = PlacedBiases(self.arena, made.state.facts[:, FACTS + STATES :])
        return made
