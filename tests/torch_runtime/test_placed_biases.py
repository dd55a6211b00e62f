"""What biases do by tables in an arena, beside what they do on the host, and in plain calls."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import tree_of
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.ports import DecoderInput, DecoderState
from parakeet_streaming.torch_runtime.bias_arena import ArenaRoom, BiasArena
from parakeet_streaming.torch_runtime.device_biases import BiasStore, RowBiases
from parakeet_streaming.torch_runtime.placed_biases import PlacedBiases
from tests.torch_runtime.test_flat_tables import WIDTH, phrases

BLANK = WIDTH - 1
ROWS = 8


def spoilt(arena):
    """With rubbish wherever nothing was written yet, but at places 0."""
    for name, values in vars(arena).items():
        if isinstance(values, torch.Tensor) and name != "ruled_out":
            rubbish = float("nan") if values.is_floating_point() else 2**30
            values[0 if name in ("tokens", "targets", "boosts") else 1 :].fill_(rubbish)
    arena.ruled_out[1:].fill_(True)
    return arena


def kinds(seed, window):
    random = np.random.default_rng(seed)
    mask = ScriptMask(random.permutation(BLANK)[:2])
    one, other = phrases(seed, tokens=4), phrases(seed + 100)
    fenced = PhraseBias(window, *(getattr(other, name) for name in PhraseBias.__slots__[1:9]))
    return [(), (mask,), (one,), (mask, one), (fenced,), (mask, fenced)]


@pytest.mark.parametrize("seed", range(30))
def test_tokens_and_states_are_those_of_plain_calls(cpu, seed):
    random = np.random.default_rng(seed)
    chosen = kinds(seed, window=[0.5, 2.0, 5.0][seed % 3])
    rows = [chosen[int(random.integers(len(chosen)))] for _ in range(ROWS)]
    states = [
        tuple(int(random.integers(bias.states)) for bias in each)[: len(each)] for each in rows
    ]
    given = [
        DecoderInput(at, 0, 4, 4, DecoderState(BLANK, 0, 0, object(), states[at]), each)
        for at, each in enumerate(rows)
    ]
    arena = spoilt(BiasArena(ArenaRoom(states=1000, arcs=9000, widest=40), BLANK, cpu))
    facts = torch.zeros((ROWS + 2, 4), dtype=torch.int64)
    placed = PlacedBiases(arena, facts[:, 1:])
    facts[:ROWS] = torch.tensor([placed.facts_of(each) for each in given])
    plain = RowBiases(given, BLANK, BiasStore(cpu))
    here = facts[:, :1].clone()
    there = torch.tensor([plain.facts_of(each) for each in given], dtype=torch.int64)
    for scale in (3.0, 3.0, 0.0, 30.0):  # with ties
        logits = torch.from_numpy(random.normal(0, 1, (ROWS + 2, WIDTH)).astype(np.float32))
        logits = (logits * scale).round() if scale == 30 else logits * scale
        before, prefers = logits.clone(), logits.argmax(dim=1)
        token, boosted, here = placed.named(logits, prefers, here)
        wanted, marked, there = plain.named(logits[:ROWS], prefers[:ROWS], there)
        assert token[:ROWS].tolist() == wanted.tolist()
        assert boosted[:ROWS].tolist() == marked.tolist()
        for at, each in enumerate(rows):
            if each:
                assert here[at].tolist() == there[at, len(each) - 1 :][:1].tolist()
            else:
                assert here[at].tolist() == [0]
        # Padding: no bias, whatever its numbers are.
        assert token[ROWS:].tolist() == logits[ROWS:, :BLANK].argmax(dim=1).tolist()
        assert not boosted[ROWS:].any()
        assert not here[ROWS:].any()
        assert torch.equal(logits, before)


def test_padding_may_be_anything(cpu):
    """Rows that are none have numbers from calls before, NaN among them; others do not see it."""
    arena = spoilt(BiasArena(ArenaRoom(states=9, arcs=9, widest=8), BLANK, cpu))
    bias = PhraseBias.of(tree_of([([1, 2], 50.0)]), WIDTH)
    row = DecoderInput(0, 0, 4, 4, DecoderState(BLANK, 0, 0, object()), (bias,))
    facts = torch.zeros((2, 4), dtype=torch.int64)
    placed = PlacedBiases(arena, facts[:, 1:])
    facts[0] = torch.tensor(placed.facts_of(row))
    logits = torch.zeros((2, WIDTH))
    logits[1] = float("nan")
    token, boosted, states = placed.named(logits, torch.zeros(2).long(), facts[:, :1])
    assert (token[0], boosted[0], states[0, 0]) == (1, True, 1)
    token, boosted, states = placed.named(logits, token, states)
    assert (token[0], boosted[0], states[0, 0]) == (2, True, 2)


def test_rows_begin_where_they_were(cpu):
    arena = BiasArena(ArenaRoom(states=30, arcs=30), BLANK, cpu)
    placed = PlacedBiases(arena, torch.zeros((1, 3), dtype=torch.int64))
    mask, bias = ScriptMask(np.array([0])), PhraseBias.of(tree_of([([1, 2, 3], 1.0)]), WIDTH)

    def facts(biases, *states):
        state = DecoderState(BLANK, 0, 0, object(), states)
        return placed.facts_of(DecoderInput(0, 0, 1, 1, state, biases))

    assert facts(()) == (0, 0, 0, 0)
    assert facts((), 2) == (0, 0, 0, 0)
    assert facts((bias,)) == (0, 1, 1, 0)
    assert facts((bias,), 2) == (2, 1, 1, 0)
    assert facts((mask, bias), 0, 3) == (3, 1, 1, 1)
    assert facts((mask, bias)) == (0, 1, 1, 1)
    assert facts((mask,), 0) == (0, 0, 0, 1)


def test_a_row_without_a_place_is_a_mistake(cpu):
    arena = BiasArena(ArenaRoom(lists=0), BLANK, cpu)
    placed = PlacedBiases(arena, torch.zeros((1, 3), dtype=torch.int64))
    bias = PhraseBias.of(tree_of([([1], 1.0)]), WIDTH)
    state = DecoderState(BLANK, 0, 0, object())
    with pytest.raises(AssertionError, match="no place"):
        placed.facts_of(DecoderInput(0, 0, 1, 1, state, (bias,)))
