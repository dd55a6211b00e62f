"""A stream written down: what a snapshot holds, and what is refused."""

import json
import zlib
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpoint, Endpointer
from parakeet_streaming.engine.snapshot import MAGIC, VERSION
from parakeet_streaming.engine.stream_state import ActivityState
from parakeet_streaming.errors import SnapshotError, StreamClosedError
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    ScriptedVad,
    fake_recognizer,
    marked_audio,
    noise,
    recognizer_of,
)
from parakeet_streaming.timeline import ContextConfig
from tests.model.hashed import hashed_recognizer

CONTEXT = ContextConfig(0.4, 0.3, 0.2)
SCRIPT = [Cue(1, 0), Cue(4, 1), Cue(9, 2)]
WORDS = ["one", "two", "three"]


def recognizer():
    return fake_recognizer(SCRIPT, WORDS)


def begun(frames=8):
    stream = recognizer().stream(CONTEXT)
    stream.feed(marked_audio(frames))
    return stream


def repacked(data, change):
    """A snapshot whose header was changed by somebody who knows how it is written."""
    body = zlib.decompress(data[24:])
    length = int.from_bytes(body[:4], "little")
    header = json.loads(body[4 : 4 + length])
    change(header)
    text = json.dumps(header).encode()
    packed = zlib.compress(len(text).to_bytes(4, "little") + text + body[4 + length :])
    return data[:8] + blake2b(packed, digest_size=16).digest() + packed


def test_a_state_comes_back_as_it_was():
    codec = recognizer().snapshots
    state = begun().windowed.state()
    detector, endpointer = SpeechDetector(), Endpointer()
    detector.feed(0.9)
    detector.skip_to(4000)
    endpointer.judged(4000, 512)
    state = replace(
        state,
        activity=ActivityState(
            detector.state(), 7, endpointer.state(), Endpoint("commit", 5), ((1, 2), (3, 4)), 9
        ),
    )
    vad = ScriptedVad()
    again = codec.decode(codec.encode(state, vad), vad)
    assert again.activity == state.activity
    assert SpeechDetector.of(again.activity.detector).state() == detector.state()
    assert Endpointer.of(again.activity.endpointer).state() == endpointer.state()
    assert again.options == state.options
    assert np.array_equal(again.window.samples, state.window.samples)


def test_samples_of_16_bits_take_16_bits():
    generator = np.random.default_rng(0)
    whole = (generator.integers(-(2**15), 2**15, 40_000) / 2**15).astype(np.float32)
    sizes = []
    for samples in (whole, whole + np.float32(1e-6)):
        stream = hashed_recognizer().stream(ContextConfig(2.0, 0.4, 0.1))
        stream.feed(samples)
        data = stream.snapshot()
        again = hashed_recognizer().restore(data)
        assert np.array_equal(
            again.windowed.window.state().samples, stream.windowed.window.state().samples
        )
        sizes.append(len(data))
    assert sizes[0] < 0.7 * sizes[1]


def test_without_audio_it_is_small_and_says_where_to_go_on():
    audio, context = noise(8.0), ContextConfig(2.0, 0.4, 0.2)
    whole = hashed_recognizer(blanks=0.3).stream(context)
    expected = [*whole.feed(audio), *whole.finish()]
    stream = hashed_recognizer(blanks=0.3).stream(context)
    before = stream.feed(audio[:90_000])
    data = stream.snapshot(audio=False)
    assert len(data) < 4_000
    again = hashed_recognizer(blanks=0.3).restore(data)
    assert again.restored.resumed == "exact"
    needed = again.restored.next_sample
    assert 0 < needed < 90_000 - 2 * 16_000
    after = [*again.feed(audio[needed:]), *again.finish()]
    assert [*before, *after] == expected


def test_earlier_utterances_may_be_left_out():
    stream = begun()
    stream.windowed.end_utterance("commit")
    stream.feed(marked_audio(20)[8 * 1280 :])
    whole, short = (
        recognizer().restore(stream.snapshot(earlier_utterances=each)) for each in (True, False)
    )
    assert [each.text for each in whole.tokens] == ["one", " two", " three"]
    assert [each.text for each in short.tokens] == ["two", " three"]
    assert whole.finish() == short.finish()


def test_a_cached_stream_goes_on_exactly_with_its_past_and_warm_without():
    audio = marked_audio(40)
    whole = recognizer().stream(CONTEXT, cached=True)
    expected = [*whole.feed(audio), *whole.finish()]
    stream = recognizer().stream(CONTEXT, cached=True)
    before = stream.feed(audio[:20_000])
    for past, resumed in ((True, "exact"), (False, "warm")):
        again = recognizer().restore(stream.snapshot(past=past))
        assert again.restored.resumed == resumed
        assert (again.windowed.past is not None) == past
        after = [*again.feed(audio[20_000:]), *again.finish()]
        assert [*before, *after] == expected  # this encoder forgets nothing that counts
    later = recognizer().restore(recognizer().restore(stream.snapshot(past=False)).snapshot())
    assert later.restored.resumed == "warm"


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_at_another_rate_no_sample_is_lost(rate_hz):
    audio = noise(rate_hz * 4 / 16_000)
    context = ContextConfig(0.8, 0.4, 0.2, sample_rate=rate_hz)
    whole = hashed_recognizer().stream(context)
    whole.feed(audio)
    cut = len(audio) // 2 + 77
    stream = hashed_recognizer().stream(context)
    stream.feed(audio[:cut])
    again = hashed_recognizer().restore(stream.snapshot())
    assert again.restored.resumed == "warm"
    again.feed(audio[cut:])
    for each in (whole, again):
        each.end()
    one, other = (each.windowed.window for each in (whole, again))
    assert one.fed_samples == other.fed_samples
    start = one.fed_samples - 8_000
    difference = one.samples(start, one.fed_samples) - other.samples(start, other.fed_samples)
    assert np.abs(difference).max() < 1e-6


def test_a_stream_without_events_to_give_alone_can_be_written_down():
    stream = begun()
    stream.finish()
    with pytest.raises(StreamClosedError):
        stream.snapshot()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no snapshot"),
        (b"RIFF" + bytes(100), "no snapshot"),
        (MAGIC + (VERSION + 1).to_bytes(2, "little") + bytes(40), "version"),
        (MAGIC + VERSION.to_bytes(2, "little") + bytes(40), "damaged"),
    ],
)
def test_what_is_no_snapshot_is_refused(data, message):
    with pytest.raises(SnapshotError, match=message):
        recognizer().restore(data)


@settings(max_examples=60)
@given(at=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.integers(0, 400))
def test_a_damaged_snapshot_is_refused(at, flip, cut):
    data = bytearray(begun().snapshot())
    data[at % len(data)] ^= flip
    with pytest.raises(SnapshotError):
        recognizer().restore(bytes(data))
    with pytest.raises(SnapshotError):
        recognizer().restore(bytes(begun().snapshot()[:cut]))


def test_a_snapshot_of_another_model_is_refused():
    data = repacked(begun().snapshot(), lambda header: header.update(model="another"))
    with pytest.raises(SnapshotError, match="another model"):
        recognizer().restore(data)
    joint = ScriptedDecoderJoint(SCRIPT, 2)
    with pytest.raises(SnapshotError, match="tokens"):
        recognizer_of(FakeEncoder(), joint, FakePieces(WORDS[:1])).restore(begun(16).snapshot())


def setting(*path, to):
    def change(header):
        *folders, name = path
        place = header["state"]
        for each in folders:
            place = place[each]
        assert name in place
        place[name] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        setting("decoder", "frames_to_skip", to=-1),
        setting("decoder", "decoded_frames", to=2**60),
        setting("decoder", "last_token", to=99),
        setting("decoder", "decoded_frames", to="3"),
        setting("decoder", "decoded_frames", to=True),
        setting("window", "kept_from", to=-5),
        setting("window", "ended", to=True),
        setting("window", "samples", to={"array": 77}),
        setting("window", "samples", to=None),
        setting("transcript", "utterance_from", to=50),
        setting("transcript", "tentative", to=[{"id": 1}]),
        setting("options", "context", "chunk", to=-3.0),
        setting("options", "context", "left", to=1e300),
        setting("resumed", to="perfectly"),
        setting("closed", to=0),
        lambda header: header.pop("state"),
        lambda header: header.update(memory={}),
        lambda header: header.update(memory=[1]),
        lambda header: header.update(arrays=[["float32", [2**40]]]),
        lambda header: header.update(arrays=[["object", [1]]]),
        lambda header: header.update(arrays=[["float32", [-1]]]),
        lambda header: header.update(arrays=7),
    ],
)
def test_forged_values_are_refused(change):
    data = begun().snapshot()
    assert recognizer().restore(repacked(data, lambda header: None)).tokens == begun().tokens
    with pytest.raises(SnapshotError):
        recognizer().restore(repacked(data, change))
