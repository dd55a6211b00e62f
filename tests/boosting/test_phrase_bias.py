"""What phrases make of logits and states, against the rule said in plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import tree_of
from tests.boosting.naive import NaiveTree

WIDTH = 6
PHRASES = st.lists(
    st.tuples(
        st.lists(st.integers(0, WIDTH - 2), min_size=1, max_size=5).map(tuple),
        st.sampled_from([-2.0, -0.5, 0.5, 1.0, 3.0]),
    ),
    max_size=8,
)


def nodes_of(tree):
    """The tokens of each node, by number."""
    names = {0: ()}
    for node, children in enumerate(tree.children):
        for token, child in children.items():
            names[child] = (*names[node], token)
    return names


def bias_of(phrases, window=None, **choices):
    tree = tree_of(phrases, **choices)
    return PhraseBias.of(tree, WIDTH, window), nodes_of(tree)


@settings(max_examples=300)
@given(phrases=PHRASES, boost=st.sampled_from([0.3, 1.0, 2.0]), scaling=st.sampled_from([1.0, 2.0]))
def test_every_token_in_every_state_is_what_the_rule_says(phrases, boost, scaling):
    bias, names = bias_of(phrases, boost=boost, depth_scaling=scaling)
    naive = NaiveTree(phrases, boost, scaling)
    numbers = {name: node for node, name in names.items()}
    assert bias.states == len(names) == len(naive.sum)
    states = np.repeat(np.arange(bias.states), WIDTH)
    tokens = np.tile(np.arange(WIDTH), bias.states)
    logits = np.random.default_rng(0).normal(size=(bias.states, WIDTH)).astype(np.float32)
    adjusted = bias.adjust(logits.copy(), np.arange(bias.states)) - logits
    after = bias.advance(states, tokens)
    for state, token, following in zip(states, tokens, after, strict=True):
        given_to, expected = naive.look(names[state], token)
        assert adjusted[state, token] == pytest.approx(given_to, abs=1e-4)
        assert following == numbers[expected]


@given(phrases=PHRASES, window=st.sampled_from([0.0, 1.0, 5.0]), seed=st.integers(0, 99))
def test_what_is_far_below_the_best_is_not_raised_above_the_rest(phrases, window, seed):
    bias, names = bias_of(phrases, window)
    naive = NaiveTree(phrases)
    logits = 4 * np.random.default_rng(seed).normal(size=(bias.states, WIDTH)).astype(np.float32)
    logits[:, WIDTH - 1] = -np.inf
    adjusted = bias.adjust(logits.copy(), np.arange(bias.states))
    for state in range(bias.states):
        rest = naive.refund(names[state])
        for token in range(WIDTH - 1):
            raised = naive.look(names[state], token)[0]
            if logits[state, token] < logits[state].max() - np.float32(window):
                raised = min(raised, rest)
            assert adjusted[state, token] - logits[state, token] == pytest.approx(raised, abs=1e-4)


def test_after_an_end_leaving_is_free_and_what_begins_behind_it_goes_on():
    bias, names = bias_of([((0, 1, 2), 1.0), ((1, 2, 3), 1.0)])
    numbers = {name: node for node, name in names.items()}
    (row,) = bias.adjust(np.zeros((1, WIDTH), np.float32), np.array([numbers[0, 1, 2]]))
    assert row[3] == pytest.approx(2 + np.log(3))
    assert row[4] == pytest.approx(-(1 + 4 + np.log(2) - 2), abs=1e-5)  # 12 is no end
    assert bias.advance(np.array([numbers[0, 1, 2]]), np.array([3])) == [numbers[1, 2, 3]]


def test_no_phrase_changes_nothing():
    bias, _ = bias_of([])
    logits = np.arange(WIDTH, dtype=np.float32)[None]
    assert np.array_equal(bias.adjust(logits.copy(), np.array([0])), logits)
    assert bias.advance(np.array([0, 0]), np.array([1, 2])).tolist() == [0, 0]
    assert (bias.states, bias.marks) == (1, True)


def test_nothing_of_it_can_be_changed():
    bias, _ = bias_of([((0, 1), 1.0)])
    with pytest.raises(ValueError, match="read-only"):
        bias.steps[0] = 9
