"""Other phrases for a live stream: from which window on, and what of it a snapshot has."""

import numpy as np
import pytest

from parakeet_streaming import LiveEngine
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.biases import Biased
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.phrase_changes import PhraseChange, PhraseChanges
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import FRAME_SAMPLES
from tests.live.by_hand import CONTEXT, Room, drained, fixed, snapshot_of

ONE, TWO = Boosting(("one two",)), Boosting(("two",))


def windowed():
    recognizer = fake_recognizer([], ["one", "two"])
    stream = recognizer.open(StreamOptions(CONTEXT))
    return recognizer, stream


def change(recognizer, position, boosting):
    biases = recognizer.biases_of(StreamOptions(CONTEXT, boosting=boosting))
    return PhraseChange(position, Biased(boosting, biases))


def test_windows_that_were_complete_are_decoded_as_before():
    recognizer, stream = windowed()
    changes = PhraseChanges(stream)
    changes.take(99)
    changes.put(change(recognizer, 100, ONE))
    changes.take(100)
    assert (stream.options.boosting, stream.biases, changes.made_at) == (None, (), -1)
    changes.put(change(recognizer, 101, TWO))
    changes.take(101)
    assert (stream.options.boosting, len(stream.biases), changes.made_at) == (ONE, 1, 100)


def test_a_change_that_was_made_before_a_snapshot_is_not_made_again():
    recognizer, stream = windowed()
    changes = PhraseChanges(stream, made_at=100)
    changes.put(change(recognizer, 100, ONE))
    assert (changes.state(), changes.made_at) == ((), 100)
    changes.put(change(recognizer, 101, TWO))
    changes.take(102)
    assert (stream.options.boosting, changes.made_at) == (TWO, 101)


def test_the_last_of_several_changes_counts():
    recognizer, stream = windowed()
    changes = PhraseChanges(stream)
    for each in (ONE, None, TWO):
        changes.put(change(recognizer, 5, each))
    changes.take(6)
    assert stream.options.boosting == TWO


def test_the_last_window_of_all_is_decoded_with_a_change_before_the_end():
    room = Room([])
    stream = room.open(fixed())
    stream.push(marked_audio(3))
    stream.use_phrases(ONE)
    room.settle()
    stream.finish()
    room.settle()
    assert stream._task.stream.options.boosting == ONE


@pytest.mark.parametrize("late", [False, True])
def test_a_commit_is_decoded_with_the_phrases_before_it_whenever_the_worker_comes(late):
    room = Room([])
    stream = room.open(fixed())
    stream.push(marked_audio(3))
    stream.commit()
    if not late:
        room.settle()
    stream.use_phrases(ONE)
    room.settle()
    assert stream._task.stream.options.boosting is None
    stream.push(marked_audio(40)[3 * FRAME_SAMPLES :])
    room.settle()
    assert stream._task.stream.options.boosting == ONE


def test_a_change_of_audio_that_is_left_out_is_to_be_said_again():
    room = Room([Cue(3, 0), Cue(9, 1)])
    stream = room.open(fixed(boosting=ONE))
    stream.push(marked_audio(20))
    stream.use_phrases(TWO)
    room.settle()
    data = snapshot_of(room, stream, audio=False)
    again = room.open(fixed(), resume=data)
    assert again._task.changes.state() == ()
    # A gap is not pushed again, so neither is what was said in it.
    stream = room.open(fixed(boosting=ONE))
    stream.use_phrases(TWO)
    stream.push_gap(5)
    stream.push(marked_audio(1)[:1])
    stream._task.wake()
    room.settle()
    again = room.open(fixed(), resume=snapshot_of(room, stream, audio=False))
    (waiting,) = again._task.changes.state()
    assert (waiting.position, waiting.boosting) == (0, TWO)


def test_what_a_change_leaves_tentative_is_decoded_again():
    recognizer = fake_recognizer([Cue(8, 0)], ["one", "two"])
    stream = recognizer.stream(CONTEXT)
    stream.feed(marked_audio(14))
    windowed = stream.windowed
    assert windowed.ahead is not None
    assert windowed.read_to > windowed.window.decoded_samples
    stream.use_phrases(["two"])
    assert windowed.ahead is None
    assert windowed.read_to == windowed.window.decoded_samples


def test_a_stream_resumes_with_the_phrases_it_had_or_with_those_it_is_given():
    room = Room([Cue(3, 0), Cue(9, 1)])
    stream = room.open(fixed(boosting=ONE))
    stream.push(marked_audio(20))
    room.settle()
    data = snapshot_of(room, stream)
    kept = room.open(fixed(), resume=data)._task.stream
    assert kept.options.boosting == ONE
    assert kept.decoder.bias_states == stream._task.stream.decoder.bias_states
    other = room.open(fixed(boosting=TWO), resume=data)._task.stream
    assert other.options.boosting == TWO
    assert other.decoder.bias_states == (0,)


def test_a_change_that_waits_for_its_audio_is_in_a_snapshot():
    room = Room([Cue(3, 0), Cue(9, 1)])
    stream = room.open(fixed(boosting=ONE))
    stream.push(marked_audio(20))
    stream.use_phrases(["two"])
    room.settle()
    assert stream._task.stream.options.boosting == ONE
    data = snapshot_of(room, stream)
    for options, after in ((fixed(), TWO), (fixed(boosting=ONE), ONE)):
        again = room.open(options, resume=data)
        assert again._task.stream.options.boosting == ONE
        again.push(marked_audio(40)[20 * FRAME_SAMPLES :])
        room.settle()
        assert again._task.stream.options.boosting == after


def test_phrases_that_cannot_be_written_are_refused_and_change_nothing():
    room = Room([Cue(3, 0)])
    with pytest.raises(OptionError, match="cannot write 'Kubernetes'"):
        room.open(fixed(boosting=Boosting(("Kubernetes",))))
    stream = room.open(fixed(boosting=ONE))
    with pytest.raises(OptionError, match="cannot write 'Kubernetes'"):
        stream.use_phrases(["Kubernetes"])
    stream.push(marked_audio(40))
    room.settle()
    assert stream._task.stream.options.boosting == ONE
    assert drained(stream)[1] is None


def test_phrases_of_a_call():
    recognizer = fake_recognizer([Cue(2, 0)], ["one", "two"])
    with LiveEngine(recognizer) as engine:
        options = fixed(boosting=ONE)
        with engine.open(options, phrases=["two"], boost=2.0) as stream:
            stream.push(marked_audio(20))
        events = list(stream)
        assert stream._task.stream.options.boosting == Boosting(("two",), 2.0)
        assert events[-1].transcript.text == "one"
        with engine.open(options) as stream:
            stream.push(np.zeros(0, np.float32))
        assert stream._task.stream.options.boosting == ONE
        with pytest.raises(OptionError, match="give phrases"):
            engine.open(options, boost=2.0)


def test_phrases_of_a_snapshot_are_compiled_before_it_is_resumed():
    room = Room([Cue(2, 0)])
    stream = room.open(fixed(boosting=ONE))
    stream.push(marked_audio(3))
    room.settle()
    stream.use_phrases(TWO)
    snapshot = snapshot_of(room, stream)
    first, second = room.opener.prepared_to_resume(snapshot)
    assert (first,) == room.opener.prepared(ONE)
    assert (second,) == room.opener.prepared(TWO)
