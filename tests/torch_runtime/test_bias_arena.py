"""Where tables of biases lie: who has places, when they are free again, and who gets none."""

import gc
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.boosting.phrase_bias import PhraseBias
from parakeet_streaming.boosting.token_tree import TokenTree, tree_of
from parakeet_streaming.languages.script_mask import ScriptMask
from parakeet_streaming.torch_runtime import bias_arena
from parakeet_streaming.torch_runtime.bias_arena import NO_TABLES, ArenaRoom, BiasArena, TablePlace

WIDTH = 9
ROOM = ArenaRoom(lists=3, masks=2, states=12, arcs=20, widest=3)


@pytest.fixture
def arena(cpu):
    return BiasArena(ROOM, WIDTH - 1, cpu)


def a_list(*phrases, width=WIDTH, window=None):
    return PhraseBias.of(tree_of([(each, 2.0) for each in phrases or [[1, 2, 3]]]), width, window)


def a_mask(*tokens):
    return ScriptMask(np.array(tokens, np.int64))


def test_each_has_places_of_its_own(arena):
    one, other, mask = a_list(), a_list([4, 5]), a_mask(0)
    assert arena.place_of(()) == NO_TABLES == TablePlace(0, 0, 0)
    assert arena.place_of((one,)) == TablePlace(1, 1, 0)
    assert arena.place_of((mask, other)) == TablePlace(2, 5, 1)
    assert arena.place_of((mask, one)) == TablePlace(1, 1, 1)
    assert arena.place_of((mask,)) == TablePlace(0, 0, 1)
    assert len(arena) == 3
    assert arena.counts[:8].tolist() == [0, 0, 1, 1, 0, 0, 1, 0]
    assert arena.tokens[:3].tolist() == [2, 3, 5]
    assert arena.first[[2, 3, 6]].tolist() == [0, 1, 2]
    assert arena.targets[:3].tolist() == [2, 3, 2]
    assert arena.root_targets[:3, [1, 4]].tolist() == [[0, 0], [1, 0], [0, 1]]
    assert arena.at_root[1].tolist() == [0, 2, *(0,) * 8]
    assert arena.ruled_out[:2].tolist() == [
        [False] * 8 + [True],
        [True] + [False] * 7 + [True],
    ]
    assert arena.windows.tolist() == [torch.inf] * 4


def test_places_are_free_again(arena):
    before = {
        each: values.data_ptr()
        for each, values in vars(arena).items()
        if hasattr(values, "data_ptr")
    }
    for at in range(20):
        lists = [a_list([1, at % 5, 3, 2], window=1.0 + at), a_list([at % 7, 5])]
        masks = [a_mask(at % 5), a_mask()]
        places = {arena.place_of((mask, each)) for mask, each in zip(masks, lists, strict=True)}
        assert None not in places
        assert len(arena) == 4
        assert arena.windows[arena.place_of((lists[0],)).row] == 1.0 + at
        del lists, masks
        gc.collect()
        assert len(arena) == 0
    assert {each: getattr(arena, each).data_ptr() for each in before} == before


def test_places_0_are_never_written(arena):
    held = [a_list([1, 2], window=3.0), a_list([3, 4]), a_list([5, 6]), a_mask(1), a_mask(2)]
    assert all(arena.place_of((each,)) for each in held)
    assert not arena.at_root[0].any()
    assert not arena.root_targets[0].any()
    assert (arena.refunds[0], arena.counts[0], arena.windows[0]) == (0, 0, torch.inf)
    assert arena.ruled_out[0].nonzero().tolist() == [[WIDTH - 1]]


@pytest.mark.parametrize(
    "room", [{"lists": 1}, {"states": 7}, {"arcs": 3}], ids=lambda room: next(iter(room))
)
def test_where_all_is_held_there_is_room_later(cpu, room):
    arena = BiasArena(replace(ROOM, **room), WIDTH - 1, cpu)
    first, second = a_list([1, 2, 3]), a_list([4, 5, 6])
    assert arena.place_of((first,))
    assert arena.place_of((second,)) is None
    assert arena.place_of((first,))
    assert len(arena) == 1
    del first
    gc.collect()
    assert arena.place_of((second,))
    assert len(arena) == 1


def test_masks_are_many_or_few(arena):
    held = [a_mask(each) for each in range(3)]
    assert [arena.place_of((each,)) is not None for each in held] == [True, True, False]
    held.pop(0)
    gc.collect()
    assert arena.place_of((held[-1],)) == TablePlace(0, 0, 1)


@pytest.mark.parametrize(
    ("told", "room"),
    [
        ([[each, each + 1] for each in range(7)], {"states": 14}),
        ([[1, 2], [1, 3], [1, 4], [1, 5]], {"widest": 3}),
        # With the arcs of the states that states fail to.
        ([[0, 1] * 3 + [0]], {"arcs": 14}),
        ([[0, 1] * 3 + [0]], {"of_one": 14}),
    ],
)
def test_what_never_fits_is_looked_at_once(cpu, monkeypatch, told, room):
    bias, sized, real = a_list(*told), [], bias_arena.size_of

    def noted(tables):
        sized.append(1)
        return real(tables)

    monkeypatch.setattr(bias_arena, "size_of", noted)
    enough = {name: most + 1 for name, most in room.items()}
    large = ArenaRoom(states=100, arcs=100)
    small, other = (BiasArena(replace(large, **each), WIDTH - 1, cpu) for each in (room, enough))
    assert other.place_of((bias,)) == TablePlace(1, 1, 0)
    sized.clear()
    for _ in range(3):
        assert small.place_of((bias,)) is None
    assert len(sized) <= 1
    assert len(small) == 0


class Unmarked:
    """A list whose choices are not reported."""

    states, marks = 4, False
    tables = a_list().tables


def test_what_the_engine_does_not_give_has_no_place(arena):
    mask, one, other = a_mask(0), a_list(), a_list([4])
    for given in ((one, other), (one, mask), (mask, mask), (mask, one, other), (Unmarked(),)):
        assert arena.place_of(given) is None
    for other_vocabulary in (
        a_list(width=WIDTH - 1),
        a_list([WIDTH], width=WIDTH + 2),
        a_mask(WIDTH),
    ):
        assert arena.place_of((other_vocabulary,)) is None
    # A longer vocabulary alone is no harm.
    assert arena.place_of((a_list([3], width=WIDTH + 2),))
    assert arena.place_of((mask, one))


def test_a_list_without_phrases(arena):
    empty = PhraseBias.of(TokenTree(), WIDTH)
    assert arena.place_of((a_mask(1), empty)) == TablePlace(1, 1, 1)


def test_a_transfer_that_fails_leaves_all_as_it_was(arena, monkeypatch):
    bias = a_list()

    def fail(*_):
        raise RuntimeError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(bias_arena, "upload", fail)
        for each in (bias, a_mask(0)):
            with pytest.raises(RuntimeError, match="out of memory"):
                arena.place_of((each,))
    gc.collect()
    assert len(arena) == 0
    assert arena.place_of((bias,)) == TablePlace(1, 1, 0)


def test_memory(arena):
    lists, states, arcs, masks = 4, 13, 23, 3
    assert arena.nbytes == (
        lists * (8 * WIDTH + 4) + 4 * lists + 20 * states + 12 * arcs + masks * WIDTH
    )
