"""A device's name in; torch's device, ready to compute as asked, out. All of CUDA's own
is here, but for its graphs.

Rules of this file:

1. A device that is asked for is used, or it is an error.
2. Float32 is float32: TF32, which keeps ten bits of a product's factors, is switched off.
3. No exception of torch leaves this room: errors are ours.
4. An error keeps no tensor alive: who meets it may try again with less, and needs the memory.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.errors import (
    ComputeError,
    ParakeetError,
    ProviderMissingError,
)
from parakeet_streaming.ports import Counts, Floats
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.gpu_choice import check_device
from parakeet_streaming.runtime.reasons import first_reason

_NO_GPU: Final = (
    "torch finds no CUDA GPU here; check the driver with nvidia-smi and install a torch that is "
    "built for CUDA, or use the device cpu"
)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Bytes of a device, at the moment."""

    total: int
    free: int
    """That nobody holds."""
    idle: int
    """That torch holds for the tensors of steps to come."""


def gpus() -> tuple[str, ...]:
    """Names of the CUDA GPUs that torch finds, by number."""
    if not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count()))


def open_device(name: str = "auto", threads: int | None = None) -> torch.device:
    """The device of that name.

    Args:
        name: `cpu`, `cuda` for the first GPU, `cuda:1` and so on; `auto` for the first GPU, or the
            processor where there is none.
        threads: of the processor, for all of torch in this process; None for one per usable core.

    Raises:
        OptionError: no such name.
        ProviderMissingError: there is no such GPU.
    """
    check_device(name)
    found = gpus()
    if name == "cpu" or (name == "auto" and not found):
        torch.set_num_threads(int(threads or usable_cores()))
        return torch.device("cpu")
    number = int(name.partition(":")[2] or 0)
    if number >= len(found):
        there = f"; there are {len(found)}, counted from 0" if found else ""
        raise ProviderMissingError(_NO_GPU if not found else f"there is no device {name}{there}")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda", number)


def in_words(device: torch.device) -> str:
    """What computes, for people."""
    if device.type == "cpu":
        count = torch.get_num_threads()
        return f"torch (cpu), {count} thread{'s' * (count != 1)}"
    return f"torch ({device}: {torch.cuda.get_device_name(device)})"


def upload(
    floats: Sequence[Floats], numbers: Counts, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Float32 in pieces, one after the other, and whole numbers below 2 ** 31, in one transfer.

    Args:
        floats: flat arrays, perhaps none; each is copied once.
        numbers: of any shape.
        device: where they go.

    Returns:
        All floats (n,) in one, and the numbers in their shape.
    """
    bits = np.ascontiguousarray(numbers, dtype=np.int32).view(np.float32)
    count = sum([each.shape[0] for each in floats])
    pinned = device.type != "cpu"
    staged = torch.empty(count + bits.size, dtype=torch.float32, pin_memory=pinned)
    there = staged.numpy()
    if floats:
        np.concatenate(floats, out=there[:count])
    there[count:] = bits.reshape(-1)
    arrived = staged.to(device, non_blocking=True)
    whole = arrived[count:].view(torch.int32).view(bits.shape)
    return arrived[:count], whole.long()


def memory_of(device: torch.device) -> DeviceMemory | None:
    """The memory of a device; None for the processor's, of which no account is kept.

    It does not wait for what the device computes.
    """
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    held, used = torch.cuda.memory_reserved(device), torch.cuda.memory_allocated(device)
    return DeviceMemory(total, free, max(0, held - used))


def give_back(device: torch.device) -> None:
    """Makes memory that torch holds, and no tensor needs, free for tensors of any size."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


@contextmanager
def computing(*, weights: bool = False) -> Iterator[None]:
    """What runs on the device: without gradients, and with our errors.

    Args:
        weights: whether weights are moved: those of a module stay ordinary tensors.

    Raises:
        ComputeError: torch could not run it, such as for lack of memory.
    """
    try:
        with torch.no_grad() if weights else torch.inference_mode():
            yield
    except (RuntimeError, IndexError, ValueError) as error:
        if isinstance(error, ParakeetError):
            raise
        traceback.clear_frames(error.__traceback__)
        reason = first_reason(error)
        if isinstance(error, torch.OutOfMemoryError):
            raise ComputeError(
                f"the device has no memory left for a step ({reason}); use fewer streams, a "
                "shorter context, or a device with more memory"
            ) from error
        raise ComputeError(f"torch could not compute a step: {reason}") from error
