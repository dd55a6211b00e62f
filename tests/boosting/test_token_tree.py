"""The tree of phrases, oddities included."""

import math

import pytest

from parakeet_streaming.boosting.token_tree import tree_of


def test_the_first_token_is_worth_its_weight_and_later_ones_more():
    tree = tree_of([((5, 6, 7), 1.0)])
    assert tree.worths == pytest.approx([0.0, 1.0, 2 + math.log(2), 2 + math.log(3)])
    assert tree.sums[3] == pytest.approx(5 + math.log(6))
    assert tree.ends == [False, False, False, True]


def test_a_node_that_is_there_takes_the_larger_of_its_worth_and_the_weight_itself():
    tree = tree_of([((5, 6), 1.0), ((5, 6), 3.0)])
    assert tree.worths[1:] == pytest.approx([3.0, 3.0])
    lower = tree_of([((5, 6), 3.0), ((5, 6), -1.0)])
    assert lower.worths[1:] == pytest.approx([3.0, 6 + math.log(2)])


def test_deeper_nodes_of_earlier_phrases_keep_their_sums():
    tree = tree_of([((5, 6), 1.0), ((5,), 4.0)])
    assert tree.sums[1] == 4.0
    assert tree.sums[2] == pytest.approx(1.0 + 2 + math.log(2))


def test_a_node_fails_to_the_longest_other_suffix():
    tree = tree_of([((1, 2, 3), 1.0), ((2, 3, 4), 1.0), ((3,), 1.0)])
    # Nodes: 1=1 2=12 3=123 4=2 5=23 6=234 7=3
    assert tree.failures() == [0, 0, 4, 5, 0, 7, 0, 0]


def test_an_empty_phrase_ends_nowhere():
    assert tree_of([((), 1.0)]).ends == [False]


def test_a_token_beside_many_others_is_raised_less():
    phrases = [((1, 4), 2.0), ((1, 5), 2.0), ((2, 6), -2.0), ((3,), 0.5)]
    tree = tree_of(phrases, share=1.0)
    three, two = math.log(3), math.log(2)
    later = 4 + math.log(2)
    # Nodes: 1=1 2=14 3=15 4=2 5=26 6=3
    assert [tree.step(node) for node in (1, 2, 3)] == pytest.approx(
        [2 - three, later - two, later - two]
    )
    assert [tree.step(node) for node in (4, 5, 6)] == pytest.approx([-2, -4 + math.log(2), 0])
    assert tree.sums[2] == pytest.approx(2 - three + later - two)
    ways = tree_of([])
    for tokens in ((1, 4), (1, 5), (2, 6)):
        ways.add(tokens, 1.0, number=7)
    before = list(ways.sums)
    ways.share(1.0)
    assert ways.sums == before
    alone = tree_of(phrases[:1], share=1.0)
    assert alone.sums == tree_of(phrases[:1]).sums


def test_what_one_token_gets_is_bounded_and_the_sum_is_of_what_it_gets():
    tree = tree_of([((1, 2, 3), 2.0)], boost=2.0, most_step=5.0)
    assert [tree.step(node) for node in (1, 2, 3)] == [4.0, 5.0, 5.0]
    assert tree.sums == [0.0, 4.0, 9.0, 14.0]
    avoided = tree_of([((1, 2), -3.0)], boost=2.0, most_step=5.0)
    assert [avoided.step(node) for node in (1, 2)] == [-5.0, -5.0]
