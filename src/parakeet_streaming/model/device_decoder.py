"""Streams on their way through their frames in; what the networks say of these out, from a device.

What `label_looping.py` asks of a prediction network and a joint, for networks whose frames and
states stay where they are computed. The host sends numbers of rows and frames, and tokens; it reads
the best token of each frame, how likely it is, and the logits of its duration. All logits of a
frame are fetched only for a stream with biases, or for a confidence by entropy.

Rules of this file:

1. States are values: a token makes new arrays, and those before it stay, so a step that fails can
   be tried again. A stream's memory is a row of them.
2. All rows of a call keep their places in these arrays until it ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.model import device_graphs as graphs
from parakeet_streaming.model.answers import require_shape
from parakeet_streaming.model.confidence import Confidence, probability
from parakeet_streaming.model.decoder_joint import FRAMES_PER_CALL
from parakeet_streaming.model.decoder_row import DecoderRow
from parakeet_streaming.model.device_rows import DeviceRows, Part
from parakeet_streaming.model.finite import broken
from parakeet_streaming.model.numpy_networks import require_memory
from parakeet_streaming.ports import Counts, Floats
from parakeet_streaming.runtime.onnx_runtime import DeviceArray, OnnxRuntimeSession


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What the prediction network remembers of B streams."""

    output: DeviceArray
    """(B, ...)"""
    hidden: DeviceArray
    """(L, B, H)"""
    cell: DeviceArray
    """(L, B, H)"""

    @property
    def rows(self) -> int:
        return self.output.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class DeviceMemory:
    """What it remembers of one stream."""

    states: States
    row: int


class DeviceScores:
    """What K frames of B rows were scored; all logits are still on the device."""

    def __init__(
        self,
        read: Mapping[str, Floats],
        logits: DeviceArray,
        rows: DeviceRows,
    ) -> None:
        self.tokens: Counts = read[graphs.TOKEN][..., 0].astype(np.int64, copy=False)
        """(B, K): the best of each."""
        durations = read.get(graphs.DURATIONS)
        self.durations: Counts | None = None if durations is None else durations.argmax(axis=-1)
        """(B, K): the number of the best duration of each; None for RNN-T."""
        self._probability = read[graphs.PROBABILITY][..., 0]
        self._logits = logits
        self._rows = rows
        self._fetched: dict[tuple[int, int], Floats] = {}

    def confidence(
        self, measure: Confidence, place: int, offset: int, token: int | None = None
    ) -> float:
        """How sure the best token of a frame is, or that one."""
        if token is None and measure is probability:
            return float(self._probability[place, offset])
        if (place, offset) not in self._fetched:
            self.rows([place], [offset])
        row = self._fetched[place, offset]
        return measure(row) if token is None else measure(row, token)

    def rows(self, places: Sequence[int], offsets: Sequence[int]) -> Floats:
        """Raw logits (n, V) of n frames, to be changed as one likes."""
        _, frames, width = self._logits.shape
        index = np.array(places) * frames + np.array(offsets)
        fetched = self._rows.gather(
            [(self._logits, index)], (1, width), (len(index), width)
        ).numpy()
        for place, offset, row in zip(places, offsets, fetched.copy(), strict=True):
            self._fetched[place, offset] = row
        return fetched


class DeviceNetworks:
    """A prediction network and a joint that keep their arrays on a device."""

    def __init__(
        self,
        predictor: OnnxRuntimeSession,
        joint: OnnxRuntimeSession,
        rows: DeviceRows,
        spec: ModelSpec,
        start: tuple[Floats, Floats, Floats],
        files: tuple[str, str] = ("the prediction network", "the joint"),
    ) -> None:
        """Networks as one.

        Args:
            predictor: of `predictor_graph`.
            joint: of `joint_graph`.
            rows: of the same device.
            spec: of the model.
            start: output (1, ...), hidden and cell (L, 1, H) after the start symbol.
            files: what messages call the two.
        """
        self.blank_id = spec.vocabulary.blank_id
        self.durations = spec.durations
        self.frames_per_call = FRAMES_PER_CALL
        self.vocabulary_size = spec.vocabulary.size
        self.device_rows = rows
        self._predictor_file, self._joint_file = files
        self._predictor = predictor
        self._joint = joint
        self._names = spec.names
        self._like = self._arrays(*start)
        self._start = self.memory_from_arrays(self._like)

    def start(self) -> DeviceMemory:
        """What is remembered of a stream of which nothing was decoded."""
        return self._start

    def begin(self, rows: Sequence[DecoderRow]) -> DeviceWalk:
        """Puts together what is remembered of these rows, and their frames."""
        return DeviceWalk(self, rows)

    def memory_to_arrays(self, memory: object) -> dict[str, Floats]:
        """What is remembered of a stream as named arrays; those of `NumpyNetworks`."""
        assert isinstance(memory, DeviceMemory), "the memory of another decoder"
        states = self.states_of([memory])
        return self._arrays(states.output.numpy(), states.hidden.numpy(), states.cell.numpy())

    def memory_from_arrays(self, arrays: Mapping[str, Floats]) -> DeviceMemory:
        """What was remembered, of which `memory_to_arrays` made the arrays.

        Raises:
            SnapshotError: arrays of other names or shapes.
        """
        require_memory(arrays, self._like)
        device = self.device_rows.device
        kept = {name: DeviceArray.of(values, device) for name, values in arrays.items()}
        return DeviceMemory(States(**kept), 0)

    def states_of(self, memories: Sequence[DeviceMemory]) -> States:
        """What is remembered of streams, in one array each; as it is, if it lies so."""
        first = memories[0].states
        as_they_lie = first.rows == len(memories) and all(
            each.states is first and each.row == at for at, each in enumerate(memories)
        )
        return first if as_they_lie else self._gathered(memories)

    def score(
        self, frames: DeviceArray, positions: Counts, outputs: DeviceArray, rows: Counts
    ) -> DeviceScores:
        """Scores frames at positions (R, K) under outputs of the prediction network's rows (R,).

        Raises:
            ComputeError: it could not, or gave no best token.
            ModelFormatError: it gave another shape than its file promises.
        """
        feeds: dict[str, DeviceArray | Counts] = {
            graphs.FRAMES: frames,
            graphs.POSITIONS: positions,
            graphs.OUTPUTS: outputs,
            graphs.ROWS: rows,
        }
        wanted = [graphs.TOKEN, graphs.BEST, graphs.PROBABILITY]
        wanted += [graphs.DURATIONS] if self.durations else []
        device = self.device_rows.device
        read, kept = self._joint.run_bound(feeds, read=wanted, kept=(graphs.LOGITS,), device=device)
        logits = kept[graphs.LOGITS]
        shape = (*positions.shape, self.vocabulary_size)
        require_shape(logits, shape, self._joint_file, self._names.logits)
        if self.durations:
            shape = (*positions.shape, len(self.durations))
            require_shape(read[graphs.DURATIONS], shape, self._joint_file, self._names.logits)
        # A best one that is not a number, or of none, makes its share not a number.
        numbers = (read[graphs.BEST], read[graphs.PROBABILITY])
        if not all(np.isfinite(each).all() for each in numbers):
            raise broken(self._joint_file)
        return DeviceScores(read, logits, self.device_rows)

    def advance(self, states: States, rows: Sequence[int], tokens: Sequence[int]) -> States:
        """The states with some rows moved on by a token each.

        Raises:
            ComputeError: the network could not run, or gave numbers that are not finite.
            ModelFormatError: it gave another shape than its file promises.
        """
        merge = np.arange(states.rows)
        merge[list(rows)] = states.rows + np.arange(len(rows))
        names = self._names
        feeds: dict[str, DeviceArray | Counts] = {
            names.targets: np.array(tokens, dtype=np.int64)[:, None],
            graphs.ROWS: np.array(rows, dtype=np.int64),
            graphs.MERGE: merge,
            graphs.OUTPUTS: states.output,
            graphs.HIDDEN: states.hidden,
            graphs.CELL: states.cell,
        }
        if names.target_lengths is not None and names.target_lengths in self._predictor.inputs:
            feeds[names.target_lengths] = np.ones(len(tokens), dtype=np.int64)
        read, kept = self._predictor.run_bound(
            feeds,
            read=(graphs.CHECK,),
            kept=tuple(graphs.NEXT.values()),
            device=self.device_rows.device,
        )
        moved = States(*kept.values())
        for name, was, now in (
            (names.predictions or "predictions", states.output, moved.output),
            (names.next_hidden, states.hidden, moved.hidden),
            (names.next_cell, states.cell, moved.cell),
        ):
            require_shape(now, was.shape, self._predictor_file, name)
        if not np.isfinite(read[graphs.CHECK]):
            raise broken(self._predictor_file)
        return moved

    def _gathered(self, memories: Sequence[DeviceMemory]) -> States:
        count = len(memories)

        def together(name: str, axis: int) -> DeviceArray:
            like = self._like[name].shape
            parts: list[Part] = [
                (getattr(each.states, name), np.array([each.row])) for each in memories
            ]
            layout = (math.prod(like[:axis]), math.prod(like[axis + 1 :]))
            shape = (*like[:axis], count, *like[axis + 1 :])
            return self.device_rows.gather(parts, layout, shape)

        return States(together("output", 0), together("hidden", 1), together("cell", 1))

    def _arrays(self, output: Floats, hidden: Floats, cell: Floats) -> dict[str, Floats]:
        return {"output": output, "hidden": hidden, "cell": cell}


class DeviceWalk:
    """One call of the loop: all rows that have frames to decode."""

    def __init__(self, networks: DeviceNetworks, rows: Sequence[DecoderRow]) -> None:
        self._networks = networks
        self._numbers = {id(row): number for number, row in enumerate(rows)}
        self._states = networks.states_of([row.memory for row in rows])
        frames = [row.frames for row in rows]
        arrays = {id(each.array) for each in frames}
        if len(arrays) == 1:
            self._frames: DeviceArray = frames[0].array
            self._starts = [each.start for each in frames]
        else:
            width, counts = frames[0].array.shape[-1], [each.count for each in frames]
            self._frames = networks.device_rows.gather(
                [each.part for each in frames], (1, width), (sum(counts), width)
            )
            self._starts = [sum(counts[:at]) for at in range(len(counts))]

    def score(self, live: Sequence[DecoderRow], width: int) -> DeviceScores:
        """Scores the next `width` frames of rows."""
        numbers = [self._numbers[id(row)] for row in live]
        firsts = np.array(
            [self._starts[number] + row.at for number, row in zip(numbers, live, strict=True)]
        )
        lasts = np.array(
            [
                self._starts[number] + row.frames.count - 1
                for number, row in zip(numbers, live, strict=True)
            ]
        )
        positions = np.minimum(firsts[:, None] + np.arange(width), lasts[:, None])
        return self._networks.score(self._frames, positions, self._states.output, np.array(numbers))

    def advance(self, emitted: Sequence[DecoderRow]) -> None:
        """Runs the prediction network of the rows that emitted, in one call."""
        numbers = [self._numbers[id(row)] for row in emitted]
        tokens = [row.last_token for row in emitted]
        self._states = self._networks.advance(self._states, numbers, tokens)
        for number, row in zip(numbers, emitted, strict=True):
            row.memory = DeviceMemory(self._states, number)
