"""However audio is cut when it is fed, and whenever the steps are run, the events are the same."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio, noise
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import context_of, hashed_recognizer, sliced

RATES_HZ = [8_000, 16_000, 44_100, 48_000]

contexts = st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3))
cuts = st.lists(st.integers(0, 48_000), max_size=10)


def fed(stream, pieces):
    events = [event for piece in pieces for event in stream.feed(piece)]
    return [*events, *stream.finish()]


def pushed(recognizer, stream, pieces, patience):
    """As a worker does it: audio whenever it comes, a step every now and then."""
    events = []
    for place, piece in enumerate(pieces):
        stream.push(piece)
        if place % patience == 0:
            events += recognizer.step([stream])[0]
    stream.end()
    while stream.ready:
        events += recognizer.step([stream])[0]
    return events


@settings(max_examples=300)
@given(
    seed=st.integers(0, 99),
    frames=contexts,
    rate_hz=st.sampled_from(RATES_HZ),
    samples=st.integers(0, 48_000),
    cuts=cuts,
    patience=st.integers(1, 4),
    durations=st.sampled_from([(0, 1, 2, 3, 4), ()]),
)
def test_any_slicing_of_any_audio(seed, frames, rate_hz, samples, cuts, patience, durations):
    recognizer = hashed_recognizer(seed, durations=durations)
    context = ContextConfig(*context_of(*frames), sample_rate=rate_hz)
    audio = noise(3.0, seed=seed)[:samples]
    whole = fed(recognizer.stream(context), [audio])
    pieces = sliced(audio, cuts)
    assert fed(recognizer.stream(context), pieces) == whole
    assert pushed(recognizer, recognizer.stream(context), pieces, patience) == whole


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frames", [(2, 1, 0), (3, 2, 1)])
def test_one_sample_at_a_time(rate_hz, frames):
    recognizer = hashed_recognizer(5)
    context = ContextConfig(*context_of(*frames), sample_rate=rate_hz)
    audio = noise(0.6, seed=rate_hz)[: int(0.45 * min(rate_hz, 16_000))]
    whole = fed(recognizer.stream(context), [audio])
    assert fed(recognizer.stream(context), audio) == whole
    assert fed(recognizer.stream(context), np.split(audio, len(audio))) == whole


@given(
    frames=contexts,
    steps=st.integers(0, 4),
    off_by=st.sampled_from([-160, -1, 0, 1, 159, 160]),
    cuts=cuts,
    durations=st.lists(st.integers(1, 4), max_size=30),
)
def test_ends_on_and_beside_a_border(frames, steps, off_by, cuts, durations):
    _, chunk, right = frames
    length = max((chunk + right + steps * chunk) * FRAME_SAMPLES + off_by, 0)
    starts = np.cumsum([0, *durations])
    script = [
        Cue(int(start), 0, duration=duration)
        for start, duration in zip(starts, durations, strict=False)
    ]
    recognizer = fake_recognizer(script, ["word"])
    context = ContextConfig(*context_of(*frames))
    audio = marked_audio(length // FRAME_SAMPLES, length % FRAME_SAMPLES)
    whole = fed(recognizer.stream(context), [audio])
    assert fed(recognizer.stream(context), sliced(audio, cuts)) == whole
    # A new frame is heard once it holds a whole feature frame.
    heard_frames = -(-(length // 160) // 8)
    heard = [each.start_frame for each in whole[-1].transcript.tokens]
    assert [frame for frame in heard if frame < heard_frames] == [
        cue.frame for cue in script if cue.frame < heard_frames
    ]


@pytest.fixture(scope="module")
def espeak(golden_folder):
    samples, _ = soundfile.read(golden_folder / "audio" / "espeak.wav", dtype="float32")
    return samples


@settings(max_examples=15)
@given(
    context=st.sampled_from(["2-0.5-0.5", "1-0.24-0.08", "0-0.4-0", "0.4-0.32-0.24"]),
    rate_hz=st.sampled_from(RATES_HZ),
    start=st.integers(0, 40_000),
    samples=st.integers(0, 32_000),
    cuts=cuts,
)
def test_any_slicing_with_a_real_model(
    golden_recognizer, espeak, context, rate_hz, start, samples, cuts
):
    asked = ContextConfig.parse(context, rate_hz)
    audio = espeak[start : start + samples]
    whole = fed(golden_recognizer.stream(asked), [audio])
    assert fed(golden_recognizer.stream(asked), sliced(audio, cuts)) == whole


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_one_sample_at_a_time_with_a_real_model(golden_recognizer, espeak, rate_hz):
    context = ContextConfig(0.4, 0.16, 0.08, sample_rate=rate_hz)
    audio = espeak[20_000:][: int(0.5 * min(rate_hz, 16_000))]
    whole = fed(golden_recognizer.stream(context), [audio])
    assert fed(golden_recognizer.stream(context), audio) == whole
