"""The encoder in bfloat16, beside the one in float32."""

import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming import load
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.torch_runtime.halving import halve
from parakeet_streaming.torch_runtime.transducer import TorchTransducer
from tests.torch_runtime.test_cached_encoder import frames_of, sound
from tests.torch_runtime.test_opening import digits

__all__ = ["digits"]


def test_everything_in_it(small_model):
    encoder = copy.deepcopy(small_model.encoder)
    with torch.no_grad():
        halve(encoder)
    assert {values.dtype for values in encoder.parameters()} == {torch.bfloat16}


def test_near_float32(small_model, transducer, cpu):
    halved = TorchTransducer(copy.deepcopy(small_model), cpu, bfloat16=True)
    assert halved.runs_on.endswith(", bf16")
    for kept in (None, 12):
        given = [EncoderInput(sound(2.0, seed), 0, 6400, kept) for seed in range(3)]
        exact, _ = frames_of(transducer, given)
        found, pasts = frames_of(halved, given)
        for one, other in zip(found, exact, strict=True):
            assert np.sqrt(np.square(one - other).mean()) < 0.05 * other.std()
    arrays = halved.past_to_arrays(pasts[0])
    assert {values.dtype for values in arrays.values()} == {np.dtype(np.float32)}
    again = halved.past_to_arrays(halved.past_from_arrays(arrays, 12))
    for name, values in arrays.items():
        np.testing.assert_array_equal(again[name], values)


def test_the_words_are_the_same(digits):
    recognizer = load(runtime="torch", device="cpu", threads=1, precision="bf16")
    assert recognizer.runs_on == "torch (cpu), 1 thread, bf16"
    assert recognizer.transcribe(digits).text == "three one four one five nine two six"
