"""How much of a device's memory streams may keep."""

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_runtime import devices
from parakeet_streaming.torch_runtime.devices import DeviceMemory
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory, step_bytes


@pytest.fixture
def told(monkeypatch):
    """What the device says, to be changed, and how often it was asked."""
    told = {"memory": DeviceMemory(8000, 5000, 0), "asked": 0}

    def memory_of(_):
        told["asked"] += 1
        return told["memory"]

    monkeypatch.setattr(devices, "memory_of", memory_of)
    return told


def test_nothing_bounds_a_processor(cpu):
    assert UsableMemory(cpu).now() is None
    assert UsableMemory(cpu).lately() is None


@pytest.mark.parametrize(
    ("free", "idle", "usable"),
    [
        (5000, 0, 4000),
        (5000, 400, 4400),
        # However much torch has idle, a 32nd of the device stays free.
        (5000, 5000, 4750),
        (900, 0, 0),
        (0, 0, 0),
    ],
)
def test_an_eighth_is_left_for_steps(told, cpu, free, idle, usable):
    told["memory"] = DeviceMemory(8000, free, idle)
    assert UsableMemory(cpu).now() == usable


def test_steps_that_need_more_get_more(told, cpu):
    memory = UsableMemory(cpu)
    memory.steps_need(3000)
    memory.steps_need(500)
    assert memory.now() == 2000


def test_a_device_is_asked_now_and_then(told, cpu):
    memory = UsableMemory(cpu)
    told["memory"] = DeviceMemory(8000, 2000, 0)
    assert {memory.lately() for _ in range(60)} == {1000}
    assert told["asked"] == 1
    told["memory"] = DeviceMemory(8000, 3000, 0)
    assert {memory.lately() for _ in range(60)} == {1000, 2000}
    assert told["asked"] == 2
    # And when something has grown, or it must be known.
    told["memory"] = DeviceMemory(8000, 4000, 0)
    memory.grew()
    assert memory.lately() == 3000
    told["memory"] = DeviceMemory(8000, 6000, 0)
    assert memory.now() == memory.lately() == 5000
    memory.steps_need(2500)
    assert memory.lately() == 3500


def test_what_a_step_needs():
    config = EncoderConfig(mel_bins=128, subsampling_channels=256)
    assert step_bytes(config, 512, 400, 2) == 3 * 512 * 256 * 200 * 64 * 2
    assert step_bytes(config, 0, 400, 2) == 0
