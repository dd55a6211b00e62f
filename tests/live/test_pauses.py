"""A source that sends nothing any more leaves no word tentative."""

import pytest

from parakeet_streaming import EndpointOptions, LiveOptions, VadOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import Partial
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import Room, drained, finals_of, fixed, outcome_of

SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]


def reasons(events):
    return [(each.reason, each.transcript.text) for each in finals_of(events)]


def test_the_last_word_is_told_once_after_a_time_without_packets():
    room = Room(SCRIPT)
    stream = room.open(fixed(no_audio_s=3.0))
    stream.push(marked_audio(25))
    room.run(2.9)
    events, _ = drained(stream)
    assert finals_of(events) == []
    assert [each for each in events if isinstance(each, Partial)][-1].tentative_text
    room.run(60.0)
    assert reasons(drained(stream)[0]) == [("no_audio", "one two three")]
    stream.push(marked_audio(60)[25 * 1280 :])
    stream.finish()
    room.settle()
    assert reasons(drained(stream)[0]) == [("end", "")]
    totals = room.metrics.utterances_total.totals()
    assert (totals["no_audio"], totals["end"], totals["commit"]) == (1, 1, 0)


def test_a_commit_of_the_caller_keeps_its_reason():
    room = Room(SCRIPT)
    stream = room.open(fixed(no_audio_s=3.0))
    stream.push(marked_audio(7))
    stream.commit()
    room.run(10.0)
    stream.push(marked_audio(24)[7 * 1280 :])
    room.run(10.0)
    assert [reason for reason, _ in reasons(drained(stream)[0])] == ["commit", "no_audio"]


def test_packets_that_come_slowly_end_nothing():
    room = Room(SCRIPT)
    stream = room.open(fixed(no_audio_s=3.0))
    audio = marked_audio(24)
    for start in range(0, len(audio), 1280):
        stream.push(audio[start : start + 1280])
        room.run(2.5)
    assert finals_of(drained(stream)[0]) == []


@pytest.mark.parametrize("samples", [1, 1_000, 6_000])
def test_little_audio_after_a_rest_is_not_left_undecoded(samples):
    room = Room(SCRIPT)
    stream = room.open(fixed(no_audio_s=3.0))
    audio = marked_audio(60)
    stream.push(audio[: 24 * 1280])
    room.run(10.0)
    stream.push(audio[24 * 1280 :][:samples])
    room.run(10.0)
    finals = finals_of(drained(stream)[0])
    assert [final.reason for final in finals] == ["no_audio", "no_audio"]
    assert finals[-1].transcript.audio_s == pytest.approx(24 * 0.08 + samples / 16_000)


def test_a_machine_that_is_late_ends_nothing():
    room = Room(SCRIPT, cost_s=4.0)
    stream = room.open(fixed(no_audio_s=3.0))
    stream.push(marked_audio(60))
    room.settle()
    assert finals_of(drained(stream)[0]) == []


def test_silence_that_was_heard_needs_no_end():
    room = Room([], vad=ScriptedVad([0.0] * 300))
    options = fixed(vad=VadOptions(), endpoint=EndpointOptions(), no_audio_s=3.0)
    stream = room.open(options)
    stream.push(marked_audio(60))
    room.run(60.0)
    assert finals_of(drained(stream)[0]) == []
    assert room.loop.turn(room.clock()) is None


def test_speech_that_was_not_decoded_yet_is_not_lost():
    room = Room([Cue(2, 0)], vad=ScriptedVad([1.0] * 300))
    stream = room.open(fixed(vad=VadOptions(), no_audio_s=3.0))
    stream.push(marked_audio(6))
    room.run(2.0)
    assert finals_of(drained(stream)[0]) == []
    room.run(5.0)
    assert reasons(drained(stream)[0]) == [("no_audio", "one")]


def test_it_goes_with_the_time_after_which_a_stream_ends():
    room = Room(SCRIPT)
    stream = room.open(fixed(no_audio_s=3.0, idle_timeout_s=20.0))
    stream.push(marked_audio(24))
    room.run(19.0)
    stream.push(marked_audio(60)[24 * 1280 :])
    room.run(4.0)
    assert [reason for reason, _ in reasons(drained(stream)[0])] == ["no_audio", "no_audio"]
    room.run(20.0)
    assert outcome_of(stream) == "timed_out"


def test_it_is_on_for_live_streams_and_off_for_recordings():
    assert LiveOptions().no_audio_s == 10.0
    assert LiveOptions.recording(ContextConfig.balanced()).no_audio_s is None
    with pytest.raises(OptionError, match="no_audio_s"):
        LiveOptions(no_audio_s=0.0)
