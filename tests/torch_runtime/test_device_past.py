"""Sizes of rings, and pasts that lie in them; what steps do with them is in test_cached_encoder."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_runtime.device_past import NO_PAST, DevicePast, PastStore, RingSize
from parakeet_streaming.torch_runtime.devices import computing

CONFIG = EncoderConfig(mel_bins=8, width=4, layers=2, heads=1, kernel=5)


@pytest.fixture
def store(cpu):
    with computing():
        return PastStore(CONFIG, cpu)


def arrays(frames, log_mels, ahead):
    random = np.random.default_rng(0)

    def some(*shape):
        return random.normal(0, 1, shape).astype(np.float32)

    return {
        "log_mel": some(8, log_mels),
        "ahead": np.array([ahead], np.float32),
        "keys": some(2, frames, 4),
        "values": some(2, frames, 4),
        "convolved": some(2, 2, 4),
    }


def test_sizes_are_rounded_up():
    assert RingSize(0, 0).rounded() == RingSize(16, 64)
    assert RingSize(16, 65).rounded() == RingSize(16, 128)
    assert RingSize(16, 64).holds(RingSize(16, 10))
    assert not RingSize(16, 64).holds(RingSize(17, 10))
    assert not RingSize(16, 64).holds(RingSize(1, 65))


@pytest.mark.parametrize("case", [(0, 0, 0), (0, 5, -1), (3, 30, 7), (16, 64, 64), (100, 900, 0)])
def test_arrays_and_back(store, case):
    given = arrays(*case)
    with computing():
        found = store.kept(store.from_arrays(given, 100)).to_arrays()
    assert found.keys() == given.keys()
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_new_ring_keeps_the_past(store):
    given = arrays(20, 180, 12)
    with computing():
        past = store.from_arrays(given, 20)
        (same,) = store.rooms_for([past], RingSize(20, 180), RingSize(999, 999))
        assert same is past
        (moved,) = store.rooms_for([past], RingSize(33, 180), RingSize(40, 500))
        assert moved.ring.size == RingSize(48, 512) != past.ring.size
        for name, values in store.kept(moved).to_arrays().items():
            np.testing.assert_array_equal(values, given[name])


def test_nothing_is_kept_at_first(store):
    with computing():
        assert store.kept(DevicePast()).to_arrays()["keys"].shape == (2, 0, 4)
        made = store.rooms_for([NO_PAST, DevicePast()], RingSize(5, 50), RingSize(10, 100))
    for fresh in made:
        assert fresh.ring.size == RingSize(16, 128)
        assert (fresh.frames, fresh.filled, fresh.ahead) == (0, 0, 0)
        assert fresh.convolved is None
    assert made[0].ring.number != made[1].ring.number
    assert NO_PAST.ring is None


def test_a_past_that_was_written_over(store):
    with computing():
        past = store.from_arrays(arrays(3, 30, 0), 3)
        other = store.from_arrays(arrays(3, 30, 0), 3)
    past.check()
    past.ring.readable = (past.serial + 100,)
    with pytest.raises(ComputeError, match="written over"):
        past.check()
    with pytest.raises(ComputeError, match="written over"):
        store.rooms_for([other, past], RingSize(3, 30), RingSize(3, 30))


def test_rings_are_free_when_nobody_holds_them(store):
    size = RingSize(3, 30).rounded()
    with computing():
        for _ in range(60):
            store.from_arrays(arrays(3, 30, 0), 3)
    assert store.pool(size).slots == 16
    assert store.convolved.slots == 16
