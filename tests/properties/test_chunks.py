"""Chunk borders: nothing is lost at one, nothing invented, and neighbours never meet."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.load import open_decoder_joint
from parakeet_streaming.model.confidence import probability
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.results import Final
from parakeet_streaming.runtime.session import open_session
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    ScriptedDecoderJoint,
    fake_recognizer,
    marked_audio,
    recognizer_of,
)
from parakeet_streaming.timeline import ContextConfig
from tests.model.decoding import decode, initial_state
from tests.model.hashed import SIZE, HashedJoint, context_of

contexts = st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(0, 4))


class Listening(FakeEncoder):
    """Keeps what it was given."""

    def __init__(self):
        super().__init__()
        self.windows = []

    def encode(self, inputs):
        self.windows += [each.samples.copy() for each in inputs]
        return super().encode(inputs)


@given(frames=contexts, samples=st.integers(0, 50_000))
def test_every_sample_is_chunk_exactly_once(frames, samples):
    encoder = Listening()
    joint = ScriptedDecoderJoint([], vocabulary_size=1)
    recognizer = recognizer_of(encoder, joint, FakePieces(["word"]))
    stream = recognizer.stream(ContextConfig(*context_of(*frames)))
    # Noise far below half a mark: each sample its own, and the marks still legible.
    audio = np.arange(1, samples + 1, dtype=np.float32) * np.float32(2.0**-50)
    partials = [*stream.feed(audio), *stream.finish()][:-1]
    chunks, start = [], 0
    for window, partial in zip(encoder.windows, partials, strict=True):
        end, heard = round(partial.committed_s * 16_000), round(partial.lookahead_end_s * 16_000)
        assert np.array_equal(window, audio[heard - len(window) : heard])
        left = start - (heard - len(window))
        assert left >= 0
        chunks.append(window[left : left + end - start])
        start = end
    assert np.array_equal(np.concatenate([*chunks, audio[:0]]), audio)


@given(frames=contexts, length=st.integers(1, 40), extra=st.integers(0, 159))
def test_every_frame_is_decoded_exactly_once(frames, length, extra):
    script = [Cue(frame, 0) for frame in range(length)]
    stream = fake_recognizer(script, ["word"]).stream(ContextConfig(*context_of(*frames)))
    audio = marked_audio(length, extra)
    partials = [*stream.feed(audio), *stream.finish()][:-1]
    committed = [each.start_frame for partial in partials for each in partial.tokens]
    assert committed == list(range(length))


@given(
    frames=contexts,
    length=st.integers(1, 40),
    durations=st.lists(st.integers(1, 4), min_size=40, max_size=40),
)
def test_what_is_tentative_is_committed_next_when_the_frames_stay_the_same(
    frames, length, durations
):
    starts = np.cumsum([0, *durations])
    script = [
        Cue(int(start), 0, duration=each) for start, each in zip(starts, durations, strict=False)
    ]
    stream = fake_recognizer(script, ["word"]).stream(ContextConfig(*context_of(*frames)))
    *partials, _ = [*stream.feed(marked_audio(length)), *stream.finish()]
    committed = [token for partial in partials for token in partial.tokens]
    seen = 0
    for partial in partials:
        seen += len(partial.tokens)
        assert list(partial.tentative) == committed[seen : seen + len(partial.tentative)]
    assert partials[-1].tentative == ()


def in_chunks(frames, chunk_frames, decoder_joint):
    """What frames (1, U, D) give in chunks of one size: what must be equal, and confidences."""
    state, spoken, sure = initial_state(decoder_joint), [], []
    for first in range(0, frames.shape[1], chunk_frames):
        chunk = frames[:, first : first + chunk_frames]
        (result,) = decode(
            chunk,
            [chunk.shape[1]],
            [state],
            decoder_joint,
            max_symbols=10,
            confidence=probability,
        )
        state = result.state
        spoken += [(each.token_id, each.frame, each.duration_frames) for each in result.emissions]
        sure += [each.confidence for each in result.emissions]
    return spoken, sure, state


def check_every_chunk_size(frames, decoder_joint):
    total = frames.shape[1]
    spoken, sure, last = in_chunks(frames, total, decoder_joint)
    for chunk_frames in range(1, total + 1):
        again, sure_again, state = in_chunks(frames, chunk_frames, decoder_joint)
        assert again == spoken
        assert sure_again == pytest.approx(sure, abs=1e-5)
        assert (state.frames_to_skip, state.decoded_frames) == (last.frames_to_skip, total)
        assert state.last_token == last.last_token
    return spoken


@settings(max_examples=25)
@given(
    durations=st.lists(st.integers(0, 4), min_size=1, max_size=25),
    gaps=st.lists(st.integers(0, 6), min_size=25, max_size=25),
    blanks=st.dictionaries(st.integers(0, 30), st.integers(0, 4), max_size=6),
    frames_per_call=st.integers(1, 9),
)
def test_every_chunk_size_decodes_a_script_alike(durations, gaps, blanks, frames_per_call):
    frame, script = 0, []
    for duration, gap in zip(durations, gaps, strict=False):
        frame += gap
        script.append(Cue(frame, 0, duration=duration))
        frame += duration
    joint = ScriptedDecoderJoint(
        script, vocabulary_size=1, blank_durations=blanks, frames_per_call=frames_per_call
    )
    check_every_chunk_size(np.arange(30, dtype=np.float32).reshape(1, 30, 1), joint)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), durations=st.sampled_from([(0, 1, 2, 3, 4), (0, 9), ()]))
def test_every_chunk_size_decodes_nonsense_alike(seed, durations):
    joint = HashedJoint(seed, durations=durations)
    frames = np.random.default_rng(seed).integers(0, SIZE, (1, 30, 1)).astype(np.float32)
    check_every_chunk_size(frames, joint)


@pytest.fixture(scope="module")
def speech(golden_folder):
    """Recordings of the golden cases, (n,) at 16 kHz."""
    names = ["cards", "espeak", "jfk", "librivox-short", "pauses"]
    return [
        soundfile.read(golden_folder / "audio" / f"{name}.wav", dtype="float32")[0]
        for name in names
    ]


def test_every_chunk_size_decodes_a_real_model_s_frames_alike(golden_folder, speech):
    # Encoder and decoder apart, so that the encoder's frames stay the same.
    parts = find_parts(golden_folder / "tdt-tiny-onnx")
    spec = read_spec(parts)
    encoder = OnnxEncoder(open_session(parts.encoder.path), spec)
    joint = open_decoder_joint(parts, spec, "cpu")
    for samples in speech[:3]:
        frames = encoder.encode([EncoderInput(samples[:64_000])]).frames
        assert len(check_every_chunk_size(np.stack(frames), joint)) > 5


def plain(events):
    """Events without confidences, whose last bits may differ from batch to batch."""
    *partials, final = events
    assert isinstance(final, Final)

    def spoken(tokens):
        return [(each.id, each.text, each.start_frame, each.duration_frames) for each in tokens]

    steps = [
        (
            each.text,
            spoken(each.tokens),
            spoken(each.tentative),
            each.committed_s,
            each.lookahead_end_s,
        )
        for each in partials
    ]
    return steps, spoken(final.transcript.tokens), final.transcript.text


def sure(events):
    return [token.confidence for token in events[-1].transcript.tokens]


@pytest.mark.parametrize("seed", range(4))
def test_streams_of_a_real_model_in_one_step_are_each_what_they_are_alone(
    golden_recognizer, speech, seed
):
    generator = np.random.default_rng(seed)
    choices = ["2-0.5-0.5", "1-0.24-0.56", "10-1.12-0.24", "0-0.4-0", "3-0.56-0.08", "5-0.5-0.5"]
    count = 6
    audios, joins = [], generator.integers(0, 8, count)
    for _ in range(count):
        samples = speech[generator.integers(len(speech))]
        first = generator.integers(0, len(samples) // 2)
        audios.append(samples[first : first + generator.integers(100, 48_000)])
    contexts = [ContextConfig.parse(choices[each]) for each in generator.integers(0, 6, count)]

    alone = []
    for context, audio in zip(contexts, audios, strict=True):
        stream = golden_recognizer.stream(context)
        alone.append([*stream.feed(audio), *stream.finish()])

    streams = [golden_recognizer.stream(context) for context in contexts]
    together = [[] for _ in streams]
    places, turn = np.zeros(count, dtype=int), 0
    while not all(stream.closed for stream in streams):
        for each, (stream, audio) in enumerate(zip(streams, audios, strict=True)):
            if turn < joins[each] or places[each] > len(audio):
                continue
            # Audio arrives in pieces of its own size; a stream that has ended leaves.
            size = int(generator.integers(1, 9_000))
            stream.push(audio[places[each] : places[each] + size])
            places[each] += size
            if places[each] >= len(audio):
                places[each] = len(audio) + 1
                stream.end()
        for each, events in enumerate(golden_recognizer.step(streams)):
            together[each] += events
        turn += 1

    for with_others, by_itself in zip(together, alone, strict=True):
        assert plain(with_others) == plain(by_itself)
        assert sure(with_others) == pytest.approx(sure(by_itself), abs=1e-4)
    assert sum(len(sure(each)) for each in alone) > 10
