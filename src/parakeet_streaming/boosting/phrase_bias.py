"""A tree of tokens in; what it makes of the logits and states of many streams, out.

Rules of this file (NVIDIA NeMo's `GPUBoostingTreeModel`):

1. A state is a node. In it a token that goes on with the node is raised by what that is worth. Any
   other token fails: back along the failures until a node has it, taking back what was given, the
   difference of two nodes' sums at each. Leaving a node at which a phrase ends is free.
2. After a phrase its end is the state: what begins there, or behind it, goes on.
3. Ours: a token further below the best one than `window` is not raised above tokens that go on with
   no phrase.

Arrays hold arcs of the tree alone. For the states of one call they become rows over the whole
vocabulary; the only loop is along the failures, which are as many as a phrase has tokens at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.boosting.token_tree import TokenTree
from parakeet_streaming.ports import BiasTables, Counts, Floats

Nodes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PhraseBias:
    """Phrases as a `TokenBias`; N nodes, E arcs, V tokens. Shared and frozen."""

    window: float | None
    failures: Nodes
    """(N,) where each node fails to."""
    refunds: Floats
    """(N,) what is taken back on the way from a node to the root."""
    first: Nodes
    """(N + 1,) where the arcs of each node begin."""
    tokens: Nodes
    """(E,) of each arc, in order of its node and then of its token."""
    targets: Nodes
    """(E,) where each arc leads to."""
    steps: Floats
    """(E,) what its token is raised by."""
    keys: Counts
    """(E,) node x V + token."""
    at_root: Floats
    """(V,) what each token is raised by at the root."""

    @property
    def states(self) -> int:
        """Nodes of the tree."""
        return int(self.failures.shape[0])

    @property
    def marks(self) -> bool:
        """Words that phrases chose are reported."""
        return True

    @property
    def tables(self) -> BiasTables:
        """The same arrays, with nothing ruled out."""
        return BiasTables(
            np.zeros(0, np.int64),
            self.failures,
            self.refunds,
            self.first,
            self.tokens,
            self.targets,
            self.steps,
            self.at_root,
            self.window,
        )

    def adjust(self, logits: Floats, states: Counts) -> Floats:
        """Logits (R, V) of streams in states (R,), with what phrases raise and lower."""
        base = self.refunds[states]
        boosts = self.at_root[: logits.shape[1]] + base[:, None]
        chain = []
        nodes = states
        while nodes.any():
            chain.append(nodes)
            nodes = self.failures[nodes].astype(np.int64)
        for nodes in reversed(chain):
            rows, arcs = self._arcs_of(nodes)
            given = self.steps[arcs] + (base - self.refunds[nodes])[rows]
            boosts[rows, self.tokens[arcs]] = given
        if self.window is not None:
            far = logits < logits.max(axis=1, keepdims=True) - np.float32(self.window)
            boosts = np.where(far, np.minimum(boosts, base[:, None]), boosts)
        return logits + boosts

    def advance(self, states: Counts, tokens: Counts) -> Counts:
        """The nodes (R,) after one more token (R,) of each stream."""
        nodes: Counts = states.astype(np.int64)
        after: Counts = np.zeros_like(nodes)
        looking = np.ones(nodes.shape, dtype=np.bool_)
        width = self.at_root.shape[0]
        while self.keys.shape[0] and looking.any():
            keys = nodes * width + tokens
            places = np.minimum(np.searchsorted(self.keys, keys), self.keys.shape[0] - 1)
            found = looking & (self.keys[places] == keys)
            after[found] = self.targets[places[found]]
            looking &= ~found & (nodes != 0)
            nodes = self.failures[nodes].astype(np.int64)
        return after

    def _arcs_of(self, nodes: Counts) -> tuple[Counts, Counts]:
        """The arcs of each node but the root, and the row of each."""
        rows = np.flatnonzero(nodes)
        begin = self.first[nodes[rows]]
        counts = self.first[nodes[rows] + 1] - begin
        # One number after the other, from each node's first arc on.
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(rows, counts), np.repeat(begin, counts) + within

    @classmethod
    def of(cls, tree: TokenTree, width: int, window: float | None = None) -> Self:
        """The bias of a tree.

        Args:
            tree: of token ids below `width`.
            width: token ids there are, the blank's included.
            window: nats below the best token within which a token is raised.
        """
        fails = tree.failures()
        sums = np.array(tree.sums, dtype=np.float64)
        failures = np.array(fails, dtype=np.int32)
        back = np.where(tree.ends, 0.0, sums[failures] - sums)
        refunds = np.zeros(len(fails))
        # By depth, so that where a node fails to is known before it.
        for node in _by_depth(tree):
            refunds[node] = back[node] + refunds[fails[node]]
        arcs = [
            (node * width + token, token, child, tree.step(child))
            for node, children in enumerate(tree.children)
            for token, child in sorted(children.items())
        ]
        counts = [len(children) for children in tree.children]
        keys, tokens, targets, steps = zip(*arcs, strict=True) if arcs else ((),) * 4
        at_root = np.zeros(width, dtype=np.float32)
        for token, child in tree.children[0].items():
            at_root[token] = tree.step(child)
        arrays = (
            failures,
            refunds.astype(np.float32),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            np.array(tokens, dtype=np.int32),
            np.array(targets, dtype=np.int32),
            np.array(steps, dtype=np.float32),
            np.array(keys, dtype=np.int64),
            at_root,
        )
        for each in arrays:
            each.flags.writeable = False
        return cls(window, *arrays)


def _by_depth(tree: TokenTree) -> list[int]:
    """Every node but the root, those with fewer tokens first."""
    ordered, level = list[int](), list(tree.children[0].values())
    while level:
        ordered += level
        level = [child for node in level for child in tree.children[node].values()]
    return ordered
