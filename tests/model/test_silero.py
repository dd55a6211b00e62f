"""Speech is found among other sounds, and streams do not influence each other."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.errors import AudioInputError, SnapshotError
from parakeet_streaming.model.silero import VadState, open_silero
from parakeet_streaming.model.silero_graphs import CONTEXT_SAMPLES
from parakeet_streaming.ports import VAD_FRAME_SAMPLES
from parakeet_streaming.testing import noise, silence, tone

ROOT = Path(__file__).parents[2]
SPEECH = {
    "digits": ROOT / "examples/recordings/digits.wav",
    "jfk": ROOT / "tests/parity/golden/audio/jfk.wav",
    "librivox": ROOT / "tests/parity/golden/audio/librivox-short.wav",
}


@pytest.fixture(scope="module")
def vad():
    return open_silero()


def read(name: str) -> np.ndarray:
    samples, rate_hz = soundfile.read(SPEECH[name], dtype="float32")
    assert rate_hz == 16_000
    return samples


def frames_of(samples: np.ndarray) -> np.ndarray:
    whole = samples.shape[0] // VAD_FRAME_SAMPLES
    return samples[: whole * VAD_FRAME_SAMPLES].reshape(whole, VAD_FRAME_SAMPLES)


def heard(vad, samples: np.ndarray) -> np.ndarray:
    """Probabilities of every whole frame of one stream, judged frame by frame."""
    state, found = vad.start(), []
    for frame in frames_of(samples):
        (probabilities,), (state,) = vad.probabilities([frame], [state])
        found.append(probabilities[0])
    return np.array(found)


@pytest.mark.parametrize("name", SPEECH)
def test_speech_is_heard(vad, name):
    samples = read(name)
    probabilities = heard(vad, samples)
    assert probabilities.dtype == np.float32
    assert (probabilities > 0.5).mean() > 0.4
    assert np.percentile(probabilities, 70) > 0.95
    loudness = np.sqrt(np.square(frames_of(samples)).mean(axis=1))
    loudest = loudness > np.percentile(loudness, 80)
    assert probabilities[loudest].mean() > 0.9


@pytest.mark.parametrize(
    "sound",
    [silence(3.0), noise(3.0), noise(3.0, level=0.001), tone(3.0), tone(3.0, 120.0, 0.5)],
    ids=["silence", "noise", "hiss", "tone", "hum"],
)
def test_what_is_no_speech_is_not_heard(vad, sound):
    probabilities = heard(vad, sound)
    # What begins at once out of silence may be taken for a voice at first.
    assert probabilities[:10].max() < 0.6
    assert probabilities[10:].max() < 0.2


def test_pauses_between_words_are_heard_too(vad):
    pause = np.concatenate([read("digits"), silence(1.0), read("digits")])
    at = read("digits").shape[0] // VAD_FRAME_SAMPLES
    probabilities = heard(vad, pause)
    assert probabilities[at + 8 : at + 30].max() < 0.2
    assert probabilities[at + 31 :].max() > 0.9


def test_a_stream_gets_in_a_batch_what_it_gets_alone(vad):
    streams = [
        frames_of(sound)[:60]
        for sound in (read("jfk"), noise(2.0), read("digits"), silence(2.0), read("librivox"))
    ]
    alone = np.stack([heard(vad, frames.ravel()) for frames in streams], axis=1)
    states = [vad.start() for _ in streams]
    for step in range(60):
        together, states = vad.probabilities([frames[step] for frames in streams], states)
        assert [each.shape for each in together] == [(1,)] * 5
        np.testing.assert_allclose(np.concatenate(together), alone[step], rtol=0, atol=1e-6)


@pytest.mark.parametrize("most", [3, 40])
def test_blocks_of_any_length_give_what_single_frames_give(vad, most):
    random = np.random.default_rng(most)
    sounds = [
        *(read(name) for name in SPEECH),
        np.concatenate([noise(5.0, level=0.001), read("digits"), silence(3.0)]),
        silence(6.0),
    ]
    streams = [frames_of(sound) for sound in sounds]
    alone = [heard(vad, sound) for sound in sounds]
    states, judged = [vad.start() for _ in streams], [0] * len(streams)
    while any(at < frames.shape[0] for at, frames in zip(judged, streams, strict=True)):
        rows = [row for row, frames in enumerate(streams) if judged[row] < frames.shape[0]]
        blocks = [streams[row][judged[row] :][: random.integers(1, most)].ravel() for row in rows]
        found, following = vad.probabilities(blocks, [states[row] for row in rows])
        for row, probabilities, state in zip(rows, found, following, strict=True):
            expected = alone[row][judged[row] :][: probabilities.shape[0]]
            assert probabilities.dtype == np.float32
            np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)
            states[row], judged[row] = state, judged[row] + probabilities.shape[0]


def test_a_block_of_minutes_is_one_call(vad):
    samples = np.tile(read("digits"), 8)
    whole = frames_of(samples)
    (found,), _ = vad.probabilities([whole.ravel()], [vad.start()])
    assert found.shape[0] > 2 * 128
    np.testing.assert_allclose(found, heard(vad, samples), rtol=0, atol=1e-6)


def test_streams_may_come_and_go(vad):
    frames = frames_of(read("jfk"))[:40]
    alone = heard(vad, frames.ravel())
    state = vad.start()
    for step, frame in enumerate(frames):
        others = [frames[0]] * (step % 4)
        found, (*_, state) = vad.probabilities(
            [*others, frame], [*(vad.start() for _ in others), state]
        )
        np.testing.assert_allclose(found[-1], alone[step], rtol=0, atol=1e-6)


def test_a_state_is_a_value_that_can_be_used_again(vad):
    first, second = frames_of(read("digits"))[10:12]
    _, (state,) = vad.probabilities([first], [vad.start()])
    once, (after,) = vad.probabilities([second], [state])
    again, _ = vad.probabilities([second], [state])
    assert once[0] == again[0]
    assert np.array_equal(after.context, second[-CONTEXT_SAMPLES:])
    assert not np.shares_memory(after.context, second)
    assert (after.context.shape, after.memory.shape) == ((64,), (2, 128))
    with pytest.raises(FrozenInstanceError):
        after.context = first


def test_no_streams_are_no_call(vad):
    assert vad.probabilities([], []) == ([], [])


@pytest.mark.parametrize("length", [0, 511, 513, 1000])
def test_a_frame_of_another_length_is_refused(vad, length):
    with pytest.raises(AudioInputError, match="512 samples"):
        vad.probabilities([np.zeros(length, dtype=np.float32)], [vad.start()])


def test_a_state_of_something_else_is_refused(vad):
    with pytest.raises(TypeError, match="int"):
        vad.probabilities([np.zeros(VAD_FRAME_SAMPLES, dtype=np.float32)], [3])


def test_every_stream_needs_a_state(vad):
    with pytest.raises(ValueError, match="shorter"):
        vad.probabilities([np.zeros(VAD_FRAME_SAMPLES, dtype=np.float32)] * 2, [vad.start()])


def test_a_start_is_silence(vad):
    start = vad.start()
    assert isinstance(start, VadState)
    assert not start.context.any()
    (found,), _ = vad.probabilities([np.zeros(VAD_FRAME_SAMPLES, dtype=np.float32)], [start])
    assert found[0] < 0.05


def test_a_word_that_begins_with_the_stream_is_heard(vad):
    word = read("digits")[int(0.3 * 16_000) :][: int(0.25 * 16_000)]
    assert heard(vad, word).max() > 0.8


def test_the_notice_ships_with_the_file():
    notice = (BUILT_IN_FOLDER / "silero-vad" / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in notice
    assert "Silero Team" in notice


def test_a_long_silence_makes_it_deaf_to_nothing(vad):
    quiet = noise(30.0, level=0.001)
    samples = read("digits")
    fresh = heard(vad, np.concatenate([quiet[:VAD_FRAME_SAMPLES], samples]))[1:]
    whole = quiet.shape[0] // VAD_FRAME_SAMPLES
    late = heard(vad, np.concatenate([quiet[: whole * VAD_FRAME_SAMPLES], samples]))[whole:]
    assert (late > 0.5).argmax() <= (fresh > 0.5).argmax() + 1
    assert np.abs(late - fresh).mean() < 0.05


def test_two_seconds_of_silence_are_all_it_knows(vad):
    state, known = vad.start(), []
    for _ in range(5 * 31):
        _, (state,) = vad.probabilities([silence(0.032)], [state])
        known.append(state.memory)
    np.testing.assert_array_equal(known[30], known[61])
    np.testing.assert_array_equal(known[31], known[62])
    np.testing.assert_array_equal(known[30], known[154])
    assert (known[40] != known[30]).any()
    assert state.saved is not None
    for frame in frames_of(read("jfk")):
        ((probability,),), (state,) = vad.probabilities([frame], [state])
        if probability > 0.5:
            break
    assert (probability > 0.5, state.silent_frames, state.saved) == (True, 0, None)


@pytest.mark.parametrize("hertz", [120.0, 440.0])
def test_a_hum_that_goes_on_is_taken_for_a_voice_no_more_than_once(vad, hertz):
    probabilities = heard(vad, tone(30.0, hertz, 0.2) + noise(30.0, 0.003))
    assert probabilities[40:].max() < 0.35


def same(one, other):
    """Whether two states are the same value."""
    arrays = [(each.context, each.memory, each.saved) for each in (one, other)]
    return one.silent_frames == other.silent_frames and all(
        (first is None) == (second is None) and (first is None or np.array_equal(first, second))
        for first, second in zip(*arrays, strict=True)
    )


@pytest.mark.parametrize("seconds", [0.5, 1.5, 4.0])
def test_a_state_survives_as_arrays(vad, seconds):
    quiet = frames_of(noise(seconds, level=0.001)).ravel()
    _, (state,) = vad.probabilities([quiet], [vad.start()])
    assert (state.saved is not None) == (seconds > 1)
    arrays = {name: values.copy() for name, values in vad.state_to_arrays(state).items()}
    assert {values.dtype for values in arrays.values()} == {np.dtype(np.float32)}
    restored = vad.state_from_arrays(arrays)
    assert same(restored, state)
    following = frames_of(read("digits")).ravel()
    found, (after,) = vad.probabilities([following], [state])
    again, (after_again,) = vad.probabilities([following], [restored])
    assert np.array_equal(found[0], again[0])
    assert same(after, after_again)


@pytest.mark.parametrize(
    "change",
    [
        {"context": np.zeros(63, np.float32)},
        {"memory": np.zeros((2, 64), np.float32)},
        {"memory": np.full((2, 128), np.nan, np.float32)},
        {"memory": np.zeros((2, 128))},
        {"saved": np.zeros(128, np.float32)},
        {"colour": np.zeros(1, np.float32)},
    ],
)
def test_arrays_of_something_else_are_refused(vad, change):
    arrays = vad.state_to_arrays(vad.start()) | change
    with pytest.raises(SnapshotError, match="no state of this voice activity detector"):
        vad.state_from_arrays(arrays)


def test_missing_arrays_are_refused(vad):
    with pytest.raises(SnapshotError, match="no state"):
        vad.state_from_arrays({"context": np.zeros(64, np.float32)})
