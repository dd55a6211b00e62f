"""Streams of channels: as if alone, together, and for nothing where there is silence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming import load, read_audio
from parakeet_streaming.channels import ChannelEvent
from parakeet_streaming.engine.channel_streams import ChannelStreams
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.results import Final
from parakeet_streaming.timeline import ContextConfig

RECORDINGS = "examples/recordings"
CONTEXT = ContextConfig.parse("2-1-1")


@pytest.fixture(scope="module")
def recognizer():
    return load("tiny-en")


@pytest.fixture(scope="module")
def call():
    digits, phone = (read_audio(f"{RECORDINGS}/{name}.wav") for name in ("digits", "phone"))
    frames = np.zeros((len(phone) + 64_000, 3), np.float32)
    frames[: len(digits), 0] = digits
    frames[64_000:, 1] = phone
    return frames


class Counted:
    """A recognizer that counts the windows it encodes."""

    def __init__(self, recognizer):
        self._recognizer = recognizer
        self.windows = 0
        self.samples = 0

    def prepare(self, streams, equal_windows=None):
        step = self._recognizer.prepare(streams, equal_windows)
        transducer = step._transducer
        counted = self

        class Encoder:
            def __getattr__(self, name):
                return getattr(transducer, name)

            def encode(self, inputs):
                counted.windows += len(inputs)
                counted.samples += sum(len(each.samples) for each in inputs)
                return transducer.encode(inputs)

        step._transducer = Encoder()
        return step


def streams(recognizer, count, context=CONTEXT, by=None):
    opened = [recognizer.stream(context) for _ in range(count)]
    labels = [f"c{number}" for number in range(count)]
    return ChannelStreams(by or recognizer, opened, labels)


def alone(recognizer, samples, context=CONTEXT):
    stream = recognizer.stream(context)
    events = [*stream.feed(samples), *stream.finish()]
    return events, stream.transcript()


def test_each_channel_is_what_it_is_alone(recognizer, call):
    channels = streams(recognizer, 3)
    channels.push(call)
    told = channels.run()
    channels.end()
    told += channels.run()
    for number, each in enumerate(channels.transcript().channels):
        events, transcript = alone(recognizer, call[:, number])
        assert [event.event for event in told if event.channel == number] == events
        assert each.transcript == transcript
        assert (each.channel, each.label) == (number, f"c{number}")
    assert channels.transcript().channels[0].transcript.text.startswith("three one four")


@settings(max_examples=4, deadline=None)
@given(st.lists(st.integers(1, 60_000), max_size=6))
def test_slicing_changes_nothing(recognizer, call, cuts):
    whole, sliced = streams(recognizer, 3), streams(recognizer, 3)
    whole.push(call)
    told, start = [], 0
    for cut in [*cuts, len(call)]:
        sliced.push(call[start : start + cut])
        told += sliced.run()
        start += cut
    sliced.push(call[start:])
    whole.end()
    sliced.end()
    assert sorted(told + sliced.run(), key=lambda event: event.channel) == sorted(
        whole.run(), key=lambda event: event.channel
    )


def test_a_silent_channel_is_encoded_a_few_times(recognizer, call):
    long = np.tile(call[:, :1], (3, 1))
    counted = []
    for frames in (long, np.concatenate([long, np.full_like(long, 0.25)], axis=1)):
        by = Counted(recognizer)
        channels = streams(recognizer, frames.shape[1], by=by)
        channels.push(frames)
        channels.run()
        channels.end()
        channels.run()
        counted.append(by.windows)
    assert counted[0] > 20
    assert counted[1] <= counted[0] + 6


def test_of_a_silent_channel_in_one_window_little_is_encoded(recognizer, call):
    long = np.tile(call[:, :1], (7, 1))
    frames = np.concatenate([long, np.zeros_like(long)], axis=1)
    context = recognizer.offline_context(len(frames) / 16_000)
    by = Counted(recognizer)
    channels = streams(recognizer, 2, context, by)
    channels.push(frames)
    channels.end()
    channels.run()
    first, second = (each.transcript for each in channels.transcript().channels)
    assert first == alone(recognizer, long[:, 0], context)[1]
    assert (second.text, second.audio_s) == ("", first.audio_s)
    assert by.samples < len(frames) + 45 * 16_000


def test_all_events_end_with_an_end(recognizer):
    channels = streams(recognizer, 2)
    assert not channels.ready
    channels.end()
    told = channels.run()
    assert [event.channel for event in told] == [0, 1]
    assert all(isinstance(event, ChannelEvent) for event in told)
    assert all(isinstance(event.event, Final) for event in told)


def test_samples_of_other_channels_are_refused(recognizer):
    channels = streams(recognizer, 2)
    with pytest.raises(AudioInputError, match="3 channels; there are streams for 2"):
        channels.push(np.zeros((5, 3), np.float32))
