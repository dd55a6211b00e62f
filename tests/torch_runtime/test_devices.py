"""Names of devices, transfers, and errors that are ours."""

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
from parakeet_streaming.torch_runtime.devices import computing, gpus, in_words, open_device, upload


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


def test_nothing_is_kept_for_gradients():
    weight = torch.ones(1, requires_grad=True)
    with computing():
        assert not (weight * 2).requires_grad


def test_only_two_files_know_cuda():
    """What a device is, and what is captured there."""
    room = Path(devices.__file__).parent
    there = [path.name for path in room.glob("*.py") if "torch.cuda" in path.read_text("utf-8")]
    assert sorted(there) == ["captured.py", "devices.py"]
