"""For how many more streams a device has room: what is told holds when they come."""

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parakeet_streaming import ContextConfig
from parakeet_streaming.limits import MOST_STREAMS
from parakeet_streaming.torch_runtime.cached_encoder import ring_size
from parakeet_streaming.torch_runtime.device_past import CONVOLVED_EACH, SPARE, PastStore
from parakeet_streaming.torch_runtime.device_room import MEMORIES_EACH, DeviceRoom
from parakeet_streaming.torch_runtime.slots import Pool, Shape
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory
from tests.torch_runtime.small_device import played

CONTEXT = ContextConfig.parse("2-0.5-0.5")
CACHED, WHOLE = (CONTEXT, True), (CONTEXT, False)
OTHER = (ContextConfig.parse("6-1-1"), True)
MEGABYTE = 1_000_000


class Device:
    """Pools on a device of so many bytes."""

    def __init__(self, patch, total, model, cpu):
        self.device = played(patch, total)
        self.memory = UsableMemory(cpu)
        shape = Shape(1, 1, model.config.predictor_width)
        self.memories = Pool({"hidden": shape, "cell": shape}, cpu, self.memory)
        beside = MEMORIES_EACH * self.memories.bytes_each
        self.pasts = PastStore(model.config.encoder, cpu, memory=self.memory, beside=beside)
        self.room = DeviceRoom(self.memory, self.pasts, self.memories)

    def ring_of(self, kind):
        context, _ = kind
        return self.pasts.pool(ring_size(context.frames)).take()

    def held_by(self, kind):
        """What one stream holds in a step."""
        memories = [self.memories.take() for _ in range(4)]
        _, cached = kind
        if not cached:
            return memories
        convolved = [self.pasts.convolved.take() for _ in range(CONVOLVED_EACH)]
        return [self.ring_of(kind), *convolved, *memories]


@pytest.fixture
def device(monkeypatch, small_model, cpu):
    return Device(monkeypatch, 60 * MEGABYTE, small_model, cpu)


def test_nothing_bounds_a_processor(small_model, cpu):
    memory = UsableMemory(cpu)
    pasts = PastStore(small_model.config.encoder, cpu, memory=memory)
    assert DeviceRoom(memory, pasts, pasts.convolved).places(CACHED, {}) is None


def test_to_ask_makes_nothing(device):
    used = device.device.used
    assert device.room.places(CACHED, {OTHER: 3}) > 50
    assert device.device.used == used


def test_all_that_are_told_of_have_room(device):
    """They come one after the other, and the pools grow; no growth is refused on the way."""
    told = device.room.places(CACHED, {})
    streams = [device.held_by(CACHED) for _ in range(told)]
    assert device.device.refused == 0
    assert device.room.places(CACHED, {CACHED: told}) <= told // 8
    # An eighth is left for steps.
    assert device.device.memory.free >= 60 * MEGABYTE // 8
    assert len(streams) > 100


def test_some_more_have_room_that_take_the_place_of_others(device):
    told = device.room.places(CACHED, {})
    streams = [device.held_by(CACHED) for _ in range(told)]
    left = device.room.places(CACHED, {CACHED: told})
    streams += [device.held_by(CACHED) for _ in range(left)]
    assert device.room.places(CACHED, {CACHED: told + left}) == 0
    streams += [device.ring_of(CACHED) for _ in range(SPARE)]
    assert device.device.refused == 0
    assert streams


def test_streams_that_hold_nothing_yet_are_counted(device):
    told = device.room.places(CACHED, {})
    assert device.room.places(CACHED, {CACHED: told - 3}) == 3
    assert device.room.places(CACHED, {CACHED: told}) == 0
    assert device.room.places(CACHED, {CACHED: told + 9}) == 0
    # Those that hold what they were promised count once.
    streams = [device.held_by(CACHED) for _ in range(10)]
    before = device.room.places(CACHED, {CACHED: 10})
    assert device.room.places(CACHED, {CACHED: 11}) == before - 1
    # Streams that nobody let in count as well.
    assert device.room.places(CACHED, {}) == before
    del streams
    assert device.room.places(CACHED, {}) == before + 10


def test_kinds_share_the_memory(device):
    alone = device.room.places(CACHED, {})
    assert 0 < device.room.places(OTHER, {}) < alone
    with_others = device.room.places(CACHED, {OTHER: 20})
    assert with_others < alone - 20
    # Whole windows keep no keys and values: states of decoders alone.
    assert device.room.places(WHOLE, {}) > 10 * alone
    assert 0 < device.room.places(CACHED, {WHOLE: 2000}) < alone
    assert device.room.places(WHOLE, {CACHED: alone + SPARE + 5}) < 10 * alone


def test_what_was_reserved_is_there_whatever_else_the_memory_is_used_for(device):
    """Free slots need no memory."""
    device.room.reserve(CONTEXT.frames, 30)
    device.memories.reserve(MEMORIES_EACH * 100)
    device.device.idle, device.device.total = 0, device.device.used
    device.memory.grew()
    assert device.room.places(CACHED, {}) == 30
    assert device.room.places(CACHED, {CACHED: 12}) == 18
    assert device.room.places(OTHER, {}) == 0
    assert device.room.places(WHOLE, {CACHED: 12}) == 88


def test_as_many_are_reserved_as_there_is_memory_for(device, caplog):
    """And then each of them has all that it needs."""
    with caplog.at_level("INFO"):
        device.room.reserve(CONTEXT.frames, 10_000)
    reserved = device.room.places(CACHED, {})
    assert f"kept for {reserved} cached streams (10000 were asked for), 0.2 MB each" in caplog.text
    pool = device.pasts.pool(ring_size(CONTEXT.frames))
    versions = pool.version, device.pasts.convolved.version, device.memories.version
    streams = [device.held_by(CACHED) for _ in range(reserved)]
    assert (pool.version, device.pasts.convolved.version, device.memories.version) == versions
    assert device.room.places(CACHED, {}) == 0
    assert len(streams) > 200


def test_nobody_is_refused_for_what_was_so_a_moment_ago(device):
    free = device.room.places(CACHED, {})
    device.device.used += (used := 59 * MEGABYTE)
    assert device.room.places(CACHED, {}) == free
    device.memory.grew()
    assert device.room.places(CACHED, {}) == 0
    device.device.used -= used
    assert device.room.places(CACHED, {}) == free


def test_there_is_a_most(device):
    device.device.total *= 10**6
    device.memory.grew()
    assert device.room.places(CACHED, {}) == MOST_STREAMS


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    total=st.integers(8, 80),
    kinds=st.lists(st.sampled_from([CACHED, OTHER, WHOLE]), min_size=1, max_size=60),
)
def test_streams_of_any_kinds_that_were_let_in_have_room(small_model, cpu, total, kinds):
    with pytest.MonkeyPatch.context() as patch:
        device = Device(patch, total * MEGABYTE, small_model, cpu)
        let_in, held = {}, []
        for at, kind in enumerate(kinds):
            if device.room.places(kind, let_in) > 0:
                let_in[kind] = let_in.get(kind, 0) + 1
                # Every other stream has its first step at once, the others when all are in.
                if at % 2:
                    held.append(device.held_by(kind))
        took = {kind: sum(kind is each for each in kinds[1::2]) for kind in let_in}
        for kind, count in let_in.items():
            held += [device.held_by(kind) for _ in range(max(0, count - took[kind]))]
        assert device.device.refused == 0
