"""Confidences on a device, against numpy's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import OptionError
from parakeet_streaming.model.confidence import measure
from parakeet_streaming.ports import CONFIDENCE_MEASURES
from parakeet_streaming.torch_runtime.device_confidence import measure_on_device


@pytest.mark.parametrize("name", CONFIDENCE_MEASURES)
def test_the_same_as_numpys(name):
    random = np.random.default_rng(0)
    logits = random.normal(0, 1, (50, 33)) * random.uniform(0, 30, (50, 1))
    logits = logits.astype(np.float32)
    logits[0] = 0
    tokens = random.integers(0, 33, 50)
    tokens[::2] = logits[::2].argmax(axis=1)
    found = measure_on_device(name)(torch.from_numpy(logits), torch.from_numpy(tokens))
    assert found.dtype == torch.float32
    expected = [measure(name)(row, int(token)) for row, token in zip(logits, tokens, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert (found >= 0).all()


def test_no_such_measure():
    with pytest.raises(OptionError, match="does not exist"):
        measure_on_device("guess")
