"""Which models count places, such as those on a GPU."""

import pytest

from parakeet_streaming.engine.stream_places import CountsPlaces
from parakeet_streaming.testing import fake_recognizer
from tests.protocols import missing_from


def test_a_model_need_not_count_places():
    assert not isinstance(fake_recognizer([], ["one"]).snapshots.transducer, CountsPlaces)


def test_a_model_on_torch_does():
    pytest.importorskip("torch", reason="the torch extra")
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    assert issubclass(TorchTransducer, CountsPlaces)
    assert missing_from(TorchTransducer.__new__(TorchTransducer), CountsPlaces) == set()
