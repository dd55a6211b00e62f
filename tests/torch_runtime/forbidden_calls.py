"""What work that is to be captured in a CUDA graph must not do, noticed as it runs anywhere.

A GPU would refuse it at the capture, and there is none here. Run on torch's meta device, whose
tensors have no values, whatever would look at one fails by itself, and every tensor that lies
elsewhere stands for a copy between host and device.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# They wait for the device, or give a shape that depends on values.
WAITS = {
    *("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "bincount"),
    *("_unique2", "unique_dim", "unique_consecutive", "repeat_interleave", "masked_scatter"),
}
# Their plans may be freed while a graph goes on using them.
PLANS = {"_fft_r2c", "_fft_c2c", "_fft_c2r", "fft_rfft", "stft"}
# They make a tensor of the host's.
HOST = {"lift", "lift_fresh", "lift_fresh_copy"}


class Forbidden(AssertionError):
    """Such a call."""


class NothingForbidden(TorchDispatchMode):
    """Raises at the first call that cannot be captured; counts the others."""

    def __init__(self, device):
        super().__init__()
        self.device = torch.device(device)
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        self._refuse(name in WAITS, f"{name} waits for the device")
        self._refuse(name in HOST, f"{name} makes a constant on the host")
        self._refuse(name in PLANS, f"{name} has a plan that nobody holds")
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        if name in ("index", "index_put", "index_put_", "_index_put_impl_"):
            masks = [each for each in tensors[1:] if each.dtype in (torch.bool, torch.uint8)]
            self._refuse(bool(masks), "an index that is a mask")
        given = function(*args, **(kwargs or {}))
        tensors += [each for each in tree_leaves(given) if isinstance(each, torch.Tensor)]
        for each in tensors:
            self._refuse(each.device.type != self.device.type, f"{name}: a tensor on {each.device}")
        self.count += 1
        return given

    @staticmethod
    def _refuse(wrong, why):
        if wrong:
            raise Forbidden(why)


def assert_can_be_captured(work, device):
    """Runs it; how many calls it makes."""
    with torch.no_grad(), NothingForbidden(device) as held:
        work()
    return held.count
