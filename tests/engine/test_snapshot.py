"""A stream written down: what a snapshot holds, and what is refused."""

import json
import zlib
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine import snapshot
from parakeet_streaming.engine.activity import SpeechDetector
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.snapshot import MAGIC, VERSION
from parakeet_streaming.engine.stream_state import ActivityState, Endpoint
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
            detector.state(),
            ((4512, 0.5), (5000, -1.0)),
            7,
            endpointer.state(),
            Endpoint("commit", 5),
            ((1, 2), (3, 4)),
            (0.5, 0.0),
            9,
        ),
    )
    vad = ScriptedVad()
    again = codec.decode(codec.encode(state, vad), vad)
    assert again.activity == state.activity
    assert SpeechDetector.of(again.activity.detector).state() == detector.state()
    assert Endpointer.of(again.activity.endpointer).state() == endpointer.state()
    assert again.options == state.options
    assert np.array_equal(again.window.samples, state.window.samples)


def test_what_was_found_in_the_right_context_comes_back():
    stream = hashed_recognizer(blanks=0.3).stream(ContextConfig(2.0, 0.4, 0.8))
    stream.feed(noise(3.0))
    ahead = stream.windowed.ahead
    assert ahead.emissions
    again = hashed_recognizer(blanks=0.3).restore(stream.snapshot()).windowed
    assert again.ahead == ahead
    assert (again.read_to, again.last_token) == (
        stream.windowed.read_to,
        stream.windowed.last_token,
    )


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


@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
@pytest.mark.parametrize("silence_s", [0.0, 0.5])
@pytest.mark.parametrize("audio", [True, False])
def test_a_stream_that_has_ended_keeps_the_audio_it_cannot_be_given_again(
    audio, silence_s, rate_hz
):
    context = replace(CONTEXT, sample_rate=rate_hz)
    streams = [hashed_recognizer(blanks=0.3).stream(context) for _ in range(2)]
    for stream in streams:
        stream.feed(noise(1.2))
        stream.end(silence_s)
    whole, cut = streams
    again = hashed_recognizer(blanks=0.3).restore(cut.snapshot(audio=audio))
    assert again.finish() == whole.finish()


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
    assert (again.restored.resumed, again.restored.next_sample) == ("warm", cut)
    again.feed(audio[cut:])
    for each in (whole, again):
        each.end()
    one, other = (each.windowed.window for each in (whole, again))
    assert one.fed_samples == other.fed_samples
    start = one.fed_samples - 8_000
    difference = one.samples(start, one.fed_samples) - other.samples(start, other.fed_samples)
    assert np.abs(difference).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_at_another_rate_and_without_audio_the_samples_to_push_are_those_of_the_window(rate_hz):
    audio = noise(rate_hz * 4 / 16_000)
    context = ContextConfig(0.8, 0.4, 0.2, sample_rate=rate_hz)
    stream = hashed_recognizer().stream(context)
    stream.feed(audio[: 3 * rate_hz])
    again = hashed_recognizer().restore(stream.snapshot(audio=False))
    first, needed = again.restored.next_sample, again.windowed.window.fed_samples
    assert 0 < needed < 3 * 16_000
    assert first == round(needed * rate_hz / 16_000)
    again.feed(audio[first:])
    stream.feed(audio[3 * rate_hz :])
    for each in (stream, again):
        each.finish()
    assert stream.transcript().audio_s == again.transcript().audio_s == 4.0


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


def packed(body):
    """A snapshot of bytes that somebody made up."""
    data = begun().snapshot()
    return data[:8] + blake2b(body, digest_size=16).digest() + body


def test_a_snapshot_of_bytes_that_were_made_up_is_refused():
    body = begun().snapshot()[24:]
    for forged, message in [
        (b"no zlib", "damaged"),
        (body[:-9], "too early"),
        (body + b"more", "too late"),
        (zlib.compress(b""), "header"),
        (zlib.compress(b"\xff\xff\xff\xff"), "header"),
        (zlib.compress(b"\x40\x00\x00\x00{}"), "header"),
        (zlib.compress(b"\x02\x00\x00\x00{]"), "usable"),
        (zlib.compress(b"\x02\x00\x00\x00[]"), "usable"),
        (zlib.compress(b"\x02\x00\x00\x00\xff\xff"), "usable"),
        (zlib.compress((200_000).to_bytes(4, "little") + b"[" * 200_000), "usable"),
    ]:
        with pytest.raises(SnapshotError, match=message):
            recognizer().restore(packed(forged))


def test_a_snapshot_that_unpacks_to_more_than_it_may_is_refused(monkeypatch):
    data = begun().snapshot()
    monkeypatch.setattr(snapshot, "MAX_BYTES", 20_000)
    with pytest.raises(SnapshotError, match="larger than 20000"):
        recognizer().restore(data)
    with pytest.raises(SnapshotError, match="without its audio"):
        begun().snapshot()
    assert recognizer().restore(begun().snapshot(audio=False)).tokens == begun().tokens


def test_a_header_longer_than_it_may_be_is_refused(monkeypatch):
    data = begun().snapshot()
    monkeypatch.setattr(snapshot, "_MAX_HEADER_BYTES", 500)
    with pytest.raises(SnapshotError, match="header is of"):
        recognizer().restore(data)
    with pytest.raises(SnapshotError, match="more than 500"):
        begun().snapshot()


def setting(*path, to):
    def change(header):
        *folders, name = path
        place = header["state"]
        for each in folders:
            place = place[each]
        assert name in place
        place[name] = to

    return change


def with_array(at, *, kind, shape):
    return lambda header: header["arrays"].__setitem__(at, [kind, shape])


LARGE = 10**400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting("decoder", "frames_to_skip", to=-1), "skipped frames"),
        (setting("decoder", "decoded_frames", to=2**60), "out of range"),
        (setting("decoder", "decoded_frames", to="3"), "where <class 'int'> belongs"),
        (setting("decoder", "decoded_frames", to=True), "where <class 'int'> belongs"),
        (setting("decoder", "last_token", to=99), "token"),
        (setting("ahead", "decoder", "last_token", to=99), "right context"),
        (setting("ahead", "decoder", "frames_to_skip", to=-1), "right context"),
        (setting("ahead", "decoder", "decoded_frames", to=3), "right context"),
        (setting("ahead", "decoder", "decoded_frames", to=200_000), "right context"),
        (setting("ahead", "emissions", 0, "frame", to=2), "right context"),
        (setting("ahead", "emissions", 0, "frame", to=5), "right context"),
        (setting("ahead", "emissions", 0, "token_id", to=3), "right context"),
        (setting("ahead", "emissions", 0, "duration_frames", to=-1), "right context"),
        (setting("ahead", "emissions", 0, "confidence", to=1.5), "right context"),
        (lambda header: header.update(ahead=None), "usable"),
        (lambda header: header.update(ahead={}), "decoder memory"),
        (setting("window", "kept_from", to=-5), "positions"),
        (setting("window", "audio_end", to=5), "ended"),
        (setting("window", "samples", to={"array": 77}), "usable"),
        (setting("window", "samples", to=None), "usable"),
        (setting("window", "samples", to={"array": 2}), "int32 where float32 belongs"),
        (setting("transcript", "utterance_from", to=50), "utterance's start"),
        (setting("transcript", "tentative", to=[{"id": 1}]), "usable"),
        (setting("transcript", "tentative", to=7), "usable"),
        (setting("options", "context", "chunk", to=-3.0), "usable"),
        (setting("options", "context", "left", to=1e300), "out of range"),
        (setting("options", "context", "left", to=LARGE), "usable"),
        (setting("options", "context", "left", to=float("nan")), "out of range"),
        (setting("options", "context", "left", to=3600), "at most 400 s"),
        (setting("options", "context", "sample_rate", to=1), "usable"),
        (setting("resumed", to="perfectly"), "where one of"),
        (setting("resumed", to=["exact"]), "where one of"),
        (setting("closed", to=0), "where <class 'bool'> belongs"),
        (setting("activity", to={}), "usable"),
        (lambda header: header.pop("state"), "usable"),
        (lambda header: header.pop("model"), "usable"),
        (lambda header: header.update(memory={}), "decoder memory"),
        (lambda header: header.update(memory=[1]), "usable"),
        (lambda header: header.update(arrays=7), "usable"),
        (with_array(0, kind="float32", shape=[2**40]), "an array of float32"),
        (with_array(0, kind="object", shape=[1]), "an array of object"),
        (with_array(0, kind="float32", shape=[-1]), "an array of float32"),
        (with_array(0, kind="float32", shape=[2**63]), "an array of float32"),
        (with_array(0, kind="float32", shape=[2**32, 2**32]), "an array of float32"),
        (with_array(0, kind="float32", shape=[3, (2**64 - 1) // 3]), "an array of float32"),
        (with_array(0, kind="float32", shape=[2**30, 2**30, 2**30]), "usable"),
        (with_array(0, kind="float32", shape=[1, 2**63, 1]), "an array of float32"),
        (with_array(0, kind="float32", shape=[0.5]), "an array of float32"),
        (with_array(0, kind="float32", shape=[float("nan")]), "an array of float32"),
        (with_array(0, kind="float32", shape=[float("inf"), 1]), "an array of float32"),
        (with_array(0, kind="float32", shape=[True]), "an array of float32"),
        (with_array(0, kind="float32", shape=[None]), "an array of float32"),
        (with_array(0, kind="float32", shape=[1] * 70), "an array of float32"),
        (with_array(0, kind="pcm16", shape=[]), "samples"),
        (with_array(0, kind="pcm16", shape="many"), "an array of pcm16"),
        (with_array(2, kind="int64", shape=[0]), "int64 where int32 belongs"),
    ],
)
def test_forged_values_are_refused(change, message):
    data = begun().snapshot()
    assert recognizer().restore(repacked(data, lambda header: None)).tokens == begun().tokens
    with pytest.raises(SnapshotError, match=message):
        recognizer().restore(repacked(data, change))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_arrays_that_are_not_finite_are_refused(value):
    codec = recognizer().snapshots
    state = begun().windowed.state()
    memory = state.decoder.memory
    for forged in (
        replace(state, window=replace(state.window, samples=np.full(9, value, np.float32))),
        replace(
            state,
            decoder=replace(
                state.decoder, memory=replace(memory, cell=np.full_like(memory.cell, value))
            ),
        ),
    ):
        with pytest.raises(SnapshotError, match="NaN or infinity"):
            codec.decode(codec.encode(forged))


def test_a_snapshot_of_a_cached_stream_needs_an_encoder_that_keeps_its_past():
    stream = hashed_recognizer().stream(CONTEXT)
    state = stream.windowed.state()
    codec = hashed_recognizer().snapshots
    forged = codec.encode(replace(state, options=replace(state.options, cached=True)))
    with pytest.raises(SnapshotError, match="keeps nothing between steps"):
        hashed_recognizer().restore(forged)


def test_an_encoder_is_told_how_many_frames_its_stream_keeps(monkeypatch):
    stream = recognizer().stream(CONTEXT, cached=True)
    stream.feed(marked_audio(8))
    data, asked = stream.snapshot(), []
    monkeypatch.setattr(
        FakeEncoder,
        "past_from_arrays",
        lambda _, arrays, most_frames: asked.append((list(arrays), most_frames)),
    )
    recognizer().restore(data)
    assert asked == [(["kept"], 5)]
