"""Token ids of phrases and their weights in; a tree of them, with what each node is worth, out.

The rule is that of NVIDIA NeMo's `ContextGraph` for its boosting tree (GPU-PB), oddities included:

1. The first token of a phrase is worth its weight w; token i after it (from 1) w x depth_scaling +
   ln(i + 1).
2. A node that is there already is worth the larger of its own worth and w, which is not scaled.
3. A node's sum is its parent's sum and its own worth. It is written for nodes of the phrase that is
   being added; those below them keep the sum that they had. So the order of phrases matters.
4. A node fails to the longest other node whose tokens its own end with, or to the root.

Ours: what a token is raised or lowered by may be bounded, and a token of one phrase that stands
beside those of many others may be raised less: a long list has a word for whatever begins like one.
Sums are of what is then given, so that leaving a phrase takes back what it gave.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenTree:
    """Nodes by number; 0 is the root, and a node's number is higher than its parent's."""

    boost: float = 1.0
    depth_scaling: float = 2.0
    most_step: float | None = None
    children: list[dict[int, int]] = field(default_factory=lambda: [{}])
    worths: list[float] = field(default_factory=lambda: [0.0])
    sums: list[float] = field(default_factory=lambda: [0.0])
    ends: list[bool] = field(default_factory=lambda: [False])
    """Whether a phrase ends at the node."""
    last: list[int] = field(default_factory=lambda: [-1])
    """Number of the last phrase that goes through the node."""
    phrases: list[int] = field(default_factory=lambda: [0])
    """How many phrases go through it."""
    dues: list[float] = field(default_factory=list)
    """What each node is raised less for those beside it; empty for none."""

    def add(self, tokens: Sequence[int], weight: float, number: int | None = None) -> None:
        """Adds one phrase, or one way to write it; those of one `number` are the same phrase."""
        number = self.last[0] + 1 if number is None else number
        node = 0
        self._count(node, number)
        for depth, token in enumerate(tokens):
            child = self.children[node].get(token)
            if child is None:
                worth = weight
                if depth:
                    worth = weight * self.depth_scaling + math.log(depth + 1)
                child = len(self.children)
                self.children[node][token] = child
                self.children.append({})
                self.worths.append(worth)
                self.sums.append(0.0)
                self.ends.append(False)
                self.last.append(-1)
                self.phrases.append(0)
            else:
                self.worths[child] = max(weight, self.worths[child])
            self.sums[child] = self.sums[node] + self.step(child)
            node = child
            self._count(node, number)
        if node:
            self.ends[node] = True

    def step(self, node: int) -> float:
        """What the token that leads to a node is raised by."""
        step = self.boost * self.worths[node]
        if self.dues and step > 0:
            step = max(0.0, step - self.dues[node])
        return step if self.most_step is None else max(-self.most_step, min(step, self.most_step))

    def share(self, nats: float) -> None:
        """Raises each token less, by so many nats for the logarithm of how many stand there.

        Ways to write one phrase stand for one.
        """
        self.dues = [0.0] * len(self.children)
        # A node's number is higher than its parent's.
        for node, children in enumerate(self.children):
            due = nats * math.log(min(len(children), self.phrases[node])) if children else 0.0
            for child in children.values():
                self.dues[child] = due
                self.sums[child] = self.sums[node] + self.step(child)

    def _count(self, node: int, number: int) -> None:
        self.phrases[node] += self.last[node] != number
        self.last[node] = number

    def failures(self) -> list[int]:
        """Where each node fails to; the root to itself."""
        fails = [0] * len(self.children)
        waiting = deque(self.children[0].values())
        while waiting:
            node = waiting.popleft()
            for token, child in self.children[node].items():
                fails[child] = self._child_of_suffix(fails, fails[node], token)
                waiting.append(child)
        return fails

    def _child_of_suffix(self, fails: Sequence[int], suffix: int, token: int) -> int:
        while True:
            found = self.children[suffix].get(token)
            if found is not None:
                return found
            if suffix == 0:
                return 0
            suffix = fails[suffix]


def tree_of(
    phrases: Iterable[tuple[Sequence[int], float]],
    *,
    boost: float = 1.0,
    depth_scaling: float = 2.0,
    most_step: float | None = None,
    share: float = 0.0,
) -> TokenTree:
    """The tree of phrases, each with its weight, in the order given."""
    tree = TokenTree(boost, depth_scaling, most_step)
    for tokens, weight in phrases:
        tree.add(tokens, weight)
    if share:
        tree.share(share)
    return tree
