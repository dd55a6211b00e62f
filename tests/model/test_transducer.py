"""One model of two parts: each call goes to the part that knows it."""

import numpy as np
import pytest

from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.model.transducer import NumpyTransducer
from parakeet_streaming.ports import DecoderInput, EncoderInput
from parakeet_streaming.testing import Cue, FakeEncoder, ScriptedDecoderJoint, marked_audio


@pytest.fixture
def transducer():
    decoder = LabelLoopingDecoder(ScriptedDecoderJoint([Cue(1, 0), Cue(3, 1)], 2))
    return NumpyTransducer(FakeEncoder(64_000), decoder, fingerprint="abc", runs_on="fakes")


def test_it_is_what_its_parts_are(transducer):
    assert (transducer.max_samples, transducer.keeps_past) == (64_000, True)
    assert transducer.durations == (0, 1, 2, 3, 4)
    assert (transducer.fingerprint, transducer.runs_on) == ("abc", "fakes")


def test_windows_become_tokens(transducer):
    encoded = transducer.encode([EncoderInput(marked_audio(5), kept_frames=2)])
    assert encoded.lengths == (5,)
    (decoded,) = transducer.decode(encoded, [DecoderInput(0, 0, 3, 5, transducer.start())])
    assert [each.token_id for each in decoded.emissions] == [0]
    assert [each.token_id for each in decoded.lookahead] == [1]
    assert (decoded.state.last_token, decoded.state.decoded_frames) == (0, 3)


def test_opaque_values_come_back_from_their_arrays(transducer):
    memory = transducer.start().memory
    again = transducer.memory_from_arrays(transducer.memory_to_arrays(memory))
    assert np.array_equal(again.output, memory.output)
    (past,) = transducer.encode([EncoderInput(marked_audio(5), kept_frames=2)]).pasts
    assert transducer.past_from_arrays(transducer.past_to_arrays(past), 9) == past
    with pytest.raises(SnapshotError):
        transducer.memory_from_arrays({})
