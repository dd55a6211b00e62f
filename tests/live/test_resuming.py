"""A snapshot is checked, and a stream goes on with what it had."""

import tracemalloc
from contextlib import contextmanager
from dataclasses import replace

import pytest

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream_state import Endpoint
from parakeet_streaming.engine.utterance import Pause, Utterance
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import (
    OptionError,
    SnapshotError,
    StreamClosedError,
)
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import Partial
from parakeet_streaming.testing import Cue, ScriptedVad, marked_audio
from parakeet_streaming.timeline import ContextConfig
from tests.live.by_hand import (
    CONTEXT,
    Room,
    drained,
    finals_of,
    fixed,
    outcome_of,
    snapshot_of,
    tokens_of,
)


@contextmanager
def peak_bytes():
    """The most that Python and numpy held at once meanwhile; asked after it."""
    tracemalloc.start()
    try:
        yield lambda: most
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()


SCRIPT = [Cue(3, 0), Cue(9, 1), Cue(20, 2)]
JUDGED = fixed(vad=VadOptions(), endpoint=EndpointOptions())


@pytest.mark.parametrize(("past", "resumed"), [(True, "exact"), (False, "warm")])
def test_a_cached_stream_resumes_exactly_with_its_past_and_warm_without(past, resumed):
    room = Room(SCRIPT)
    stream = room.open(fixed(cached=True))
    stream.push(marked_audio(14))
    room.settle()
    snapshot = snapshot_of(room, stream, past=past)
    other = Room(SCRIPT)
    continued = other.open(fixed(cached=True), resume=snapshot)
    stats = continued.stats()
    assert (stats.resumed, stats.received_samples) == (resumed, 14 * 1280)
    assert stats.audio_s == pytest.approx(0.48)
    continued.push(marked_audio(40)[stats.received_samples :])
    continued.finish()
    other.settle()
    tokens = tokens_of(drained(stream)[0]) + tokens_of(drained(continued)[0])
    assert tokens == room.alone(marked_audio(40))
    assert continued.transcript().text == "one two three"


def test_metrics_count_a_resumed_stream_from_where_it_resumed():
    room = Room(SCRIPT)
    stream = room.open()
    stream.push(marked_audio(40))
    room.settle()
    snapshot = snapshot_of(room, stream)
    other = Room(SCRIPT)
    continued = other.open(resume=snapshot)
    continued.finish()
    other.settle()
    assert outcome_of(continued) == "finished"
    total_s = room.metrics.audio_seconds_total.total + other.metrics.audio_seconds_total.total
    assert total_s == pytest.approx(3.2)


def test_another_rate_resumes_warm():
    context = ContextConfig(1.0, 0.5, 0.5, sample_rate=8_000)
    room = Room(SCRIPT)
    stream = room.open(fixed(context))
    room.settle()
    assert room.open(fixed(context), resume=snapshot_of(room, stream)).stats().resumed == "warm"


def test_a_snapshot_is_resumed_with_its_own_context_and_chunk():
    vad = ScriptedVad()
    room = Room(SCRIPT, vad=vad)
    stream = room.open(LiveOptions(DelayRange(CONTEXT, 4.0), VadOptions()))
    stream._task.driver._adapter._level = 1
    stream._task.stream.use(stream._task.driver._adapter.context)
    room.settle()
    snapshot = snapshot_of(room, stream)
    options = LiveOptions(DelayRange(CONTEXT, 4.0), VadOptions())
    assert room.open(options, resume=snapshot).stats().context.chunk == 1.0
    judged = {"vad": VadOptions(), "endpoint": EndpointOptions()}
    for other in (fixed(ContextConfig(2.0, 0.5, 0.5), **judged), fixed(cached=True, **judged)):
        with pytest.raises(OptionError, match="with its left and right context"):
            room.open(other, resume=snapshot)
    with pytest.raises(OptionError, match="with voice activity and with endpoints"):
        room.open(fixed(), resume=snapshot)


def test_what_a_snapshot_does_not_bind_is_chosen_anew():
    script = [Cue(3, 0), Cue(9, 1), Cue(15, 2)]
    room = Room(script)
    stream = room.open()
    stream.push(marked_audio(14))
    room.settle()
    snapshot = snapshot_of(room, stream)
    continued = room.open(fixed(tentative=False), resume=snapshot)
    continued.push(marked_audio(40)[14 * 1280 :])
    continued.finish()
    room.settle()
    partials = [each for each in drained(continued)[0] if isinstance(each, Partial)]
    assert [each.tentative for each in partials] == [()] * len(partials)
    assert continued.transcript().text == "one two three"


@pytest.mark.parametrize("end", ["finish", "cancel"])
@pytest.mark.parametrize("pushed_again", [0, 5_000])
@pytest.mark.parametrize("judged", [True, False])
def test_a_stream_may_end_before_its_audio_was_pushed_again(end, pushed_again, judged):
    room = Room(SCRIPT, vad=ScriptedVad([1.0] * 400))
    options = JUDGED if judged else fixed()
    stream = room.open(options)
    stream.push(marked_audio(40))
    room.settle()
    audio_s = stream.stats().audio_s
    snapshot = snapshot_of(room, stream, audio=False)
    before = room.metrics.audio_seconds_total.total
    continued = room.open(options, resume=snapshot)
    start = continued.stats().received_samples
    continued.push(marked_audio(40)[start : start + pushed_again])
    getattr(continued, end)()
    room.settle()
    events, error = drained(continued)
    assert error is None
    assert outcome_of(continued) == {"finish": "finished", "cancel": "cancelled"}[end]
    assert continued.transcript().text == stream.transcript().text == "one two three"
    assert continued.stats().audio_s == audio_s
    assert finals_of(events)[-1].transcript.audio_s == audio_s
    assert room.metrics.audio_seconds_total.total == before


@pytest.mark.parametrize("pushed_again", [0, 5_000, 20_000])
@pytest.mark.parametrize("judged", [True, False])
def test_a_stream_may_end_before_the_audio_of_its_commit_was_pushed_again(judged, pushed_again):
    room = Room(SCRIPT, vad=ScriptedVad([1.0] * 400))
    options = JUDGED if judged else fixed()
    stream = room.open(options)
    stream.push(marked_audio(40))
    room.settle()
    driver = stream._task.driver
    driver.commit(driver.intake.taken)
    driver.utterances.begin_commit()
    state = driver.state(audio=False, past=True, earlier_utterances=True)
    continued = room.open(options, resume=room.opener.encode(state))
    start = continued.stats().received_samples
    continued.push(marked_audio(40)[start : start + pushed_again])
    continued.finish()
    room.settle()
    assert drained(continued)[1] is None
    assert outcome_of(continued) == "finished"
    assert continued.transcript().text == stream.transcript().text


def test_a_stall_guard_goes_on():
    room = Room(SCRIPT)
    stream = room.recognizer.stream(CONTEXT, stall_guard=StallGuard(min_speech_s=3.0))
    live = room.open(resume=stream.snapshot())
    assert live._stream.options.stall_guard == StallGuard(min_speech_s=3.0)


def test_a_chunk_that_nobody_could_have_chosen_costs_nothing():
    room = Room(SCRIPT)
    state = room.recognizer.stream(CONTEXT).windowed.state()
    options = replace(state.options, context=replace(CONTEXT, chunk=3_600.0))
    data = room.opener.encode(replace(state, options=options))
    with peak_bytes() as peak:
        live = room.open(resume=data)
    assert live.stats().context == CONTEXT
    assert peak() < 10_000_000


def test_a_stream_that_is_ending_has_no_snapshot():
    room = Room(SCRIPT)
    stream = room.open()
    stream.finish()
    with pytest.raises(StreamClosedError, match="ending, or over"):
        snapshot_of(room, stream)


def judged_snapshot(**changes):
    """A snapshot of a stream with voice activity, some values of which were changed."""
    room = Room(SCRIPT, vad=ScriptedVad())
    stream = room.open(JUDGED)
    stream.push(marked_audio(60))
    room.settle()
    state = stream._task.driver.state(audio=True, past=True, earlier_utterances=True)
    assert state.window.kept_from > 0
    detector, endpointer = state.activity.detector, state.activity.endpointer
    activity = replace(
        state.activity,
        detector=replace(detector, **changes.pop("detector", {})),
        endpointer=replace(endpointer, **changes.pop("endpointer", {})),
        **changes,
    )
    return room, room.opener.encode(replace(state, activity=activity))


def test_a_snapshot_of_a_stream_with_voice_activity_is_resumed():
    room, data = judged_snapshot()
    assert room.open(JUDGED, resume=data).stats().resumed == "exact"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"detector": {"frame_samples": 256}}, "frames"),
        ({"detector": {"known_to": 2**50}}, "judged"),
        ({"detector": {"known_to": -1}}, "judged"),
        ({"detector": {"known_to": 512}}, "judged"),
        ({"gaps": ((5, 3),)}, "gaps"),
        ({"gaps": ((5, 9), (7, 20))}, "gaps"),
        ({"gaps": ((5, 2**50),)}, "gaps"),
        ({"gaps": ((-9, 3),)}, "gaps"),
        ({"speech_samples": -1}, "speech"),
        ({"detector": {"finished": True}}, "voice"),
        ({"detector": {"onset": -1}}, "voice"),
        ({"detector": {"onset": 2**50}}, "voice"),
        ({"detector": {"voiced": -1}}, "voice"),
        ({"detector": {"voiced": 2**50}}, "voice"),
        ({"detector": {"silence_from": -1}}, "voice"),
        ({"detector": {"silence_from": 2**50}}, "voice"),
        ({"detector": {"remembered_from": -1}}, "voice"),
        ({"detector": {"runs": ((5_000, 3_000),)}}, "voice"),
        ({"detector": {"runs": ((3_000, 5_000), (4_000, 6_000))}}, "voice"),
        ({"detector": {"runs": ((-1, 5_000),)}}, "voice"),
        ({"detector": {"runs": ((0, 2**50),)}}, "voice"),
        ({"endpointer": {"known_to": -1}}, "utterance"),
        ({"endpointer": {"silence_from": 2**50}}, "utterance"),
        ({"endpointer": {"committed_to": 2**50}}, "utterance"),
        ({"endpointer": {"decoded_to": -1}}, "utterance"),
        ({"endpointer": {"said": Utterance(begin=2**50)}}, "utterance"),
        ({"endpointer": {"said": Utterance(text_to=-1, last_word_at=5)}}, "utterance"),
        ({"endpointer": {"said": Utterance(text_to=9)}}, "utterance"),
        ({"endpointer": {"said": Utterance(tokens=2, last_word=3)}}, "utterance"),
        ({"endpointer": {"said": Utterance(tokens=2**53)}}, "utterance"),
        ({"endpointer": {"said": Utterance(tokens=4)}}, "utterance"),
        ({"endpointer": {"said": Utterance(pauses=(Pause(1, 9, 20),))}}, "utterance"),
        ({"endpointer": {"tentative_end": -1}}, "utterance"),
        ({"heard": ((10**6, 2.0),)}, "heard"),
        ({"heard": ((10**6, 0.5), (10**6, 0.5))}, "heard"),
        ({"heard": ((512, 0.5),)}, "heard"),
        ({"endpoint": Endpoint("silence", 5, -1)}, "endpoint"),
        ({"endpoint": Endpoint("silence", 5, left=7)}, "endpoint"),
        ({"endpointer": {"tentative_to": 2**50}}, "utterance"),
        ({"endpoint": Endpoint("commit", -1)}, "endpoint"),
        ({"endpoint": Endpoint("commit", 2**50)}, "endpoint"),
    ],
)
def test_values_that_no_live_stream_can_have_are_refused(changes, name):
    room, data = judged_snapshot(**changes)
    with pytest.raises(SnapshotError, match=f"impossible values: {name}"):
        room.open(JUDGED, resume=data)
    assert len(room.loop.streams) == 1


def test_a_stream_that_had_ended_is_not_resumed():
    room = Room(SCRIPT)
    stream = room.recognizer.stream(CONTEXT)
    stream.end()
    with pytest.raises(SnapshotError, match="had ended"):
        room.open(resume=stream.snapshot())


def test_a_stream_of_a_recognizer_goes_on_live_with_what_is_chosen():
    room = Room(SCRIPT, vad=ScriptedVad([1.0] * 300))
    stream = room.recognizer.stream(CONTEXT)
    stream.feed(marked_audio(100))
    options = fixed(vad=VadOptions(), endpoint=EndpointOptions())
    live = room.open(options, resume=stream.snapshot())
    live.push(marked_audio(140)[live.stats().received_samples :])
    live.finish()
    room.settle()
    assert live.transcript().text == "one two three"


def test_a_gap_that_a_stream_was_in_ends_as_it_would_have():
    room = Room(SCRIPT)
    stream = room.open()
    state = stream._task.driver.state(audio=True, past=True, earlier_utterances=True)
    activity = replace(state.activity, gaps=((0, 200_000),))
    data = room.opener.encode(replace(state, activity=activity))
    resumed = room.open(resume=data)
    assert resumed.stats().received_samples == 200_000
    resumed.finish()
    room.settle()
    assert resumed.stats().audio_s == 12.5
    assert resumed.stats().refused_samples == 0
