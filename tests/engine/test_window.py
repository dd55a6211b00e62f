"""Windows against the reference's buffer loop, written out once more, sample by sample."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.spans import Window
from parakeet_streaming.engine.window import ContextWindow, complete_at
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import context_of, sliced

contexts = st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(0, 3))


def context(frames):
    return ContextConfig(*context_of(*frames))


def reference(audio, left_most, chunk_most, right_most):
    """The buffer of NVIDIA NeMo's streaming script: window, left, chunk, right, start, is_last."""
    total = len(audio)
    position, end = 0, min(chunk_most + right_most, total)
    window = audio[:0]
    left = chunk = right = 0
    while position < total:
        is_last = end >= total
        window = np.concatenate([window, audio[position:end]])
        left, chunk, right = left + chunk, 0, right + (end - position)
        if is_last:
            chunk, right = right, 0
        else:
            chunk, right = chunk_most, right - chunk_most
        extra = max(left + chunk + right - (left_most + chunk_most + right_most), 0)
        left, window = left - extra, window[extra:]
        start = end - right - chunk
        yield window.tolist(), left, chunk, right, start, is_last
        position, end = end, min(end + chunk_most, total)


def windows_of(asked, pieces):
    """Every window that pieces of audio make, each taken as soon as it is ready."""
    buffer = ContextWindow(asked)
    windows = []

    def drain():
        while buffer.next_span() is not None:
            window = buffer.peek()
            windows.append(window)
            buffer.advance(window)
        assert buffer.peek() is None

    for piece in pieces:
        buffer.feed(piece)
        drain()
    buffer.end()
    drain()
    assert buffer.decoded_samples == buffer.fed_samples == sum(map(len, pieces))
    assert buffer.buffered_samples == 0
    return windows


def plain(windows):
    return [
        (
            each.samples.tolist(),
            each.left_samples,
            each.chunk_samples,
            each.right_samples,
            each.chunk_start,
            each.is_last,
        )
        for each in windows
    ]


def count_up(samples):
    return np.arange(1, samples + 1, dtype=np.float32)


def check(frames, audio, pieces):
    asked = context(frames)
    windows = windows_of(asked, pieces)
    limits = asked.samples.left, asked.samples.chunk, asked.samples.right
    assert plain(windows) == list(reference(audio, *limits))
    return windows


@settings(max_examples=300)
@given(
    frames=contexts,
    samples=st.integers(0, 20 * FRAME_SAMPLES),
    cuts=st.lists(st.integers(0, 20 * FRAME_SAMPLES), max_size=12),
)
def test_any_slices_give_the_reference_s_windows(frames, samples, cuts):
    audio = count_up(samples)
    check(frames, audio, sliced(audio, cuts))


@given(frames=contexts, steps=st.integers(0, 5), off_by=st.sampled_from([-1, 0, 1, 159, 160]))
def test_ends_on_and_beside_a_border_are_the_reference_s(frames, steps, off_by):
    _, chunk, right = frames
    audio = count_up((chunk + right + steps * chunk) * FRAME_SAMPLES + off_by)
    check(frames, audio, [audio])


@given(frames=contexts, samples=st.integers(1, 20 * FRAME_SAMPLES))
def test_every_sample_is_chunk_exactly_once(frames, samples):
    audio = count_up(samples)
    windows = windows_of(context(frames), [audio])
    chunks = [
        each.samples[each.left_samples : each.left_samples + each.chunk_samples] for each in windows
    ]
    assert np.array_equal(np.concatenate(chunks), audio)
    assert [each.is_last for each in windows] == [False] * (len(windows) - 1) + [True]


@pytest.mark.parametrize("frames", [(2, 1, 1), (0, 1, 0), (1, 1, 0), (0, 2, 3)])
def test_one_sample_at_a_time(frames):
    audio = count_up(6 * FRAME_SAMPLES + 1)
    check(frames, audio, np.split(audio, len(audio)))


@pytest.mark.parametrize("samples", range(30 * FRAME_SAMPLES, 36 * FRAME_SAMPLES, 900))
def test_a_long_stream_forgets_only_what_no_window_needs(samples):
    audio = count_up(samples)
    check((3, 3, 1), audio, sliced(audio, range(0, samples, 500)))


def test_a_window_waits_for_one_sample_beyond_its_right_context():
    buffer = ContextWindow(context((1, 2, 1)))
    buffer.feed(count_up(3 * FRAME_SAMPLES))
    assert buffer.next_span() is None
    buffer.feed(count_up(1))
    assert buffer.next_span() is not None
    assert buffer.buffered_samples == 3 * FRAME_SAMPLES + 1
    assert (buffer.peek().chunk_samples, buffer.peek().is_last) == (2 * FRAME_SAMPLES, False)


@pytest.mark.parametrize(
    ("extra_samples", "chunks"),
    [(-1, [3 * 1280 - 1]), (0, [3 * 1280]), (1, [2 * 1280, 1281])],
)
def test_a_stream_that_ends_with_the_first_window(extra_samples, chunks):
    windows = windows_of(context((1, 2, 1)), [count_up(3 * FRAME_SAMPLES + extra_samples)])
    assert [each.chunk_samples for each in windows] == chunks


def test_the_last_left_context_takes_what_the_right_gave_up_and_is_unaligned():
    (*_, last) = windows_of(context((4, 2, 1)), [count_up(12 * FRAME_SAMPLES + 100)])
    # 10 frames were chunk before; the last piece is 1 frame and 100 samples long.
    assert last.chunk_samples == 2 * FRAME_SAMPLES + 100
    assert last.left_samples == 5 * FRAME_SAMPLES - 100
    assert last.left_frames == 4
    assert last.chunk_frames(7) == 3


def test_nothing_fed_makes_no_window():
    assert windows_of(context((1, 1, 1)), []) == []
    assert windows_of(context((1, 1, 1)), [count_up(0)] * 3) == []


def test_looking_does_not_move_on():
    buffer = ContextWindow(context((1, 1, 1)))
    buffer.feed(count_up(4 * FRAME_SAMPLES))
    first, again = buffer.peek(), buffer.peek()
    assert plain([first]) == plain([again])
    assert buffer.decoded_samples == 0


def test_a_window_keeps_its_samples_when_more_are_fed():
    buffer = ContextWindow(context((1, 1, 1)))
    audio = count_up(40 * FRAME_SAMPLES)
    buffer.feed(audio[: 4 * FRAME_SAMPLES])
    window = buffer.peek()
    buffer.advance(window)
    before = window.samples.copy()
    for piece in np.split(audio[4 * FRAME_SAMPLES :], 36):
        buffer.feed(piece)
        while (following := buffer.peek()) is not None:
            buffer.advance(following)
    assert np.array_equal(window.samples, before)


def test_samples_are_copied_when_fed():
    buffer = ContextWindow(context((1, 1, 1)))
    audio = count_up(4 * FRAME_SAMPLES)
    buffer.feed(audio)
    audio[:] = 0
    assert buffer.peek().samples[0] == 1


@pytest.mark.parametrize(
    ("left_samples", "encoded_frames", "is_last", "frames"),
    [
        (2560, 8, False, 3),  # the chunk, however much was encoded
        (2560, 8, True, 6),  # all that was encoded behind the left context
        (2700, 8, True, 6),  # an unaligned left context is floored
        (0, 0, True, 0),
        (2560, 1, True, 0),  # never below none
    ],
)
def test_frames_of_a_chunk(left_samples, encoded_frames, is_last, frames):
    window = Window(left_samples, 3 * FRAME_SAMPLES, 0, 0, is_last, count_up(1))
    assert window.chunk_frames(encoded_frames) == frames


def test_where_the_next_window_lies_is_known_without_its_samples():
    buffer = ContextWindow(context((2, 2, 1)))
    assert buffer.next_span() is None
    buffer.feed(count_up(10 * FRAME_SAMPLES))
    for _ in range(3):
        span, window = buffer.next_span(), buffer.peek()
        assert span.chunk_end == span.chunk_start + span.chunk_samples
        assert span.lookahead_end == span.chunk_end + span.right_samples
        assert window.samples[-1] == span.lookahead_end
        assert window.samples[0] == span.chunk_start - span.left_samples + 1
        buffer.advance(window)


def test_samples_that_are_gone_or_to_come_are_refused():
    window = ContextWindow(ContextConfig(*context_of(0, 1, 0)))
    window.feed(np.arange(FRAME_SAMPLES, dtype=np.float32))
    np.testing.assert_array_equal(window.samples(2, 4), [2, 3])
    with pytest.raises(AudioInputError, match=f"only 0 to {FRAME_SAMPLES}"):
        window.samples(0, FRAME_SAMPLES + 1)


def walked(buffer):
    """All windows that are there now: where they begin and end, and whether they are the last."""
    spans = []
    while (window := buffer.peek()) is not None:
        spans.append((window.chunk_start, window.chunk_end, window.lookahead_end, window.is_last))
        buffer.advance(window)
    return spans


FRAME = FRAME_SAMPLES
SOUND = (np.arange(60 * FRAME) + 1).astype(np.float32)


@given(frames=contexts, at=st.integers(1, 20 * FRAME), more=st.integers(0, 20 * FRAME))
def test_a_cut_makes_the_windows_of_an_end_whatever_was_fed_after_it(frames, at, more):
    tail = np.zeros(3_000, np.float32)
    ended = ContextWindow(context(frames))
    ended.feed(SOUND[:at])
    ended.feed(tail)
    ended.end(len(tail))
    cut = ContextWindow(context(frames))
    cut.feed(SOUND[: at + more])
    cut.flush(at, tail=tail)
    while cut.flushing:
        wanted, window = ended.peek(), cut.peek()
        assert (window.chunk_start, window.chunk_end) == (wanted.chunk_start, wanted.chunk_end)
        np.testing.assert_array_equal(window.samples, wanted.samples)
        ended.advance(wanted)
        cut.advance(window)
    assert ended.peek() is None
    assert cut.decoded_samples == at
    # What follows begins there, and its windows have whole frames before the chunk.
    cut.feed(SOUND[at + more :])
    cut.end()
    while (window := cut.peek()) is not None:
        assert window.left_samples % FRAME == 0
        np.testing.assert_array_equal(
            window.samples, SOUND[window.chunk_start - window.left_samples : window.lookahead_end]
        )
        cut.advance(window)
    assert cut.decoded_samples == len(SOUND)


@given(frames=contexts, at=st.integers(1, 20 * FRAME), tail=st.integers(0, 10_000))
def test_a_tail_takes_no_window_of_its_own(frames, at, tail):
    bare, tailed = ContextWindow(context(frames)), ContextWindow(context(frames))
    for buffer, length in ((bare, 0), (tailed, tail)):
        buffer.feed(SOUND[:at])
        buffer.feed(np.zeros(length, np.float32))
        buffer.end(length)
    whole = sum(frames) * FRAME
    wanted = walked(bare)
    if all(end - start + tail <= whole for start, end, _, is_last in wanted if is_last):
        begins = [start for start, *_ in wanted]
        assert [start for start, *_ in walked(tailed)] == begins
    # A window is never longer than the context is.
    again = ContextWindow(context(frames))
    again.feed(SOUND[: at + tail])
    again.end(tail)
    while (window := again.peek()) is not None:
        assert len(window.samples) <= whole
        again.advance(window)
    assert again.decoded_samples == at + tail


@given(
    frames=contexts,
    to=st.integers(0, 20 * FRAME),
    seen=st.integers(1, 20 * FRAME),
    more=st.integers(0, 20 * FRAME),
)
def test_a_flush_depends_on_its_positions_alone(frames, to, seen, more):
    buffers = [ContextWindow(context(frames)) for _ in range(2)]
    for buffer, fed in zip(buffers, (seen, seen + more), strict=True):
        buffer.feed(SOUND[:fed])
        buffer.flush(to, seen)
    found = []
    for buffer in buffers:
        spans = []
        while buffer.flushing:
            span = buffer.peek()
            spans.append((span.chunk_end, span.lookahead_end, span.left_samples))
            buffer.advance(span)
        found.append(spans)
    assert found[0] == found[1]
    assert all(read <= seen for _, read, _ in found[0])


def test_a_flush_and_a_cut_wait_for_audio_that_was_left_out():
    for cut in (False, True):
        buffer = ContextWindow(context((2, 2, 1)))
        buffer.feed(SOUND[: 9 * FRAME])
        walked(buffer)
        if cut:
            buffer.flush(9 * FRAME, tail=np.zeros(9, np.float32))
        else:
            buffer.flush(9 * FRAME)
        again = ContextWindow.of(context((2, 2, 1)), buffer.state(audio=False))
        assert again.flushing
        assert again.next_span() is None
        again.feed(SOUND[again.kept_from : 9 * FRAME])
        assert walked(again) == walked(buffer) != []


def test_a_cut_before_what_was_decoded_asks_for_nothing():
    buffer = ContextWindow(context((2, 2, 1)))
    buffer.feed(SOUND[: 9 * FRAME])
    walked(buffer)
    buffer.flush(buffer.decoded_samples, tail=np.zeros(9, np.float32))
    assert not buffer.flushing


def test_another_context_cuts_the_windows_to_come():
    buffer = ContextWindow(context((1, 1, 1)))
    buffer.feed(SOUND[: 10 * FRAME])
    buffer.advance(buffer.peek())
    buffer.use(context((2, 3, 2)))
    in_frames = [
        (start // FRAME, end // FRAME, read // FRAME) for start, end, read, _ in walked(buffer)
    ]
    assert in_frames == [(1, 4, 6), (4, 7, 9)]


def test_a_cut_may_take_several_windows():
    buffer = ContextWindow(context((1, 1, 0)))
    buffer.feed(SOUND[: 9 * FRAME])
    buffer.flush(3 * FRAME, tail=np.zeros(9, np.float32))
    spans = []
    while buffer.flushing:
        window = buffer.peek()
        spans.append((window.chunk_start // FRAME, window.is_last))
        buffer.advance(window)
    assert spans == [(0, False), (1, False), (2, True)]
    assert (buffer.decoded_samples, buffer.begun_at, buffer.cut_at) == (3 * FRAME, 3 * FRAME, None)


def test_where_audio_completes_a_window():
    buffer = ContextWindow(context((2, 2, 1)))
    buffer.feed(SOUND[: 4 * FRAME])
    span = buffer.next_span()
    assert complete_at(buffer, span) == span.lookahead_end + 1
    buffer.flush(FRAME, 3 * FRAME)
    assert complete_at(buffer, buffer.next_span()) == 3 * FRAME
    buffer.flush(2 * FRAME, tail=np.zeros(FRAME, np.float32))
    assert complete_at(buffer, buffer.next_span()) == 2 * FRAME
    ended = ContextWindow(context((2, 2, 1)))
    ended.feed(SOUND[:FRAME])
    ended.end()
    assert complete_at(ended, ended.next_span()) == sys.maxsize
