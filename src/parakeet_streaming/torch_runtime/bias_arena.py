"""Biases of streams in; where their tables lie among others, in tensors that never move, out.

Graphs read the tables where they lie, so all of them lie in tensors of a fixed size, and a row of
a call says where its own begin.

```
lists     one row over the vocabulary each: what begins a phrase     ┐
states    those of a list one after the other                        ├ place 0: no list
arcs      those of a state one after the other, in order of states   ┘
masks     one row over the vocabulary each: what is ruled out          place 0: the blank alone
```

Rules of this file:

1. A bias has its places for as long as somebody has the bias; then another may get them. Tables are
   written before the call that reads them, on the device's one stream: no graph still reads what
   lay there.
2. A bias that has no room, for now or for good, has no places. Nothing is ever moved or shortened.
3. What a stream may have here is a mask, a list, or a mask and then a list, as the engine gives
   them. Others have no places.
4. Places 0 are never written, so what points there, such as padding, has no bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from parakeet_streaming.ports import BiasTables, TokenBias
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.extents import Extent, Extents
from parakeet_streaming.torch_runtime.flat_tables import FlatSize, flattened, size_of


@dataclass(frozen=True, slots=True)
class ArenaRoom:
    """For what there is room, of all streams together."""

    lists: int = 512
    """8 bytes for each token of the vocabulary. As many as the largest call has rows."""
    masks: int = 64
    states: int = 2**19
    """20 bytes each: those of 300 lists of 100 phrases, of two words with all their splits."""
    arcs: int = 2**21
    """12 bytes each. A state has those of the states that it fails to, too."""
    of_one: int = 2**19
    """Arcs of one list: to bring more there, a step would wait for more than some 50 ms; and nobody
    is to have all the room."""
    widest: int = 512
    """Arcs of one state, other than the root: what a call looks at in each row."""


_Written = tuple[torch.Tensor, NDArray[Any]]


class TablePlace(NamedTuple):
    """Where the tables of a row lie."""

    row: int = 0
    """Of its list."""
    first_state: int = 0
    mask: int = 0


NO_TABLES: Final = TablePlace()


@dataclass(frozen=True, slots=True)
class _List:
    row: Extent
    states: Extent
    arcs: Extent


@dataclass(frozen=True, slots=True)
class _Mask:
    row: Extent


class BiasArena:
    """The tables of one device. Call it inside `computing()`, one call at a time."""

    def __init__(self, room: ArenaRoom, blank_id: int, device: torch.device) -> None:
        def floats(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, device=device)

        def numbers(*shape: int, dtype: torch.dtype = torch.int32) -> torch.Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        self.room = room
        self.width = blank_id + 1
        """V, of the vocabulary."""
        self._device = device
        lists, states = 1 + room.lists, 1 + room.states
        self.at_root = floats(lists, self.width + 1)
        """(lists, V + 1); what is scattered nowhere goes to the last column."""
        self.root_targets = numbers(lists, self.width)
        """(lists, V)"""
        self.windows = floats(lists).fill_(torch.inf)
        """(lists,) infinite where there is none."""
        self.refunds = floats(states)
        self.first = numbers(states, dtype=torch.int64)
        self.counts = numbers(states, dtype=torch.int64)
        # Behind the last arc: a row looks at as many as a state may have.
        self.tokens = numbers(room.arcs + room.widest)
        self.targets = numbers(room.arcs + room.widest)
        self.boosts = floats(room.arcs + room.widest)
        self.ruled_out = numbers(1 + room.masks, self.width, dtype=torch.bool)
        """(masks, V); the blank is ruled out by all."""
        self.ruled_out[:, blank_id] = True
        self._lists, self._masks = Extents(1, lists), Extents(1, 1 + room.masks)
        self._states, self._arcs = Extents(1, states), Extents(0, room.arcs)
        self._known: WeakKeyDictionary[TokenBias, _List | _Mask] = WeakKeyDictionary()
        self._sizes: WeakKeyDictionary[TokenBias, FlatSize | None] = WeakKeyDictionary()
        """What each list needs, for those that were looked at; None: there is never room."""

    def __len__(self) -> int:
        """How many biases have places."""
        return len(self._known)

    @property
    def nbytes(self) -> int:
        """Memory of all tensors."""
        return sum(each.nbytes for each in vars(self).values() if isinstance(each, torch.Tensor))

    def place_of(self, biases: Sequence[TokenBias]) -> TablePlace | None:
        """Where the tables of a row with these biases lie; None: not here."""
        found = [self._of(each) for each in biases]
        mask = found.pop(0) if found and isinstance(found[0], _Mask) else None
        listed = found.pop() if found and isinstance(found[-1], _List) else None
        if found:
            return None
        assert not isinstance(mask, _List)
        assert not isinstance(listed, _Mask)
        return TablePlace(
            listed.row.first if listed else 0,
            listed.states.first if listed else 0,
            mask.row.first if mask else 0,
        )

    def _of(self, bias: TokenBias) -> _List | _Mask | None:
        known = self._known.get(bias)
        if known is None:
            if bias in self._sizes and self._sizes[bias] is None:
                return None
            tables = bias.tables
            made = self._mask(tables) if _is_mask(bias, tables) else self._list(bias, tables)
            if made is None:
                return None
            known = self._known[bias] = made
        return known

    def _mask(self, tables: BiasTables) -> _Mask | None:
        row = self._masks.take(1)
        if row is None or tables.ruled_out.max(initial=0) >= self.width:
            return None
        ruled_out = np.zeros(self.width, np.int64)
        ruled_out[tables.ruled_out] = ruled_out[-1] = 1
        _, there = upload(np.zeros(0, np.float32), ruled_out, self._device)
        self.ruled_out[row.first].copy_(there)
        return _Mask(row)

    def _list(self, bias: TokenBias, tables: BiasTables) -> _List | None:
        if bias not in self._sizes:
            self._sizes[bias] = self._possible(bias, tables)
        size = self._sizes[bias]
        if size is None:
            return None
        row, states = self._lists.take(1), self._states.take(size.states)
        arcs = self._arcs.take(size.arcs)
        if row is None or states is None or arcs is None:
            return None
        made = _List(row, states, arcs)
        self._write(tables, made)
        return made

    def _possible(self, bias: TokenBias, tables: BiasTables) -> FlatSize | None:
        """What a list needs; None where there is never room, or where it is none."""
        fits = (
            bias.marks
            and not tables.ruled_out.size
            and len(tables.at_root) >= self.width
            and tables.tokens.max(initial=0) < self.width
            and len(tables.failures) <= self.room.states
        )
        if not fits:
            return None
        size, room = size_of(tables), self.room
        fits = size.arcs <= min(room.of_one, room.arcs) and size.widest <= room.widest
        return size if fits else None

    def _write(self, tables: BiasTables, to: _List) -> None:
        """Brings the tables to their places, in one transfer."""
        flat, row = flattened(tables, self.width), to.row.first
        window = np.array([np.inf if tables.window is None else tables.window], np.float32)
        states, arcs = to.states.places, slice(to.arcs.first, to.arcs.first + len(flat.tokens))
        floats: list[_Written] = [
            (self.refunds[states], flat.refunds),
            (self.boosts[arcs], flat.boosts),
            (self.at_root[row, : self.width], flat.at_root),
            (self.windows[row : row + 1], window),
        ]
        numbers: list[_Written] = [
            (self.first[states], flat.first + to.arcs.first),
            (self.counts[states], flat.counts),
            (self.tokens[arcs], flat.tokens),
            (self.targets[arcs], flat.targets),
            (self.root_targets[row], flat.root_targets),
        ]
        arrived = upload(
            np.concatenate([values for _, values in floats]),
            np.concatenate([values for _, values in numbers]),
            self._device,
        )
        for written, whole in zip((floats, numbers), arrived, strict=True):
            at = 0
            for place, values in written:
                place.copy_(whole[at : at + len(values)])
                at += len(values)


def _is_mask(bias: TokenBias, tables: BiasTables) -> bool:
    """Whether all that it does is to rule tokens out."""
    return not bias.marks and not tables.tokens.size and bias.states == 1
