"""Which models offer to make steps ready."""

import pytest

from parakeet_streaming.engine.prepared_steps import PreparesSteps
from parakeet_streaming.testing import fake_recognizer
from tests.protocols import missing_from


def test_a_model_need_not_offer_it():
    assert not isinstance(fake_recognizer([], ["one"]).snapshots.transducer, PreparesSteps)


def test_a_model_on_torch_does():
    pytest.importorskip("torch", reason="the torch extra")
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    assert issubclass(TorchTransducer, PreparesSteps)
    assert missing_from(TorchTransducer.__new__(TorchTransducer), PreparesSteps) == set()
