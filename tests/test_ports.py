"""Models and their fakes satisfy the ports at run time, and keep what the ports promise."""

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import numpy as np
import pytest

from parakeet_streaming import load, load_vad
from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.ports import (
    VAD_FRAME_SAMPLES,
    Decoded,
    DecoderInput,
    DecoderState,
    Emission,
    Encoded,
    EncoderInput,
    Transducer,
    VoiceActivity,
)
from parakeet_streaming.testing import Cue, ScriptedVad, fake_recognizer, marked_audio, noise
from parakeet_streaming.timeline import FRAME_SAMPLES
from tests.model.hashed import hashed_recognizer
from tests.protocols import members_of, missing_from


@pytest.fixture(scope="module")
def built_in():
    return load("tiny-en", provider="cpu", threads=1)


@pytest.fixture(params=["tiny-en", "fake", "hashed"])
def transducer(request, built_in):
    recognizers = {
        "tiny-en": lambda: built_in,
        "fake": lambda: fake_recognizer([Cue(1, 0), Cue(4, 1), Cue(20, 0)], ["one", "two"]),
        "hashed": lambda: hashed_recognizer(blanks=0.2),
    }
    return recognizers[request.param]().snapshots.transducer


@pytest.fixture(params=["silero", "scripted"])
def vad(request):
    return load_vad() if request.param == "silero" else ScriptedVad([0.1, 0.9] * 50)


@pytest.fixture
def sound(request):
    """Two seconds in which the model hears something, in the second half too."""
    if request.node.callspec.params["transducer"] != "tiny-en":
        return marked_audio(25)
    recording = read_audio(Path(__file__).parents[1] / "examples" / "recordings" / "digits.wav")
    return recording[: 25 * FRAME_SAMPLES]


def ids_of(emissions):
    return [(each.token_id, each.frame) for each in emissions]


def decoded(transducer, encoded, row, start, state, *, chunk_end, lookahead_end):
    given = DecoderInput(row, start, chunk_end, lookahead_end, state)
    (answer,) = transducer.decode(encoded, [given])
    return answer


def is_same_memory(transducer, one, other):
    ours, theirs = (transducer.memory_to_arrays(each.memory) for each in (one, other))
    return ours.keys() == theirs.keys() and all(
        np.allclose(ours[name], theirs[name], atol=1e-4) for name in ours
    )


def test_the_check_of_signatures_finds_what_is_missing():
    class Half:
        def start(self):
            return None

        def probabilities(self, blocks):
            return None

        def state_to_arrays(self, other_name):
            return None

        def state_from_arrays(self, arrays, needed):
            return None

    assert members_of(VoiceActivity).keys() == missing_from(Half(), VoiceActivity) | {"start"}


def test_a_transducer_satisfies_its_port(transducer):
    assert missing_from(transducer, Transducer) == set()
    limit = transducer.max_samples
    assert limit is None or limit > 0
    assert isinstance(transducer.keeps_past, bool)
    assert all(isinstance(each, int) and each >= 0 for each in transducer.durations)
    assert isinstance(transducer.fingerprint, str)
    assert transducer.runs_on


def test_voice_activity_satisfies_its_port(vad):
    assert missing_from(vad, VoiceActivity) == set()
    assert vad.frame_samples == VAD_FRAME_SAMPLES


def test_a_stream_begins_at_frame_0_with_the_blank(transducer):
    state = transducer.start()
    assert (state.frames_to_skip, state.decoded_frames) == (0, 0)
    assert state.last_token > 0
    assert is_same_memory(transducer, state, transducer.start())


def test_windows_become_rows_of_frames(transducer):
    windows = [marked_audio(5), marked_audio(9), marked_audio(0)]
    encoded = transducer.encode([EncoderInput(each) for each in windows])
    assert encoded.lengths == (5, 9, 0)
    assert encoded.pasts == (None, None, None)


def test_a_row_is_decoded_from_its_state_again_and_again(transducer, sound):
    encoded = transducer.encode([EncoderInput(sound)])
    start, frames = transducer.start(), encoded.lengths[0]
    half = frames // 2
    whole = decoded(transducer, encoded, 0, 0, start, chunk_end=frames, lookahead_end=frames)
    first = decoded(transducer, encoded, 0, 0, start, chunk_end=half, lookahead_end=frames)
    rest = decoded(
        transducer, encoded, 0, half, first.state, chunk_end=frames, lookahead_end=frames
    )
    assert first.state.decoded_frames == half
    assert rest.state.decoded_frames == whole.state.decoded_frames == frames
    ahead = ids_of(first.lookahead)
    assert ahead
    assert ahead == ids_of(rest.emissions)
    assert ids_of(first.emissions) + ahead == ids_of(whole.emissions)
    assert is_same_memory(transducer, rest.state, whole.state)
    assert not is_same_memory(transducer, rest.state, start)
    again = decoded(transducer, encoded, 0, 0, start, chunk_end=frames, lookahead_end=frames)
    assert again.emissions == whole.emissions


def test_a_memory_comes_back_from_its_arrays(transducer, sound):
    encoded = transducer.encode([EncoderInput(sound)])
    frames = encoded.lengths[0]
    half = frames // 2
    state = decoded(
        transducer, encoded, 0, 0, transducer.start(), chunk_end=half, lookahead_end=half
    ).state
    arrays = transducer.memory_to_arrays(state.memory)
    assert all(array.dtype == np.float32 for array in arrays.values())
    again = replace(state, memory=transducer.memory_from_arrays(arrays))
    ours, theirs = (
        decoded(transducer, encoded, 0, half, each, chunk_end=frames, lookahead_end=frames)
        for each in (again, state)
    )
    assert ours.emissions
    assert ours.emissions == theirs.emissions


def test_streams_are_judged_together_as_alone(vad):
    blocks = [noise(0.032 * count, seed=count)[: count * 512] for count in (1, 3, 8)]
    states = [vad.start() for _ in blocks]
    together, following = vad.probabilities(blocks, states)
    assert [(each.shape, each.dtype) for each in together] == [
        ((count,), np.float32) for count in (1, 3, 8)
    ]
    for place, block in enumerate(blocks):
        (alone,), (state,) = vad.probabilities([block], [vad.start()])
        np.testing.assert_allclose(together[place], alone, atol=1e-5)
        assert ((alone >= 0) & (alone <= 1)).all()
        arrays = vad.state_to_arrays(state)
        again = vad.state_from_arrays(arrays)
        next_blocks = [noise(0.064, seed=9)[:1024]] * 2
        (ours, theirs), _ = vad.probabilities(next_blocks, [again, following[place]])
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


VALUES = [
    EncoderInput(np.zeros(FRAME_SAMPLES, np.float32)),
    Encoded(None, (), ()),
    DecoderState(0, 0, 0, None),
    DecoderInput(0, 0, 0, 0, DecoderState(0, 0, 0, None)),
    Emission(0, 0, 0, 1.0),
    Decoded((), (), DecoderState(0, 0, 0, None)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_goes_through_a_port_is_frozen(value):
    for each in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(value, each.name, None)
