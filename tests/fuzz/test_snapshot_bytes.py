"""A forged snapshot differs in what was chosen, and in nothing else."""

import pytest

from fuzz.choices import Choices
from fuzz.small_recognizer import small_recognizer
from fuzz.snapshot_bytes import forged
from parakeet_streaming.errors import SnapshotError
from parakeet_streaming.testing import tone
from parakeet_streaming.timeline import ContextConfig


@pytest.fixture(scope="module")
def recognizer():
    return small_recognizer()


@pytest.fixture(scope="module")
def snapshot(recognizer):
    stream = recognizer.stream(ContextConfig(0.32, 0.16, 0.16))
    stream.feed(tone(1.0))
    return stream.snapshot()


def test_without_a_change_the_stream_goes_on(recognizer, snapshot):
    assert recognizer.restore(forged((snapshot,), Choices(b"\0"))).tokens


def test_values_are_changed_and_reach_the_checks(recognizer, snapshot):
    said = set()
    for at in range(120):
        try:
            recognizer.restore(forged((snapshot,), Choices(bytes((0, at, 2, 9, 9, 9, 9, 9, 9)))))
        except SnapshotError as error:
            said.add(str(error))
    assert any("impossible values" in each for each in said)
    assert not any("damaged" in each or "another model" in each for each in said)
