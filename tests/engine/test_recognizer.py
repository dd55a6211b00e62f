"""Many streams in one step, whole recordings, and what a recognizer refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.recognizer import MAX_WINDOW_SAMPLES
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.errors import AudioInputError, ContextError, OptionError
from parakeet_streaming.results import Final
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    fake_recognizer,
    marked_audio,
    noise,
    recognizer_of,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig
from tests.model.hashed import (
    TEXTS,
    HashedEncoder,
    HashedJoint,
    context_of,
    hashed_recognizer,
)

contexts = st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(0, 3))


def opened(recognizer, frames, *, tentative=True, guard=None):
    context = ContextConfig(*context_of(*frames))
    return recognizer.stream(context, tentative=tentative, stall_guard=guard)


def together(recognizer, streams, audios, joins):
    """Streams of which each is pushed whole and ended when its turn to join has come."""
    given = [[] for _ in streams]
    turn = 0
    while not all(stream.closed for stream in streams):
        for stream, audio, join in zip(streams, audios, joins, strict=True):
            if join == turn:
                stream.push(audio)
                stream.end()
        for place, events in enumerate(recognizer.step(streams)):
            given[place] += events
        turn += 1
    return given


@settings(max_examples=200)
@given(
    seed=st.integers(0, 99),
    speakers=st.lists(
        st.tuples(
            contexts, st.integers(0, 20_000), st.integers(0, 6), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=5,
    ),
    durations=st.sampled_from([(0, 1, 2, 3, 4), ()]),
)
def test_streams_together_give_what_each_gives_alone(seed, speakers, durations):
    recognizer = hashed_recognizer(seed, durations=durations)
    guard = StallGuard(min_speech_s=0.2, above_floor_db=-20.0, min_confidence=0.0)

    def open_all():
        return [
            opened(recognizer, frames, tentative=tentative, guard=guard if guarded else None)
            for frames, _, _, tentative, guarded in speakers
        ]

    audios = [noise(1.25, seed=place)[: each[1]] for place, each in enumerate(speakers)]
    alone = [
        [*stream.feed(audio), *stream.finish()]
        for stream, audio in zip(open_all(), audios, strict=True)
    ]
    assert together(recognizer, open_all(), audios, [each[2] for each in speakers]) == alone


def test_one_step_is_one_encoder_call_for_those_that_are_ready():
    encoder = FakeEncoder()
    joint = ScriptedDecoderJoint([], vocabulary_size=1)
    recognizer = recognizer_of(encoder, joint, FakePieces(["one"]))
    streams = [opened(recognizer, frames) for frames in [(2, 1, 1), (0, 3, 0), (1, 1, 1)]]
    for stream, frames in zip(streams, [3, 3, 9], strict=True):
        stream.push(marked_audio(frames))
    events = recognizer.step(streams)
    assert encoder.calls == [(2 * FRAME_SAMPLES, 2 * FRAME_SAMPLES)]
    assert [len(each) for each in events] == [1, 0, 1]


def test_a_step_has_phases_between_which_an_owner_can_look_at_a_clock(monkeypatch):
    recognizer = fake_recognizer([Cue(0, 0)], ["one"])
    order = []
    joint = ScriptedDecoderJoint.score
    monkeypatch.setattr(
        ScriptedDecoderJoint, "score", lambda *args: (order.append("score"), joint(*args))[1]
    )
    encode = FakeEncoder.encode
    monkeypatch.setattr(
        FakeEncoder, "encode", lambda *args: (order.append("encode"), encode(*args))[1]
    )
    stream = recognizer.stream(ContextConfig(*context_of(0, 1, 0)))
    stream.push(marked_audio(2))
    step = recognizer.prepare([stream.windowed])
    assert order == []
    step.encode()
    assert order == ["encode"]
    step.decode()
    assert order[1:] == ["score"] * (len(order) - 1)
    assert stream.windowed.window.decoded_samples == 0
    ((partial,),) = step.commit()
    assert partial.committed_s == 0.08


def test_no_stream_and_none_ready_is_no_call():
    recognizer = fake_recognizer([], ["one"])
    assert recognizer.step([]) == []
    assert recognizer.step([recognizer.stream(), recognizer.stream()]) == [(), ()]


def test_a_stream_given_twice_is_refused_before_anything_runs():
    recognizer = hashed_recognizer(blanks=0.0)
    stream = opened(recognizer, (2, 1, 1))
    stream.push(noise(1.0))
    with pytest.raises(OptionError, match="given twice"):
        recognizer.step([stream, recognizer.stream(), stream])
    assert (stream.tokens, stream.windowed.window.decoded_samples) == ((), 0)


def test_a_stream_of_another_recognizer_is_refused_before_anything_runs():
    one, other = hashed_recognizer(blanks=0.0), hashed_recognizer(blanks=0.0)
    stream = opened(other, (2, 1, 1))
    stream.push(noise(1.0))
    with pytest.raises(OptionError, match="another recognizer"):
        one.step([one.stream(), stream])
    assert stream.windowed.window.decoded_samples == 0


def test_a_stream_that_has_ended_closes_in_a_step_of_others():
    recognizer = fake_recognizer([], ["one"])
    ended, going = opened(recognizer, (2, 1, 1)), opened(recognizer, (2, 1, 1))
    ended.end()
    going.push(marked_audio(3))
    (final,), (partial,) = recognizer.step([ended, going])
    assert isinstance(final, Final)
    assert partial.committed_s == 0.08
    assert recognizer.step([ended, going]) == [(), ()]


@pytest.mark.parametrize("part", ["encode", "score", "text_of"])
def test_a_step_that_fails_moves_no_stream(part, monkeypatch):
    encoder, joint, pieces = HashedEncoder(), HashedJoint(blanks=0.0), FakePieces(TEXTS)
    recognizer = recognizer_of(encoder, joint, pieces)
    audios = [noise(0.5, seed=seed) for seed in range(3)]

    def open_all():
        streams = [opened(recognizer, (2, 2, 1)) for _ in audios]
        for stream, audio in zip(streams, audios, strict=True):
            stream.push(audio)
        return streams

    owner = {"encode": encoder, "score": joint, "text_of": pieces}[part]
    works = getattr(owner, part)
    calls = []

    def counted(*args):
        calls.append(args)
        if len(calls) == last_call:
            raise MemoryError
        return works(*args)

    # The last call of a step comes when all but one stream are done.
    last_call = None
    monkeypatch.setattr(owner, part, counted)
    expected = recognizer.step(open_all())
    last_call = len(calls)
    calls.clear()
    streams = open_all()
    with pytest.raises(MemoryError):
        recognizer.step(streams)
    assert [(each.tokens, each.windowed.window.decoded_samples) for each in streams] == [
        ((), 0)
    ] * 3
    assert recognizer.step(streams) == expected


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.08, 1.0, 1.04])
def test_a_recording_is_one_window(rate_hz, seconds):
    encoder = FakeEncoder()
    recognizer = recognizer_of(
        encoder, ScriptedDecoderJoint([], vocabulary_size=1), FakePieces(["one"])
    )
    samples = noise(8.0)[: round(seconds * rate_hz)]
    transcript = recognizer.transcribe(samples, rate_hz)
    taken = round(len(samples) * 16_000 / rate_hz)
    assert encoder.calls == ([(taken,)] if taken else [])
    assert transcript.audio_s == taken / 16_000


@pytest.mark.parametrize("frames", [1, 2, 29, 57, 58, 1000, 4998, 4999, 5000])
@pytest.mark.parametrize("off_by", [-1, 0, 1])
def test_a_window_for_the_whole_recording_holds_it(frames, off_by):
    samples = frames * FRAME_SAMPLES + off_by
    context = fake_recognizer([], ["one"]).offline_context(samples / 16_000)
    if samples <= 4998 * FRAME_SAMPLES:
        assert context.effective[::2] == (0.0, 0.0)
        assert samples <= context.samples.chunk <= MAX_WINDOW_SAMPLES
    else:
        assert context.samples.window <= MAX_WINDOW_SAMPLES


@pytest.mark.parametrize("max_samples", [None, 400 * 16_000, 75 * 16_000, 1_000_000, 20_000])
def test_overlapping_windows_fit_the_model(max_samples):
    recognizer = fake_recognizer([], ["one"], max_samples=max_samples)
    context = recognizer.offline_context(None)
    assert context.samples.window <= recognizer.max_window_samples
    assert recognizer.offline_context(3600.0) == context
    assert recognizer.stream(context).context == context


def test_a_recording_too_long_for_one_window_is_heard_in_overlapping_ones():
    script = [Cue(frame, frame % 2, duration=4) for frame in range(0, 100, 4)]
    joint = ScriptedDecoderJoint(script, vocabulary_size=2)
    encoder = FakeEncoder(max_samples=30 * FRAME_SAMPLES)
    recognizer = recognizer_of(encoder, joint, FakePieces(["one", "two"]))
    transcript = recognizer.transcribe(marked_audio(100))
    assert [each.start_frame for each in transcript.tokens] == list(range(0, 100, 4))
    assert max(max(call) for call in encoder.calls) <= 30 * FRAME_SAMPLES
    assert len(encoder.calls) > 3


def test_offline_equals_a_stream_of_one_window():
    recognizer = hashed_recognizer(3)
    audio = noise(2.0)
    stream = opened(recognizer, (0, 40, 0))
    stream.feed(audio)
    assert recognizer.transcribe(audio) == stream.finish()[-1].transcript


def test_a_recording_of_many_types_is_the_same():
    recognizer = hashed_recognizer(3)
    audio = (noise(1.0) * 20_000).astype(np.int16)
    stereo = np.stack([audio, audio], axis=1)
    assert recognizer.transcribe(audio) == recognizer.transcribe(stereo)


def test_transcribe_mends_stalls_only_when_asked():
    recognizer = hashed_recognizer(0, blanks=0.7)
    audio = noise(4.0)
    guard = StallGuard(min_speech_s=0.2, above_floor_db=-20.0, min_confidence=0.0)
    assert not any(each.recovered for each in recognizer.transcribe(audio).tokens)
    guarded = recognizer.transcribe(audio, stall_guard=guard)
    assert sum(each.recovered for each in guarded.tokens) == 3


@pytest.mark.parametrize("rate", [0, -16_000, 3_999, 384_001, 16_000.0, True, "16000"])
def test_rates_no_audio_has_are_refused(rate):
    recognizer = fake_recognizer([], ["one"])
    with pytest.raises(ContextError, match="sample_rate"):
        recognizer.transcribe([0.0], rate)


def test_samples_that_are_none_are_refused():
    with pytest.raises(AudioInputError):
        fake_recognizer([], ["one"]).transcribe(["loud"])


def test_a_window_longer_than_the_model_takes_is_refused():
    recognizer = fake_recognizer([], ["one"], max_samples=10 * FRAME_SAMPLES)
    assert opened(recognizer, (4, 4, 2))
    with pytest.raises(ContextError, match=r"at most 0\.8 s: shorten"):
        opened(recognizer, (4, 4, 3))
    with pytest.raises(ContextError, match="at most 400 s"):
        fake_recognizer([], ["one"]).stream(ContextConfig(left=500.0))


def test_a_recognizer_says_what_computes():
    assert fake_recognizer([], ["one"]).runs_on == "fakes"


def test_streams_are_balanced_where_nothing_is_said():
    recognizer = fake_recognizer([], ["one"])
    assert recognizer.stream().context == ContextConfig.balanced()
    assert recognizer.name == "fake"


@pytest.mark.parametrize("audio_s", [float("nan"), -1.0, "10", True])
def test_a_length_that_is_none(audio_s):
    with pytest.raises(OptionError, match="audio_s"):
        fake_recognizer([], ["one"]).offline_context(audio_s)


@pytest.mark.parametrize("audio_s", [401.0, 1e18, 1e300, float("inf"), None])
def test_a_length_beyond_a_window_is_one_of_overlapping_windows(audio_s):
    assert fake_recognizer([], ["one"]).offline_context(audio_s).right > 0


def test_choices_reach_the_words():
    script = [Cue(0, 0, duration=0), Cue(0, 1, duration=0), Cue(0, 2), Cue(30, 0)]
    audio = marked_audio(40)

    def words(**choices):
        options = RecognitionOptions(**choices)
        recognizer = fake_recognizer(script, ["one", "+ty", "two"], options=options)
        return recognizer.transcribe(audio)

    assert [each.text for each in words().words] == ["onety", "two", "one"]
    assert [each.text for each in words(max_symbols=2).words] == ["onety", "one"]
    assert [each.text for each in words(segment_gap_s=1.0).segments] == ["onety two", "one"]
    probability = 1 / (1 + 3 * np.exp(-10))
    assert words().words[0].confidence == pytest.approx(probability)
    assert words(confidence="entropy").words[0].confidence < probability
    assert words(word_confidence="mean").words[0].confidence == pytest.approx(probability)
