"""What a cached encoder keeps: it grows by blocks, is cut to its length, and is never changed."""

import numpy as np
import pytest

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.encoder_past import EncoderPast, lay_blocks, with_block

LAYERS, WIDTH, REACH, MELS = 2, 3, 4, 5
EMPTY = EncoderPast(
    np.zeros((MELS, 0), np.float32), 0, (), (), np.zeros((LAYERS, REACH, WIDTH), np.float32)
)


def block(first, count):
    """Frames (L, n, D) of which each is marked with its number."""
    numbers = np.arange(first, first + count, dtype=np.float32)
    return np.broadcast_to(numbers[None, :, None], (LAYERS, count, WIDTH)).copy()


def numbers_of(blocks):
    return [int(each) for part in blocks for each in part[0, :, 0]]


def past_of(*counts):
    firsts = np.cumsum([0, *counts])
    keys = tuple(block(first, count) for first, count in zip(firsts, counts, strict=False))
    return EncoderPast(
        np.arange(MELS * 7, dtype=np.float32).reshape(MELS, 7),
        3,
        keys,
        tuple(100 + each for each in keys),
        np.full((LAYERS, REACH, WIDTH), 9, np.float32),
    )


@pytest.mark.parametrize("count", [1, 4, 5, 7, 12, 100])
def test_the_last_frames_are_kept_whatever_came_in_which_steps(count):
    blocks = ()
    for step in range(60):
        blocks = with_block(blocks, block(5 * step, 5), count)
        end = 5 * (step + 1)
        assert numbers_of(blocks) == list(range(max(0, end - count), end))
        assert all(each.shape[::2] == (LAYERS, WIDTH) for each in blocks)


def test_what_is_known_is_not_copied_until_many_blocks_have_gathered():
    blocks = ()
    for step in range(32):
        before, blocks = blocks, with_block(blocks, block(step, 1), 1_000)
        assert len(blocks) == step + 1
        assert all(np.shares_memory(a, b) for a, b in zip(before, blocks, strict=False))
    assert len(with_block(blocks, block(32, 1), 1_000)) == 1


def test_a_new_block_is_a_copy_and_an_old_one_stays():
    new = block(4, 2)
    old = (block(0, 4),)
    blocks = with_block(old, new, 5)
    new[:] = -1
    assert numbers_of(blocks) == [1, 2, 3, 4, 5]
    assert numbers_of(old) == [0, 1, 2, 3]


def test_blocks_are_laid_at_the_right_edge():
    slots = np.full((LAYERS, 7, WIDTH), -1, np.float32)
    lay_blocks((block(0, 2), block(2, 3)), slots)
    assert numbers_of([slots]) == [-1, -1, 0, 1, 2, 3, 4]
    lay_blocks((), slots)
    assert numbers_of([slots]) == [-1, -1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("counts", [(), (4,), (2, 3, 1)])
def test_a_past_comes_back_from_its_arrays(counts):
    past = past_of(*counts)
    frames = sum(counts)
    again = EMPTY.from_arrays(past.to_arrays(), frames)
    assert (again.frames, again.ahead) == (past.frames, past.ahead) == (frames, 3)
    assert numbers_of(again.keys) == list(range(frames))
    assert numbers_of(again.values) == list(range(100, 100 + frames))
    assert np.array_equal(again.log_mel, past.log_mel)
    assert np.array_equal(again.convolved, past.convolved)


def test_a_past_longer_than_its_stream_keeps_is_refused():
    arrays = past_of(4, 2).to_arrays()
    assert EMPTY.from_arrays(arrays, 6).frames == 6
    with pytest.raises(SnapshotError, match="past of 6 frames, not of 5 at most"):
        EMPTY.from_arrays(arrays, 5)


@pytest.mark.parametrize("name", ["log_mel", "ahead", "keys", "values", "convolved"])
def test_arrays_of_another_encoder_are_refused(name):
    arrays = past_of(4).to_arrays()
    flat = np.zeros(2, np.float32)
    left_out = {other: each for other, each in arrays.items() if other != name}
    for forged in (arrays | {name: arrays[name][:-1]}, arrays | {name: flat}, left_out):
        with pytest.raises(SnapshotError, match="this model's is like"):
            EMPTY.from_arrays(forged, 100)
    with pytest.raises(SnapshotError, match="this model's is like"):
        EMPTY.from_arrays(arrays | {"more": arrays[name]}, 100)


@pytest.mark.parametrize(("ahead", "is_sound"), [(-2, False), (-1, True), (7, True), (8, False)])
def test_log_mels_ahead_are_among_those_that_are_there(ahead, is_sound):
    arrays = past_of(4).to_arrays() | {"ahead": np.array([ahead], np.float32)}
    if is_sound:
        assert EMPTY.from_arrays(arrays, 4).ahead == ahead
    else:
        with pytest.raises(SnapshotError, match=f"with {ahead} of 7 log-mels ahead"):
            EMPTY.from_arrays(arrays, 4)
