"""One stream on its way through its frames: blanks, tokens, and the state at the chunk's end."""

import numpy as np

from parakeet_streaming.model.decoder_row import Choice, DecoderRow, PredictorMemory
from parakeet_streaming.ports import DecoderInput, DecoderState

NOTHING = np.zeros((1, 1), np.float32)
MEMORY = PredictorMemory(NOTHING, NOTHING[None], NOTHING[None])


def row_of(skip=0, biases=(), states=()):
    state = DecoderState(9, skip, 100, MEMORY, states)
    frames = np.arange(10, dtype=np.float32)[:, None]
    return DecoderRow(frames, DecoderInput(0, 2, 6, 9, state, biases), max_symbols=2)


def test_frames_begin_at_the_chunk_after_what_was_skipped():
    row = row_of(skip=1)
    assert row.next_frames(3)[:, 0].tolist() == [3, 4, 5]
    assert (row.frame, row.length, row.live) == (1, 7, True)


def test_blanks_skip_and_a_token_stops():
    row = row_of()
    offset = row.pass_blanks(np.array([9, 9, 5]), np.array([2, 0, 1]), blank_id=9)
    assert (offset, row.frame) == (2, 2)


def test_tokens_after_the_border_are_look_ahead_and_leave_its_state():
    row = row_of(biases=("a bias",), states=(3,))
    row.emit(4, 5, 0.5, Choice(4, True, (7,)))
    row.keep_state_at_border()
    row.emit(5, 2, 0.5, Choice(5, False, (8,)))
    result = row.result()
    assert [(each.token_id, each.frame, each.boosted) for each in result.emissions] == [
        (4, 100, True)
    ]
    assert [(each.token_id, each.frame) for each in result.lookahead] == [(5, 105)]
    assert (result.state.last_token, result.state.frames_to_skip) == (4, 1)
    assert (result.state.bias_states, result.ahead.bias_states) == ((7,), (8,))


def test_a_row_of_biases_without_states_begins_with_them():
    assert row_of(biases=("a", "b")).bias_states == (0, 0)


def test_after_so_many_tokens_the_frame_is_left():
    row = row_of()
    row.emit(1, 0, 0.5)
    assert row.frame == 0
    row.emit(1, 0, 0.5)
    assert row.frame == 1
