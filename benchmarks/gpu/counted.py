"""What one step of the full-size model is, counted as it runs: operations, kernels and bytes.

python -m benchmarks.gpu.counted

It needs no GPU: models of full width with one and with three layers are run on the processor, and what
differs between them is counted 24 times. Kernels are the operators that compute; views are none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu.models import FULL, random_model, recognizer_of, sound
from benchmarks.gpu.streams import Streams
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_runtime.devices import open_device
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
_FEW, _MORE = 1, 3
_VIEWS: Final = frozenset(
    {"view", "t", "transpose", "permute", "expand", "slice", "select", "unsqueeze", "squeeze"}
    | {"alias", "detach", "_unsafe_view", "as_strided", "unbind", "split", "unfold", "lift_fresh"}
    | {"_reshape_alias", "split_with_sizes", "view_as_real", "empty", "_local_scalar_dense"}
)


@dataclass(frozen=True)
class Counted:
    """Of one step."""

    operations: float
    """Multiplications and additions in products, convolutions and attention."""
    encode_kernels: float
    decode_kernels: float

    def to(self, other: Counted, times: float) -> Counted:
        """This, and so many times what the other has more."""
        return Counted(
            *(
                mine + times * (theirs - mine)
                for mine, theirs in zip(_values(self), _values(other), strict=True)
            )
        )


def _values(counted: Counted) -> tuple[float, float, float]:
    return counted.operations, counted.encode_kernels, counted.decode_kernels


class _Kernels(TorchDispatchMode):
    """Counts operators that compute."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function.overloadpacket.__name__ not in _VIEWS:
            self.count += 1
        return function(*args, **(kwargs or {}))


def counted_step(
    layers: int, context: str, streams: int, audio: Floats, *, cached: bool
) -> Counted:
    """One step of so many streams with full left contexts."""
    device = open_device("cpu")
    config = replace(FULL, encoder=replace(FULL.encoder, layers=layers))
    recognizer = recognizer_of(random_model(config, device), device, bfloat16=False)
    running = Streams(recognizer, ContextConfig.parse(context), streams, audio, cached=cached)
    running.fill()
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as flops:
            running.step()
        encode, decode = _kernels_of(running)
    return Counted(float(flops.get_total_flops()), encode, decode)


def _kernels_of(streams: Streams) -> tuple[int, int]:
    """Kernels of the encoder's phase, and of the decoder's."""
    found: list[int] = []

    def counting(phase: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            with _Kernels() as kernels:
                given = phase(*arguments)
            found.append(kernels.count)
            return given

        return counted

    real = TorchTransducer.encode, TorchTransducer.decode
    try:
        TorchTransducer.encode = counting(real[0])  # type: ignore[method-assign]
        TorchTransducer.decode = counting(real[1])  # type: ignore[method-assign]
        streams.step()
    finally:
        TorchTransducer.encode, TorchTransducer.decode = real  # type: ignore[method-assign]
    encode, decode = found
    return encode, decode


def whole_step(
    context: str, audio: Floats, *, cached: bool, layers: int = 24
) -> tuple[Counted, float]:
    """A step of one stream of the whole model, and the operations of each stream more."""
    one, three = (counted_step(each, context, 1, audio, cached=cached) for each in (_FEW, _MORE))
    two_streams = [counted_step(each, context, 2, audio, cached=cached) for each in (_FEW, _MORE)]
    times = (layers - _FEW) / (_MORE - _FEW)
    alone = one.to(three, times)
    pair = two_streams[0].to(two_streams[1], times)
    return alone, pair.operations - alone.operations


def main() -> None:
    """Prints a table."""
    audio = sound(30)
    print(
        "| context | mode | kernels, encoder | kernels, decoder | GFLOP a step and stream | GFLOP/s |"
    )
    print("| :-- | :-- | --: | --: | --: | --: |")
    for context in CONTEXTS:
        chunk_s = ContextConfig.parse(context).samples.chunk / 16_000
        for cached in (False, True):
            step, each = whole_step(context, audio, cached=cached)
            print(
                f"| {context} | {'cached' if cached else 'windows'} | {step.encode_kernels:.0f} "
                f"| {step.decode_kernels:.0f} | {each / 1e9:.1f} | {each / 1e9 / chunk_s:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
