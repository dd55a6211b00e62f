"""Tables in which no state looks at another, beside those in which states fail to others."""

import numpy as np
import pytest

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import TokenTree, tree_of
from parakeet_streaming.torch_runtime.flat_tables import flattened, size_of

WIDTH = 9


def phrases(seed, tokens=WIDTH - 1, longest=9, most=40):
    random = np.random.default_rng(seed)
    told = [
        (random.integers(0, tokens, int(random.integers(1, longest))).tolist(), random.normal(2, 4))
        for _ in range(int(random.integers(1, most)))
    ]
    return PhraseBias.of(tree_of(told), WIDTH)


@pytest.mark.parametrize("seed", range(30))
def test_scores_and_states_are_those_of_a_walk(seed):
    bias = phrases(seed, tokens=2 + seed % 7)
    flat = flattened(bias.tables, WIDTH)
    states = np.arange(bias.states)
    boosts = bias.adjust(np.zeros((bias.states, WIDTH), np.float32), states)
    after = np.stack(
        [bias.advance(states, np.full_like(states, token)) for token in range(WIDTH)], axis=1
    )
    for state in states:
        found = flat.at_root + flat.refunds[state]
        targets = flat.root_targets.copy()
        arcs = slice(flat.first[state], flat.first[state] + flat.counts[state])
        found[flat.tokens[arcs]] = flat.boosts[arcs]
        targets[flat.tokens[arcs]] = flat.targets[arcs]
        assert len(set(flat.tokens[arcs])) == flat.counts[state]
        np.testing.assert_array_equal(found, boosts[state])
        np.testing.assert_array_equal(targets, after[state])
    assert (flat.targets > 0).all()
    assert flat.boosts.dtype == flat.at_root.dtype == np.float32


@pytest.mark.parametrize("seed", range(10))
def test_a_size_is_enough(seed):
    bias = phrases(seed, tokens=3)
    size, flat = size_of(bias.tables), flattened(bias.tables, WIDTH)
    assert size.states == bias.states == len(flat.counts)
    assert size.arcs >= len(flat.tokens) == flat.counts.sum()
    assert size.widest >= flat.counts.max()
    assert flat.counts[0] == 0


def test_without_failures_there_is_nothing_more():
    bias = PhraseBias.of(tree_of([([1, 2, 3], 1.0), ([1, 4], 2.0)]), WIDTH)
    size, flat = size_of(bias.tables), flattened(bias.tables, WIDTH)
    assert (size.states, size.arcs, size.widest) == (5, 3, 2)
    assert flat.counts.tolist() == [0, 2, 1, 0, 0]
    assert flat.tokens.tolist() == [2, 4, 3]
    assert flat.root_targets.tolist() == [0, 1, *(0,) * 7]


def test_a_tree_without_phrases():
    tables = PhraseBias.of(TokenTree(), WIDTH).tables
    size, flat = size_of(tables), flattened(tables, WIDTH)
    assert (size.states, size.arcs, size.widest) == (1, 0, 0)
    assert len(flat.tokens) == 0
    assert not flat.at_root.any()
    assert not flat.root_targets.any()


def test_phrases_of_one_token_alone():
    tables = PhraseBias.of(tree_of([([1], 2.0), ([3], 1.0)]), WIDTH).tables
    flat = flattened(tables, WIDTH)
    assert flat.counts.tolist() == [0, 0, 0]
    assert flat.root_targets[[1, 3]].tolist() == [1, 2]
    assert flat.at_root[[1, 3]].tolist() == [2, 1]
