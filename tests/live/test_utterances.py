"""Ends come when their audio is committed, commits at their place in the audio."""

from dataclasses import replace

from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.live.utterances import Utterances
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.live.by_hand import intake_of

FRAME = FRAME_SAMPLES
CONTEXT = ContextConfig(0.4, 0.4, 0.4)


def ends_of(frames, *, endpointer=None, tail_s=0.0):
    recognizer = fake_recognizer([Cue(1, 0), Cue(7, 1)], ["one", "two"])
    stream = recognizer.open(StreamOptions(CONTEXT))
    intake, _, writer, _, _ = intake_of(context=CONTEXT)
    intake._stream, intake._window, intake._feed = stream, stream.window, stream.window.feed
    writer.write(marked_audio(frames))
    intake.take()
    ends = Utterances(stream, intake, None, endpointer, None, tail_s=tail_s)
    return ends, stream, recognizer


def step(recognizer, stream):
    prepared = recognizer.prepare([stream])
    prepared.encode()
    prepared.decode()
    return prepared.commit()[0]


def test_a_commit_comes_after_the_steps_that_needed_no_more_and_before_the_others():
    ends, stream, _ = ends_of(30)
    assert not ends.come_first
    span = stream.window.next_span()
    assert (span.needed_to, ends.before_commit(99)) == (10 * FRAME + 1, 99)
    for position, first in [(10 * FRAME, True), (10 * FRAME + 1, False)]:
        ends, _, _ = ends_of(30)
        ends.commit(position)
        assert ends.come_first
        assert ends.next_commit == position
        assert ends.commit_comes_before(span) == first
        assert ends.before_commit(10**9) == position
        assert ends.commit_comes_before(None)


def test_a_commit_waits_for_its_audio():
    ends, _, _ = ends_of(3)
    ends.commit(4 * FRAME)
    assert ends.next_commit is None
    assert not ends.commit_comes_before(None)


def test_a_commit_decodes_what_an_end_would_and_the_next_utterance_begins_there():
    ends, stream, recognizer = ends_of(9, tail_s=0.5)
    ends.commit(6 * FRAME + 70)
    ends.begin_commit()
    assert (ends.endpoint.reason, ends.look()) == ("commit", ends.endpoint)
    while stream.window.flushing:
        step(recognizer, stream)
    (final,) = ends.close()
    assert (final.transcript.text, final.reason) == ("one", "commit")
    assert final.transcript.audio_s == (6 * FRAME + 70) / 16_000
    assert stream.window.decoded_samples == 6 * FRAME + 70
    assert stream.decoder.decoded_frames == 7
    stream.end()
    assert step(recognizer, stream)[-1].transcript.text == "two"


def test_a_commit_of_nothing_new_is_answered():
    ends, stream, _ = ends_of(3)
    ends.commit(0)
    ends.begin_commit()
    assert not stream.window.flushing
    (final,) = ends.close()
    assert (final.transcript.text, final.reason) == ("", "commit")
    assert not ends.come_first


def test_an_end_is_told_once_its_audio_is_committed_and_the_decoder_agrees():
    endpointer = Endpointer(EndpointOptions(100, 240, 400))
    ends, stream, recognizer = ends_of(20, endpointer=endpointer)
    assert ends.look() is None
    for event in step(recognizer, stream):
        endpointer.decoded(5 * FRAME, 10 * FRAME, event.tokens, ())
    endpoint = ends.look()
    assert endpoint == ends.look()
    assert (endpoint.commit_to, endpoint.seen_to) == (5 * FRAME, 10 * FRAME)
    (final,) = ends.close()
    assert (final.transcript.text, final.reason) == ("one", "silence")


def test_an_end_that_the_right_context_shows_needs_no_step():
    endpointer = Endpointer(EndpointOptions(100, 240, 400))
    ends, stream, recognizer = ends_of(20, endpointer=endpointer)
    (partial,) = step(recognizer, stream)
    assert partial.tentative_text == " two"
    spans = []
    for shown_to in (10, 11):
        endpointer.decoded(5 * FRAME, shown_to * FRAME, partial.tokens, ())
        ends.endpoint = None
        assert ends.look() is not None
        spans.append(ends.settled_to(stream.window.next_span()))
    assert spans == [10 * FRAME] * 2
    # Where more would have to be read than the step has read, it needs one.
    ends.endpoint = replace(ends.endpoint, commit_to=10 * FRAME + 1)
    assert ends.settled_to(stream.window.next_span()) is None
    # So it does where the decoder has found text there since.
    ends.endpoint = replace(ends.endpoint, commit_to=10 * FRAME)
    assert ends.settled_to(stream.window.next_span()) == 10 * FRAME
    endpointer.decoded(5 * FRAME, 10 * FRAME, (), partial.tentative)
    assert ends.settled_to(stream.window.next_span()) is None


def test_an_end_is_dropped_where_more_text_is_found():
    endpointer = Endpointer(EndpointOptions(100, 240, 400))
    ends, stream, recognizer = ends_of(20, endpointer=endpointer)
    (partial,) = step(recognizer, stream)
    endpointer.decoded(5 * FRAME, 10 * FRAME, partial.tokens, ())
    assert ends.look() is not None
    endpointer.decoded(5 * FRAME, 10 * FRAME, (), [partial.tokens[0], *_late(partial)])
    assert ends.close() == ()
    assert not ends.come_first


def _late(partial):
    return [replace(partial.tokens[0], start_frame=9)]
