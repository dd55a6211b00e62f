"""The tables of a bias in; such that no state needs to look at those it fails to, out. Pure.

A walk along failures is as long as a list of phrases makes it, and a graph's shapes must not depend
on that. So each state gets the arcs of all states on its way to the root, which has rows of its own
over the whole vocabulary: its arcs are for every state.

Rules of this file:

1. Numbers are those of `PhraseBias.adjust`, computed in float32 in its order: an arc of n, seen
   from s, raises its token by `steps + (refunds[s] - refunds[n])`.
2. Of arcs with one token, that of the state which comes first on the way counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.ports import BiasTables, Counts, Floats

_Arcs = tuple[Counts, NDArray[Any], Floats]
"""Keys (state x V + token, rising), targets and what tokens are raised by."""


@dataclass(frozen=True, slots=True)
class FlatSize:
    """What flat tables need at most; arcs of one token may be counted more than once."""

    states: int
    arcs: int
    widest: int
    """Arcs of one state."""


@dataclass(frozen=True, slots=True, eq=False)
class FlatTables:
    """N states, E arcs, V tokens."""

    refunds: Floats
    """(N,) what every token is raised by."""
    first: Counts
    """(N,) where the arcs of each state begin."""
    counts: Counts
    """(N,) how many they are."""
    tokens: Counts
    """(E,) of each arc."""
    targets: Counts
    """(E,) the state after its token; never 0."""
    boosts: Floats
    """(E,) what its token is raised by, in place of all else."""
    at_root: Floats
    """(V,) what each token is raised by beside `refunds`, where no arc has it."""
    root_targets: Counts
    """(V,) the state after it then; 0 for none."""


def size_of(tables: BiasTables) -> FlatSize:
    """What the flat tables will need."""
    counts = _own_arcs(tables)
    whole, nodes = counts.copy(), tables.failures
    while nodes.any():
        whole += counts[nodes]
        nodes = tables.failures[nodes]
    return FlatSize(len(whole), int(whole.sum()), int(whole.max(initial=0)))


def flattened(tables: BiasTables, width: int) -> FlatTables:
    """The flat tables, for a vocabulary of so many tokens, all of whose arcs are below it."""
    counts, at_root = _own_arcs(tables), int(tables.first[1])
    owners = np.repeat(np.arange(len(counts)), counts)
    keys = owners * width + tables.tokens[at_root:]
    # Seen from themselves, arcs raise by their steps: what is taken back is nothing.
    arcs: _Arcs = (keys, tables.targets[at_root:], tables.steps[at_root:])
    nodes = tables.failures
    while nodes.any():
        arcs = _with(arcs, tables, nodes, counts, width)
        nodes = tables.failures[nodes]
    keys, targets, boosts = arcs
    found = np.bincount(keys // width, minlength=len(counts))
    root_targets = np.zeros(width, np.int64)
    root_targets[tables.tokens[:at_root]] = tables.targets[:at_root]
    return FlatTables(
        tables.refunds,
        np.cumsum(found) - found,
        found,
        keys % width,
        targets.astype(np.int64),
        boosts,
        tables.at_root[:width],
        root_targets,
    )


def _own_arcs(tables: BiasTables) -> Counts:
    """How many each state has itself (N,), those of the root left out."""
    counts: Counts = np.diff(tables.first).astype(np.int64)
    counts[0] = 0
    return counts


def _with(
    known: _Arcs, tables: BiasTables, nodes: NDArray[Any], counts: Counts, width: int
) -> _Arcs:
    """Beside the arcs known, those of `nodes` (N,), one for each state, of which it has none."""
    states = np.flatnonzero(nodes)
    there = nodes[states]
    many = counts[there]
    # One number after the other, from each node's first arc on.
    begin = np.repeat(tables.first[there] - (np.cumsum(many) - many), many)
    arcs = begin + np.arange(many.sum())
    rows, owners = np.repeat(states, many), np.repeat(there, many)
    keys = rows * width + tables.tokens[arcs]
    places = np.minimum(np.searchsorted(known[0], keys), max(0, len(known[0]) - 1))
    new = known[0][places] != keys if len(known[0]) else np.ones(keys.shape, np.bool_)
    boosts = tables.steps[arcs] + (tables.refunds[rows] - tables.refunds[owners])
    more = (keys[new], tables.targets[arcs][new], boosts[new])
    keys, targets, raised = (np.concatenate(pair) for pair in zip(known, more, strict=True))
    order = np.argsort(keys, kind="stable")
    return keys[order], targets[order], raised[order]
