"""All of a stream as one frozen value: what it says of itself, and that it is all."""

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np
import pytest

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream_state import ActivityState, Endpoint, StreamOptions
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig(0.8, 0.4, 0.4)


def stream_of(**options):
    return fake_recognizer([Cue(1, 0), Cue(4, 1)], ["one", "two"]).open(
        StreamOptions(CONTEXT, **options)
    )


def state_of(frames=20):
    stream = stream_of()
    stream.window.feed(marked_audio(frames))
    while stream.ready:
        step = stream.opened_by.prepare([stream])
        step.encode()
        step.decode()
        step.commit()
    activity = ActivityState(
        SpeechDetector().state(),
        heard=((512, 0.5),),
        voice=0,
        endpointer=Endpointer().state(),
        endpoint=Endpoint("commit", 3),
        gaps=((1, 2),),
        gap_room=(),
        speech_samples=5,
    )
    return replace(stream.state(), activity=activity)


def values_in(value, path=""):
    """Every dataclass in a value, itself included, by its path."""
    if is_dataclass(value):
        yield path, value
        for each in fields(value):
            yield from values_in(getattr(value, each.name), f"{path}.{each.name}")
    elif isinstance(value, tuple):
        for place, each in enumerate(value):
            yield from values_in(each, f"{path}[{place}]")


def test_everything_in_it_is_frozen():
    values = dict(values_in(state_of()))
    assert {".options", ".window", ".decoder", ".transcript", ".activity"} < values.keys()
    for value in values.values():
        with pytest.raises(FrozenInstanceError):
            setattr(value, fields(value)[0].name, None)


def test_what_an_encoder_keeps_is_the_left_context_where_it_keeps_anything():
    assert StreamOptions(CONTEXT).kept_frames is None
    assert StreamOptions(CONTEXT, cached=True).kept_frames == 10
    assert StreamOptions(replace(CONTEXT, left=0.0), cached=True).kept_frames == 0


def test_options_are_those_of_a_plain_stream_where_nothing_is_said():
    options = StreamOptions(CONTEXT)
    assert (options.tentative, options.stall_guard, options.cached) == (True, None, False)
    guarded = replace(options, stall_guard=StallGuard())
    assert stream_of(stall_guard=StallGuard()).state().options == guarded


def test_a_state_knows_its_context_and_where_its_samples_end():
    state = state_of(40)
    assert state.context == CONTEXT
    assert state.window.kept_from > 0
    assert state.fed_samples == 40 * 1280
    window = replace(state.window, samples=np.zeros(0, np.float32))
    assert replace(state, window=window).fed_samples == state.window.kept_from


def test_a_state_does_not_follow_its_stream():
    stream = stream_of()
    stream.window.feed(marked_audio(4))
    state = stream.state()
    stream.window.feed(marked_audio(20)[4 * 1280 :])
    stream.end(0.5)
    assert (state.fed_samples, state.audio_end, state.closed) == (4 * 1280, None, False)
    assert np.array_equal(state.window.samples, marked_audio(4))
    assert stream.state().audio_end == 20 * 1280
