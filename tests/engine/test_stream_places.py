"""Which models count places, and what is one kind of stream."""

import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.engine.stream_places import CountsPlaces, StreamKind
from parakeet_streaming.testing import fake_recognizer
from tests.protocols import missing_from

CONTEXT = ContextConfig.parse("2-0.5-0.5")


def test_kinds_are_equal_by_what_they_need():
    assert StreamKind(CONTEXT) == StreamKind(ContextConfig.parse("2-0.5-0.5"))
    assert len({StreamKind(CONTEXT), StreamKind(CONTEXT), StreamKind(CONTEXT, cached=True)}) == 2


def test_a_model_need_not_count_places():
    assert not isinstance(fake_recognizer([], ["one"]).snapshots.transducer, CountsPlaces)


def test_a_model_on_torch_does():
    pytest.importorskip("torch", reason="the torch extra")
    from parakeet_streaming.torch_runtime.transducer import TorchTransducer

    assert issubclass(TorchTransducer, CountsPlaces)
    assert missing_from(TorchTransducer.__new__(TorchTransducer), CountsPlaces) == set()
