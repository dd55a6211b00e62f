"""Names of devices, transfers, and errors that are ours."""

import weakref
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import (
    ComputeError,
    OptionError,
    ProviderMissingError,
    SnapshotError,
)
from parakeet_streaming.torch_runtime import devices
from parakeet_streaming.torch_runtime.devices import (
    DeviceMemory,
    computing,
    give_back,
    gpus,
    in_words,
    memory_of,
    open_device,
    upload,
)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(devices, "gpus", lambda: ("H100", "H100"))


@pytest.mark.parametrize(
    "name", ["", "gpu", "cuda:", "cuda:x", "CUDA", "cuda:1234", "mps", "cpu:0"]
)
def test_no_device(name):
    with pytest.raises(OptionError, match="is no device"):
        open_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:3"])
def test_no_gpu(monkeypatch, name):
    monkeypatch.setattr(devices, "gpus", lambda: ())
    with pytest.raises(ProviderMissingError, match="finds no CUDA GPU"):
        open_device(name)


def test_one_of_several(two_gpus):
    assert open_device("auto") == torch.device("cuda", 0)
    assert open_device("cuda") == torch.device("cuda", 0)
    assert open_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(ProviderMissingError, match="there are 2"):
        open_device("cuda:2")


def test_float32_is_float32(two_gpus):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    open_device("cuda")
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


def test_the_processor(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(devices, "gpus", lambda: ())
    for name in ("cpu", "auto"):
        assert open_device(name, threads=1) == torch.device("cpu")
    assert in_words(torch.device("cpu")) == "torch (cpu), 1 thread"
    open_device("cpu", threads=2)
    assert in_words(torch.device("cpu")) == "torch (cpu), 2 threads"
    torch.set_num_threads(before)


def test_gpus_have_names():
    assert all(isinstance(name, str) for name in gpus())


def test_one_transfer_of_samples_and_numbers(cpu):
    samples = np.arange(6, dtype=np.float32)
    numbers = np.array([[0, -1, 2**31 - 1], [7, 8, -(2**31)]], np.int64)
    there, told = upload([samples[:2], samples[2:]], numbers, cpu)
    np.testing.assert_array_equal(there.numpy(), samples)
    np.testing.assert_array_equal(told.numpy(), numbers)
    assert told.dtype == torch.int64
    nothing, told = upload((), numbers, cpu)
    assert nothing.shape == (0,)
    np.testing.assert_array_equal(told.numpy(), numbers)


def test_errors_are_ours():
    with pytest.raises(ComputeError, match="torch could not compute"), computing():
        torch.zeros(2) @ torch.zeros(3)
    with pytest.raises(SnapshotError), computing():
        raise SnapshotError("mine")


def test_a_lack_of_memory_says_what_to_do():
    told = r"no memory left for a step.*out of memory.*use fewer"
    with pytest.raises(ComputeError, match=told), computing():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7 GiB")


def test_an_error_keeps_no_tensor_alive():
    """Who meets it may try again with less, while it is still there."""
    alive = []

    def work():
        large = torch.zeros(1000)
        alive.append(weakref.ref(large))
        raise torch.OutOfMemoryError("Tried to allocate 1 GiB")

    with pytest.raises(ComputeError) as caught, computing():
        work()
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert [each() for each in alive] == [None]


class Cuda:
    """Torch's account of a GPU."""

    def __init__(self):
        self.given_back = 0

    def mem_get_info(self, device):
        return 300, 1000

    def memory_reserved(self, device):
        return 600

    def memory_allocated(self, device):
        return 450

    def empty_cache(self):
        self.given_back += 1


def test_the_memory_of_a_gpu(monkeypatch, cpu):
    monkeypatch.setattr(torch, "cuda", cuda := Cuda())
    assert memory_of(torch.device("cuda", 1)) == DeviceMemory(total=1000, free=300, idle=150)
    assert memory_of(cpu) is None
    give_back(cpu)
    assert cuda.given_back == 0
    give_back(torch.device("cuda", 1))
    assert cuda.given_back == 1


def test_nothing_is_kept_for_gradients():
    weight = torch.ones(1, requires_grad=True)
    with computing():
        assert not (weight * 2).requires_grad


def test_only_two_files_know_cuda():
    """What a device is, and what is captured there."""
    room = Path(devices.__file__).parent
    there = [path.name for path in room.glob("*.py") if "torch.cuda" in path.read_text("utf-8")]
    assert sorted(there) == ["captured.py", "devices.py"]
