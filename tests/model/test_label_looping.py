"""Label-looping against a loop that looks at one frame per call, and each of its rules alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.limits import DEFAULT_SYMBOLS, MOST_SYMBOLS
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.testing import Cue, ScriptedDecoderJoint
from tests.model.decoding import decode, initial_state
from tests.model.hashed import SIZE, HashedJoint

DURATIONS = [(0, 1, 2, 3, 4), (4, 0, 2), (1,), (0,), (0, 1, 7), (2, 3), ()]


def loudest(logits):
    return float(logits.max())


def naive(joint, frames, chunks, max_symbols):
    """One stream, one frame per look, in plain numbers: emissions, then skip and state."""
    emitted, skip, decoded = [], 0, 0
    state, memory, last_token = 1, 0, joint.blank_id
    for length in chunks:
        t, last_frame, on_frame = skip, -1, 0
        while t < length:
            frame = frames[decoded + t]
            logits = joint.tokens[state][frame].tolist()
            token = logits.index(max(logits))
            if joint.durations:
                scores = joint.skips[state][frame].tolist()
                duration = joint.durations[scores.index(max(scores))]
            else:
                duration = 0
            if token == joint.blank_id:
                t += 1 if duration == 0 else duration
                continue
            emitted.append((token, decoded + t, duration, max(logits)))
            state, memory = joint.next_state(state, memory, token)
            last_token = token
            on_frame = on_frame + 1 if t == last_frame else 1
            last_frame = t
            t += duration
            if duration == 0 and max_symbols is not None and on_frame >= max_symbols:
                t += 1
        skip, decoded = t - length, decoded + length
    return emitted, (skip, decoded, last_token, state, memory)


def plain(emissions):
    return [
        (each.token_id, each.frame, each.duration_frames, each.confidence) for each in emissions
    ]


def decode_chunks(joint, rows, max_symbols):
    """Streams of frames cut into chunks, all of them one chunk a call while they last."""
    states = [initial_state(joint) for _ in rows]
    emitted = [[] for _ in rows]
    for step in range(max(len(chunks) for _, chunks in rows)):
        live = [row for row, (_, chunks) in enumerate(rows) if step < len(chunks)]
        lengths = [rows[row][1][step] for row in live]
        block = np.full((len(live), max(lengths), 1), SIZE - 1, dtype=np.float32)
        for place, row in enumerate(live):
            frames, chunks = rows[row]
            first = sum(chunks[:step])
            block[place, : lengths[place], 0] = frames[first : first + lengths[place]]
        results = decode(
            block,
            lengths,
            [states[row] for row in live],
            joint,
            max_symbols=max_symbols,
            confidence=loudest,
        )
        for row, result in zip(live, results, strict=True):
            states[row] = result.state
            emitted[row] += result.emissions
    return emitted, states


@settings(max_examples=400)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6), min_size=1, max_size=4),
    durations=st.sampled_from(DURATIONS),
    frames_per_call=st.integers(1, 9),
    max_symbols=st.sampled_from([1, 2, 3, 10]),
    blanks=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_any_batch_in_any_chunks_equals_the_naive_loop(
    seed, rows, durations, frames_per_call, max_symbols, blanks
):
    joint = HashedJoint(seed, durations=durations, frames_per_call=frames_per_call, blanks=blanks)
    generator = np.random.default_rng(seed)
    streams = [(generator.integers(0, SIZE, sum(chunks)).tolist(), chunks) for chunks in rows]

    emitted, states = decode_chunks(joint, streams, max_symbols)

    for row, (frames, chunks) in enumerate(streams):
        expected, state = naive(joint, frames, chunks, max_symbols)
        assert plain(emitted[row]) == expected
        after = states[row]
        assert state == (
            after.frames_to_skip,
            after.decoded_frames,
            after.last_token,
            int(after.memory.output[0, 0]),
            int(after.memory.cell[0, 0, 0]),
        )
        assert np.array_equal(after.memory.hidden[0], after.memory.output)
    assert joint.widest <= frames_per_call


@given(seed=st.integers(0, 2**32 - 1), frames_per_call=st.integers(1, 9))
def test_no_bound_on_symbols_is_the_naive_loop_without_one(seed, frames_per_call):
    # Durations above zero only: without a bound, zeros may circle for ever.
    joint = HashedJoint(seed, durations=(1, 2, 3), frames_per_call=frames_per_call)
    frames = np.random.default_rng(seed).integers(0, SIZE, 30).tolist()
    emitted, _ = decode_chunks(joint, [(frames, [10, 20])], None)
    assert plain(emitted[0]) == naive(joint, frames, [10, 20], None)[0]


def scripted(cues, chunks, *, max_symbols=10, **choices):
    """What a script gives in chunks: (token, frame, duration) of each chunk, and the last state."""
    joint = ScriptedDecoderJoint(cues, vocabulary_size=4, **choices)
    state, first, heard = initial_state(joint), 0, []
    for length in chunks:
        frames = np.arange(first, first + length, dtype=np.float32).reshape(1, length, 1)
        (result,) = decode(
            frames, [length], [state], joint, max_symbols=max_symbols, confidence=loudest
        )
        heard.append([each[:3] for each in plain(result.emissions)])
        state, first = result.state, first + length
    return heard, state


@pytest.mark.parametrize("frames_per_call", [1, 2, 3, 8])
def test_a_token_on_either_side_of_a_border(frames_per_call):
    cues = [Cue(3, 0), Cue(4, 1)]
    heard, _ = scripted(cues, [4, 4], frames_per_call=frames_per_call)
    assert heard == [[(0, 3, 1)], [(1, 4, 1)]]


@pytest.mark.parametrize("frames_per_call", [1, 2, 3, 8])
def test_a_duration_over_a_border_is_carried(frames_per_call):
    # Frames 4, 5 and 6 are skipped; a decoder that forgets the skip would never see 7 in order.
    cues = [Cue(3, 0, duration=4), Cue(7, 1)]
    heard, state = scripted(cues, [4, 4], frames_per_call=frames_per_call)
    assert heard == [[(0, 3, 4)], [(1, 7, 1)]]
    assert (state.frames_to_skip, state.decoded_frames) == (0, 8)


def test_a_cue_inside_a_carried_duration_is_never_looked_at():
    heard, _ = scripted([Cue(3, 0, duration=4), Cue(5, 1)], [4, 4, 4])
    assert heard == [[(0, 3, 4)], [], []]


def test_a_duration_covers_several_chunks_of_one_frame():
    heard, state = scripted([Cue(0, 0, duration=4), Cue(4, 1, duration=3)], [1] * 6)
    assert heard == [[(0, 0, 4)], [], [], [], [(1, 4, 3)], []]
    assert (state.frames_to_skip, state.decoded_frames) == (1, 6)


def test_a_chunk_without_a_token_leaves_the_predictor_alone():
    heard, before = scripted([Cue(1, 2)], [4])
    again, after = scripted([Cue(1, 2)], [4, 4, 4])
    assert again == [*heard, [], []]
    assert (after.last_token, after.memory) == (2, before.memory)


def test_a_chunk_of_no_frames_changes_nothing_but_hands_the_skip_on():
    heard, state = scripted([Cue(1, 0, duration=3)], [2, 0, 0])
    assert heard == [[(0, 1, 3)], [], []]
    assert (state.frames_to_skip, state.decoded_frames) == (2, 2)


@pytest.mark.parametrize("frames_per_call", [1, 3, 8])
def test_a_blank_skips_its_duration_and_at_least_one_frame(frames_per_call):
    blanks = {0: 0, 1: 4, 5: 2, 7: 4}
    # Frames 0, 1, 5, 7 and 11 are looked at; cues elsewhere would not be found.
    heard, _ = scripted(
        [Cue(11, 1)], [3, 5, 6], blank_durations=blanks, frames_per_call=frames_per_call
    )
    assert heard == [[], [], [(1, 11, 1)]]
    for passed_over in (2, 3, 4, 6, 8, 9, 10):
        heard, _ = scripted(
            [Cue(passed_over, 1)],
            [3, 5, 6],
            blank_durations=blanks,
            frames_per_call=frames_per_call,
        )
        assert heard == [[], [], []]


def test_a_blank_over_a_border_is_carried():
    heard, state = scripted([Cue(5, 0)], [4, 4], blank_durations={3: 2})
    assert heard == [[], [(0, 5, 1)]]
    heard, state = scripted([], [4], blank_durations={3: 4})
    assert (heard, state.frames_to_skip) == ([[]], 3)


@pytest.mark.parametrize("durations", [(0, 1, 2, 3, 4), ()])
@pytest.mark.parametrize("most", [1, 2, 10])
def test_after_so_many_tokens_a_frame_is_left(durations, most):
    cues = [Cue(2, 1, duration=0)] * most + [Cue(3, 2, duration=0)]
    heard, _ = scripted(cues, [3, 2], max_symbols=most, durations=durations)
    assert heard == [[(1, 2, 0)] * most, [(2, 3, 0)]]
    # One more cue on that frame is never reached, and neither is what the script has behind it.
    heard, _ = scripted([cues[0], *cues], [3, 2], max_symbols=most, durations=durations)
    assert heard == [[(1, 2, 0)] * most, []]


def test_the_count_starts_anew_on_every_frame():
    cues = [*[Cue(2, 1, duration=0)] * 9, Cue(2, 1, duration=1), *[Cue(3, 0, duration=0)] * 10]
    heard, _ = scripted(cues, [6])
    assert len(heard[0]) == 20


def test_the_forced_step_does_not_add_to_a_duration():
    # The tenth token leaves the frame by itself: only a token that stays is pushed on.
    cues = [*[Cue(2, 1, duration=0)] * 9, Cue(2, 1, duration=1), Cue(3, 2)]
    heard, _ = scripted(cues, [6])
    assert heard[0][-1] == (2, 3, 1)


def test_a_transducer_without_durations_stays_until_a_blank():
    cues = [Cue(1, 0), Cue(1, 1), Cue(2, 2)]
    heard, state = scripted(cues, [2, 2], durations=())
    assert heard == [[(0, 1, 0), (1, 1, 0)], [(2, 2, 0)]]
    assert state.frames_to_skip == 0


def test_ties_go_to_the_lowest_index():
    joint = HashedJoint(durations=(2, 1))
    joint.tokens[:] = 1.0
    joint.skips[:] = 1.0
    frames = np.zeros((1, 3, 1), dtype=np.float32)
    (result,) = decode(
        frames, [3], [initial_state(joint)], joint, max_symbols=10, confidence=loudest
    )
    assert plain(result.emissions) == [(0, 0, 2, 1.0), (0, 2, 2, 1.0)]


def test_the_state_that_was_given_is_left_as_it_was():
    joint = HashedJoint(blanks=0.0)
    state = initial_state(joint)
    memory = state.memory
    before = (memory.hidden.copy(), memory.cell.copy(), memory.output.copy())
    frames = np.zeros((1, 5, 1), dtype=np.float32)
    first, second = (
        decode(frames, [5], [state], joint, max_symbols=10, confidence=loudest) for _ in range(2)
    )
    assert first[0].emissions == second[0].emissions
    assert len(first[0].emissions) > 1
    for was, is_now in zip(before, (memory.hidden, memory.cell, memory.output), strict=True):
        assert np.array_equal(was, is_now)


def test_tokens_pay_for_calls_frames_do_not():
    joint = ScriptedDecoderJoint([Cue(20, 0)], vocabulary_size=1, frames_per_call=8)
    calls = []
    score = joint.score
    joint.score = lambda frames, output: (calls.append(frames.shape[1]), score(frames, output))[1]
    frames = np.arange(40, dtype=np.float32).reshape(1, 40, 1)
    decode(frames, [40], [initial_state(joint)], joint, max_symbols=10, confidence=loudest)
    assert calls == [8, 8, 8, 8, 8, 3]


@pytest.mark.parametrize(("rows", "width"), [(1, 4), (2, 4), (3, 3), (8, 2), (9, 1), (32, 1)])
def test_the_more_rows_the_less_they_look_ahead(rows, width):
    joint = HashedJoint(frames_per_call=4)
    scored = []
    score = joint.score

    def listening(frames, output):
        scored.append(frames.shape[:2])
        return score(frames, output)

    joint.score = listening
    frames = np.zeros((rows, 20, 1), dtype=np.float32)
    states = [initial_state(joint) for _ in range(rows)]
    decode(frames, [20] * rows, states, joint, max_symbols=10, confidence=loudest)
    assert scored[0] == (rows, width)


def test_an_empty_batch_is_no_call():
    joint = HashedJoint()
    frames = np.zeros((0, 4, 1), dtype=np.float32)
    assert decode(frames, [], [], joint, max_symbols=10, confidence=loudest) == []


@settings(max_examples=400)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.lists(st.tuples(*[st.integers(0, 9)] * 4), min_size=1, max_size=4),
    durations=st.sampled_from(DURATIONS),
    frames_per_call=st.integers(1, 9),
    max_symbols=st.sampled_from([1, 2, 10]),
    blanks=st.sampled_from([0.0, 0.3, 0.8]),
)
def test_look_ahead_is_decoding_from_a_copy_of_the_state(
    seed, rows, durations, frames_per_call, max_symbols, blanks
):
    joint = HashedJoint(seed, durations=durations, frames_per_call=frames_per_call, blanks=blanks)
    decoder = LabelLoopingDecoder(joint, max_symbols=max_symbols, confidence=loudest)
    generator = np.random.default_rng(seed)
    frames, inputs = [], []
    for row, (before, chunk, ahead, after) in enumerate(rows):
        count = before + chunk + ahead + after
        frames.append(generator.integers(0, SIZE, (count, 1)).astype(np.float32))
        state = decoder.start()
        inputs.append(DecoderInput(row, before, before + chunk, before + chunk + ahead, state))

    together = decoder.decode(frames, inputs)

    for each, decoded in zip(inputs, together, strict=True):
        end = each.chunk_end
        (chunk,) = decoder.decode(
            frames, [DecoderInput(each.row, each.chunk_start, end, end, each.state)]
        )
        (ahead,) = decoder.decode(
            frames,
            [DecoderInput(each.row, end, each.lookahead_end, each.lookahead_end, chunk.state)],
        )
        assert decoded.emissions == chunk.emissions
        assert decoded.lookahead == ahead.emissions
        assert decoded.state == chunk.state
        assert decoded.ahead == ahead.state


def test_a_memory_comes_back_from_its_arrays():
    decoder = LabelLoopingDecoder(HashedJoint(1, blanks=0.0), confidence=loudest)
    frames = [np.arange(6, dtype=np.float32)[:, None] % SIZE]
    (first,) = decoder.decode(frames, [DecoderInput(0, 0, 3, 3, decoder.start())])
    memory = decoder.memory_from_arrays(decoder.memory_to_arrays(first.state.memory))
    copied = replace(first.state, memory=memory)
    one, other = (
        decoder.decode(frames, [DecoderInput(0, 3, 6, 6, state)]) for state in (first.state, copied)
    )
    assert one == other
    assert one[0].emissions


@pytest.mark.parametrize(
    "change", [{"hidden": np.zeros((2, 1, 1), "f4")}, {"other": np.zeros((1, 1), "f4")}]
)
def test_arrays_of_another_decoder_are_refused(change):
    decoder = LabelLoopingDecoder(HashedJoint())
    arrays = decoder.memory_to_arrays(decoder.start().memory) | change
    with pytest.raises(SnapshotError, match="this model's is"):
        decoder.memory_from_arrays(arrays)


class Stuck(HashedJoint):
    """A decoder that gives one token for ever, and never leaves a frame."""

    def score(self, frames, output):
        logits, skips = super().score(frames, output)
        logits[..., 3] = 1_000.0
        if skips is not None:
            skips[..., self.durations.index(0)] = 1_000.0
        return logits, skips


@pytest.mark.parametrize("durations", [(0, 1, 2, 3, 4), (4, 0, 2), (0,), ()])
@pytest.mark.parametrize("max_symbols", [1, 7, MOST_SYMBOLS])
def test_a_decoder_that_stays_on_a_frame_leaves_it_at_the_bound(durations, max_symbols):
    joint = Stuck(0, durations=durations)
    frames = np.arange(6, dtype=np.float32)[:, None]
    given = DecoderInput(0, 3, 6, 6, initial_state(joint))
    (bounded,) = LabelLoopingDecoder(joint, max_symbols=max_symbols).decode([frames], [given])
    assert [each.frame for each in bounded.emissions] == sorted([0, 1, 2] * max_symbols)
    (usual,) = LabelLoopingDecoder(joint).decode([frames], [given])
    assert len(usual.emissions) == 3 * DEFAULT_SYMBOLS
