"""A device that computes nothing says words at the rate of speech, the same however it is asked."""

import numpy as np
import pytest

from benchmarks.live.sleeping_device import CYCLE_FRAMES, ScheduledVoice, SleepingDevice, Texts
from parakeet_streaming import ContextConfig, Recognizer
from parakeet_streaming.ports import DecoderInput, EncoderInput
from parakeet_streaming.testing import silence
from parakeet_streaming.timeline import FRAME_S


def tokens_of(context, seconds, *, cached):
    stream = Recognizer(SleepingDevice(sleep=float), Texts()).stream(context, cached=cached)
    stream.feed(silence(seconds))
    return stream.finish()[-1].transcript.tokens


def test_a_call_takes_as_long_as_its_operations():
    slept = []
    device = SleepingDevice(operations_per_s=1e12, launches_s=0.5, sleep=slept.append)
    window = EncoderInput(silence(2.5), 32_000, 4_000, kept_frames=25)
    encoded = device.encode([window, EncoderInput(silence(2.5), 32_000, 4_000, 25, past=True)])
    assert encoded.lengths == (32, 7)
    assert slept == [pytest.approx(0.5 + 14.9e9 * 3.0 / 1e12)]
    device.decode(encoded, [DecoderInput(0, 0, 3, 6, device.start())])
    assert slept[1:] == [0.5]
    assert (device.calls, device.rows) == (1, 2)


def test_speech_has_about_three_tokens_a_second():
    device = SleepingDevice(sleep=float)
    start = device.start()
    given = DecoderInput(0, 0, 2 * CYCLE_FRAMES, 2 * CYCLE_FRAMES, start)
    (decoded,) = device.decode(device.encode([EncoderInput(silence(1))]), [given])
    assert 2.5 < len(decoded.emissions) / (2 * CYCLE_FRAMES * FRAME_S) < 3.5
    assert decoded.emissions[-1].frame > CYCLE_FRAMES


def test_what_is_said_does_not_depend_on_the_context():
    short, long = ContextConfig(2, 0.24, 0.24), ContextConfig(10, 2, 2)
    said = tokens_of(short, 60, cached=True)
    assert 150 < len(said) < 210
    assert tokens_of(long, 60, cached=False) == said


def test_voice_is_heard_in_three_seconds_of_five():
    voice = ScheduledVoice()
    blocks = [silence(0.032 * 8)[: 8 * 512]] * 2
    found, states = voice.probabilities(blocks, [voice.start(), 90])
    assert states == [8, 98]
    assert (found[0] > 0.5).all()
    assert (found[1] > 0.5).tolist() == [True] * 4 + [False] * 4
    arrays = voice.state_to_arrays(98)
    assert voice.state_from_arrays(arrays) == 98
    assert (
        np.mean([voice.probabilities(blocks[:1], [at])[0][0][0] > 0.5 for at in range(156)]) > 0.5
    )
