"""What a bias does on a device, beside what it does on the host; and which rows it does it to."""

import gc

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import TokenTree, tree_of
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.ports import DecoderInput, DecoderState
from parakeet_streaming.torch_runtime.device_biases import BiasStore, DeviceBias, RowBiases

WIDTH = 9
BLANK = WIDTH - 1


def phrases(random, window=None):
    told = [
        (random.integers(0, BLANK, int(random.integers(1, 7))).tolist(), random.normal(2, 4))
        for _ in range(int(random.integers(1, 40)))
    ]
    return PhraseBias.of(tree_of(told), WIDTH, window)


@pytest.mark.parametrize("seed", range(40))
def test_scores_and_states_are_those_of_the_host(cpu, seed):
    random = np.random.default_rng(seed)
    host = phrases(random, window=[None, 0.5, 5.0][seed % 3])
    device = DeviceBias(host.tables, cpu)
    states = np.arange(host.states)
    for _ in range(3):
        logits = random.normal(0, 3, (host.states, WIDTH)).astype(np.float32)
        logits[:, BLANK] = -np.inf
        there = device.adjusted(torch.from_numpy(logits), torch.from_numpy(states))
        np.testing.assert_array_equal(there.numpy(), host.adjust(logits, states))
        tokens = random.integers(0, BLANK, host.states)
        after = device.advanced(torch.from_numpy(states), torch.from_numpy(tokens))
        np.testing.assert_array_equal(after.numpy(), host.advance(states, tokens))


def test_a_tree_without_phrases_changes_nothing(cpu):
    device = DeviceBias(PhraseBias.of(TokenTree(), WIDTH).tables, cpu)
    logits, states = torch.ones((2, WIDTH)), torch.zeros(2, dtype=torch.int64)
    assert (device.adjusted(logits, states) == logits).all()
    assert device.advanced(states, states + 3).tolist() == [0, 0]


def test_what_is_ruled_out_is_not_named(cpu):
    device = DeviceBias(ScriptMask(np.array([1, 3])).tables, cpu)
    logits, states = torch.ones((1, 5)), torch.zeros(1, dtype=torch.int64)
    out = -torch.inf
    assert device.adjusted(logits, states).tolist() == [[1, out, 1, out, 1]]
    assert device.advanced(states, states + 2).tolist() == [0]


def inputs(*biases, states=()):
    state = DecoderState(BLANK, 0, 0, object(), states)
    return [DecoderInput(row, 0, 4, 4, state, each) for row, each in enumerate(biases)]


def test_rows_with_and_without_biases(cpu):
    mask = ScriptMask(np.array([0]))
    bias = PhraseBias.of(tree_of([([1, 2], 50.0)]), WIDTH)
    given = inputs((), (bias,), (mask,), (mask, bias))
    biases = RowBiases(given, BLANK, BiasStore(cpu))
    assert biases
    assert [biases.facts_of(each) for each in given] == [(0, 0)] * 4
    logits = torch.tensor([[5.0, 0, 4, 3, 0, 0, 0, 0, 9]] * 4)
    before = logits.clone()
    token, boosted, states = biases.named(
        logits, torch.zeros(4, dtype=torch.int64), torch.zeros((4, 2), dtype=torch.int64)
    )
    assert token.tolist() == [0, 1, 2, 1]
    assert boosted.tolist() == [False, True, False, True]
    assert states.tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]
    token, boosted, states = biases.named(logits, token, states)
    assert token.tolist() == [0, 2, 2, 2]
    # The mask alone prefers it, too.
    assert boosted.tolist() == [False, True, False, False]
    assert states.tolist() == [[0, 0], [2, 0], [0, 0], [0, 2]]
    assert (logits == before).all()


def test_rows_begin_where_they_were(cpu):
    mask = ScriptMask(np.array([0]))
    biases = RowBiases(inputs((mask,), (mask, mask)), BLANK, BiasStore(cpu))
    (one,) = inputs((mask,), states=(7,))
    assert biases.facts_of(one) == (7, 0)


def test_no_row_with_biases(cpu):
    biases = RowBiases(inputs((), ()), BLANK, BiasStore(cpu))
    assert not biases
    assert biases.facts_of(inputs(())[0]) == ()


def test_a_bias_is_there_as_long_as_somebody_has_it(cpu):
    store, bias = BiasStore(cpu), ScriptMask(np.array([0]))
    assert store.of(bias) is store.of(bias)
    assert len(store) == 1
    del bias
    gc.collect()
    assert len(store) == 0
