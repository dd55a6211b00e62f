"""The tensors of a loop: where they lie, and what is kept in them."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_runtime.loop_state import (
    LoopRoom,
    LoopState,
    Memory,
    Rows,
    _tensors,
)

ROOM = LoopRoom(rows=3, frames=12, emissions=5, turns=2, width=2, biases=1)


@pytest.fixture
def state(small_model, cpu):
    return LoopState(small_model.config, ROOM, cpu)


def test_rooms(state):
    assert state.frames.shape == (12, 24)
    assert state.facts.shape == (3, 6)
    assert state.emitted.shape == (3, 6, 5)
    assert state.heads.shape == (3, 8)
    assert state.rows.memory.hidden.shape == (1, 3, 16)
    assert state.rows.border.biases.shape == (3, 1)


def test_places_of_tables_are_facts(small_model, cpu, state):
    room = replace(ROOM, places=3)
    with_places = LoopState(small_model.config, room, cpu, state.frames)
    assert with_places.facts.shape == (3, 9)
    assert with_places.heads.shape == (3, 8)
    assert with_places.frames is state.frames


def test_all_tensors_are_their_own(state):
    """What the loop remembers shares no memory with where it begins."""
    places = [each.data_ptr() for each in (*_tensors(state.rows), state.hidden, state.cell)]
    assert len(set(places)) == len(places) == 18


def test_keep_copies_values_and_nothing_moves(state):
    kept = list(_tensors(state.rows))
    places = [each.data_ptr() for each in kept]

    def ones(memory):
        return Memory(*(torch.ones_like(each) for each in _tensors(memory)))

    rows = state.rows
    state.rows.keep(
        Rows(
            *(torch.ones_like(each) for each in list(_tensors(rows))[:8]),
            memory=ones(rows.memory),
            border=ones(rows.border),
        )
    )
    assert all((each == 1).all() for each in kept)
    assert [each.data_ptr() for each in _tensors(state.rows)] == places


def test_taking_rows_of_another(state):
    one = state.rows.memory
    other = Memory(*(torch.ones_like(each) for each in _tensors(one)))
    taken = one.taking(torch.tensor([True, False, True]), other)
    assert taken.token.tolist() == [1, 0, 1]
    assert taken.hidden[0, :, 0].tolist() == [1, 0, 1]
    assert taken.cell[0, :, 3].tolist() == [1, 0, 1]
    assert taken.biases[:, 0].tolist() == [1, 0, 1]
