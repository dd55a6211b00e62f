"""A device with little memory, played on the processor: of `torch.zeros` alone an account is kept.

Pools of slots and the buffers of steps are made that way. What does not fit raises as on a GPU.
"""

import weakref

import torch

from parakeet_streaming.torch_runtime import devices
from parakeet_streaming.torch_runtime.devices import DeviceMemory


class SmallDevice:
    """So many bytes; made in place of the real account by `played`."""

    def __init__(self, total):
        self.total = total
        self.used = 0
        self.most = 0
        self.idle = 0
        self.refused = 0

    @property
    def memory(self):
        return DeviceMemory(self.total, self.total - self.used, self.idle)

    def zeros(self, real):
        def made(*given, **more):
            tensor = real(*given, **more)
            size = tensor.nbytes
            if self.used + size > self.total:
                self.refused += 1
                raise torch.OutOfMemoryError(f"Tried to allocate {size} bytes")
            self.used += size
            self.most = max(self.most, self.used)
            weakref.finalize(tensor, self._freed, size)
            return tensor

        return made

    def _freed(self, size):
        self.used -= size


def played(patch, total):
    """A device of so many bytes, for what is made from now on, until the patch is undone."""
    device = SmallDevice(total)
    patch.setattr(devices, "memory_of", lambda _: device.memory)
    patch.setattr(torch, "zeros", device.zeros(torch.zeros))
    return device
