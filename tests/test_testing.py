"""The fakes do what they say, so that what is tested with them is tested."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming import testing
from parakeet_streaming.engine.window import ContextWindow
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.testing import (
    Cue,
    FakeEncoder,
    FakePieces,
    HandClock,
    ScriptedDecoderJoint,
    ScriptedVad,
    fake_recognizer,
    marked_audio,
    noise,
    silence,
    tone,
)
from parakeet_streaming.timeline import FRAME_SAMPLES, ContextConfig


def test_a_clock_moves_by_hand_alone():
    clock = HandClock(5.0)
    assert (clock(), clock()) == (5.0, 5.0)
    clock.now_s += 1.5
    assert clock() == 6.5


def test_everything_of_it_hides_nothing_of_ours():
    """`Final` of typing stood for our event after `from parakeet_streaming.testing import *`."""
    named = {}
    exec("from parakeet_streaming import *\nfrom parakeet_streaming.testing import *", named)
    import parakeet_streaming

    assert named["Final"] is parakeet_streaming.Final
    clash = set(testing.__all__) & set(parakeet_streaming.__all__)
    assert clash == set()
    made_here = {
        name
        for name, value in vars(testing).items()
        if getattr(value, "__module__", None) == testing.__name__ and not name.startswith("_")
    }
    assert made_here == set(testing.__all__)


def test_the_example_runs():
    (example,) = re.findall(r"```python\n(.*?)```", testing.__doc__, re.DOTALL)
    exec(example, vars(testing) | {"ContextConfig": ContextConfig})


def test_sounds():
    for sound in (silence(0.5), tone(0.5), noise(0.5)):
        assert (sound.shape, sound.dtype) == ((8_000,), np.float32)
    assert not silence(0.5).any()
    assert tone(1.0, level=0.5).max() == pytest.approx(0.5, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(tone(1.0, frequency_hz=1_000.0)))
    assert spectrum.argmax() == 1_000
    assert noise(1.0, level=0.2).std() == pytest.approx(0.2, rel=0.05)
    assert np.array_equal(noise(0.1, seed=1), noise(0.1, seed=1))
    assert not np.array_equal(noise(0.1, seed=1), noise(0.1, seed=2))


def test_marks_can_be_told_apart_to_the_last_frame():
    audio = marked_audio(3, extra_samples=5)
    assert audio.shape == (3 * FRAME_SAMPLES + 5,)
    encoded = FakeEncoder().encode([EncoderInput(audio)])
    assert encoded.frames[0][:, 0].tolist() == [0, 1, 2]
    assert encoded.lengths == (3,)
    last = np.float32(2**23 - 1) * np.float32(2.0**-23)
    encoded = FakeEncoder().encode([EncoderInput(np.full(FRAME_SAMPLES, last))])
    assert encoded.frames[0][0, 0] == 2**23 - 1


def test_windows_of_many_lengths():
    encoder = FakeEncoder()
    windows = [marked_audio(2), marked_audio(0, 159), marked_audio(3, 160)]
    encoded = encoder.encode([EncoderInput(window) for window in windows])
    assert [row[:, 0].tolist() for row in encoded.frames] == [[0, 1], [], [0, 1, 2, 3]]
    assert encoded.lengths == (2, 0, 4)
    assert encoder.calls == [(2560, 159, 4000)]
    assert encoder.encode([]).frames == []


@given(
    frames=st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(0, 3)),
    samples=st.integers(0, 40_000),
)
def test_a_frame_means_the_same_in_every_window(frames, samples):
    window = ContextWindow(ContextConfig(*(each * 0.08 + 0.03 for each in frames)))
    window.feed(marked_audio(samples // FRAME_SAMPLES, samples % FRAME_SAMPLES))
    window.end()
    while (each := window.peek()) is not None:
        encoded = FakeEncoder().encode([EncoderInput(each.samples)])
        first = each.left_frames
        heard = encoded.frames[0][first : first + each.chunk_frames(encoded.lengths[0]), 0]
        start = each.chunk_start // FRAME_SAMPLES
        expected = np.arange(start, start + len(heard))
        # An unaligned last window may end in one frame more, which is still the last one.
        assert heard.tolist() == np.minimum(expected, (samples - 1) // FRAME_SAMPLES).tolist()
        window.advance(each)


def test_the_script_is_read_in_order():
    joint = ScriptedDecoderJoint([Cue(1, 2, duration=3), Cue(1, 0)], vocabulary_size=3)
    frames = np.arange(4, dtype=np.float32).reshape(1, 4, 1)
    output, hidden, cell = joint.start()
    tokens, durations = joint.score(frames, output)
    assert tokens.argmax(-1).tolist() == [[3, 2, 3, 3]]
    assert durations.argmax(-1).tolist() == [[1, 3, 1, 1]]
    output, hidden, cell = joint.advance([2], hidden, cell)
    assert joint.score(frames, output)[0].argmax(-1).tolist() == [[3, 0, 3, 3]]
    output, *_ = joint.advance([0], hidden, cell)
    assert joint.score(frames, output)[0].argmax(-1).tolist() == [[3, 3, 3, 3]]


def test_rows_of_a_batch_have_their_own_place_in_the_script():
    joint = ScriptedDecoderJoint([Cue(0, 0), Cue(0, 1)], vocabulary_size=2)
    _, hidden, cell = joint.start()
    two = joint.advance(
        [0, 0], np.concatenate([hidden, hidden + 1], 1), np.concatenate([cell, cell], 1)
    )
    tokens, _ = joint.score(np.zeros((2, 1, 1), np.float32), two[0])
    assert tokens.argmax(-1).tolist() == [[1], [2]]


def test_blanks_can_last():
    joint = ScriptedDecoderJoint([], vocabulary_size=1, blank_durations={0: 4, 1: 0})
    frames = np.arange(3, dtype=np.float32).reshape(1, 3, 1)
    _, durations = joint.score(frames, joint.start()[0])
    assert durations.argmax(-1).tolist() == [[4, 0, 1]]


def test_without_durations_there_are_no_duration_logits():
    joint = ScriptedDecoderJoint([Cue(0, 0)], vocabulary_size=1, durations=())
    tokens, durations = joint.score(np.zeros((1, 1, 1), np.float32), joint.start()[0])
    assert tokens.argmax(-1).tolist() == [[0]]
    assert durations is None


def test_a_blank_that_reaches_the_prediction_network_is_an_error():
    joint = ScriptedDecoderJoint([], vocabulary_size=1)
    _, hidden, cell = joint.start()
    with pytest.raises(AssertionError, match="a blank"):
        joint.advance([1], hidden, cell)


def test_pieces_start_words_or_continue_them():
    pieces = FakePieces(["walk", "+ing", "+."])
    assert [pieces.text_of(token_id) for token_id in range(3)] == [" walk", "ing", "."]


def test_a_fake_recognizer_hears_its_script():
    recognizer = fake_recognizer(
        [Cue(0, 0), Cue(5, 1)], ["walk", "+ing"], blank_durations={1: 4}, max_samples=40 * 1280
    )
    assert recognizer.name == "fake"
    assert recognizer.max_window_samples == 40 * 1280
    transcript = recognizer.transcribe(marked_audio(10))
    assert transcript.text == "walking"
    assert [each.start_frame for each in transcript.tokens] == [0, 5]


def test_a_scripted_vad_reads_its_script_in_every_stream():
    vad = ScriptedVad([0.1, 0.9])
    frame = silence(0.032)
    state, found = vad.start(), []
    for _ in range(3):
        probabilities, (state, _) = vad.probabilities([frame, frame], [state, vad.start()])
        found.append([each.item() for each in probabilities])
    assert found == [pytest.approx(each) for each in ([0.1, 0.1], [0.9, 0.1], [0.0, 0.1])]
    assert vad.calls == [2, 2, 2]


def test_a_scripted_vad_reads_its_script_in_blocks_of_any_length():
    vad = ScriptedVad([0.1, 0.9, 0.2])
    (first, second), states = vad.probabilities([silence(0.032), silence(0.064)], [0, 0])
    assert (first.tolist(), second.tolist()) == (pytest.approx([0.1]), pytest.approx([0.1, 0.9]))
    kept = vad.state_from_arrays(vad.state_to_arrays(states[0]))
    (third,), _ = vad.probabilities([silence(0.096)], [kept])
    assert third.tolist() == pytest.approx([0.9, 0.2, 0.0])


def test_without_a_script_what_is_loud_is_speech():
    vad = ScriptedVad(level=0.05, frame_samples=160)
    frames = [silence(0.01), tone(0.01, level=0.06), tone(0.01, level=0.5)]
    probabilities, states = vad.probabilities(frames, [vad.start()] * 3)
    assert [each.tolist() for each in probabilities] == [[0.0], [0.0], [1.0]]
    assert (probabilities[0].dtype, states) == (np.float32, [1, 1, 1])


@pytest.mark.parametrize(("length", "state"), [(511, 0), (512, None)])
def test_a_scripted_vad_is_strict(length, state):
    with pytest.raises(AssertionError, match="of another"):
        ScriptedVad([]).probabilities([np.zeros(length, np.float32)], [state])
