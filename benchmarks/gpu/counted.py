"""What one step of the full-size model is, counted as it runs: operations, kernels and bytes.

python -m benchmarks.gpu.counted

It needs no GPU. Operations are those of the encoder of full size, run on torch's meta device, which
computes nothing. Kernels are the operators that compute, views left out, of a narrow model with as
many layers: their number does not depend on the width. What a GPU captures in a graph is counted as
one launch then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu.models import (
    FULL,
    SMALL,
    boosted,
    make_ready,
    random_model,
    recognizer_of,
    sound,
)
from benchmarks.gpu.streams import Streams
from parakeet_streaming.timeline import SUBSAMPLING, ContextConfig
from parakeet_streaming.torch_model.cached import KeptPast, encode_step
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.captured import Captured
from parakeet_streaming.torch_runtime.devices import open_device
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

CONTEXTS: Final = ("10-2-2", "5-0.5-0.5", "2-0.25-0.25")
_HARDLY: Final = 1e-6
"""How strongly phrases are boosted: tokens stay those of a step without, as many as there are."""
_VIEWS: Final = frozenset(
    {"view", "t", "transpose", "permute", "expand", "slice", "select", "unsqueeze", "squeeze"}
    | {"alias", "detach", "_unsafe_view", "as_strided", "unbind", "split", "unfold", "lift_fresh"}
    | {"_reshape_alias", "split_with_sizes", "view_as_real", "empty", "_local_scalar_dense"}
)


def operations(context: str, streams: int, *, cached: bool) -> int:
    """Multiplications and additions of the encoder in one step: products, convolutions, attention.

    Those of the graph on which `TorchTransducer` runs it, padding included.
    """
    frames = ContextConfig.parse(context).frames
    with torch.device("meta"), torch.inference_mode(), sdpa_kernel(SDPBackend.MATH):
        encoder = Encoder(FULL.encoder).eval()
        counter = FlopCounterMode(display=False)
        with counter:
            if cached:
                _one_step(encoder, streams, frames.left, frames.chunk + frames.right)
            else:
                _one_window(encoder, streams, frames.left + frames.chunk + frames.right)
    return int(counter.get_total_flops())


def _one_window(encoder: Encoder, streams: int, frames: int) -> None:
    count = frames * SUBSAMPLING
    lengths = torch.empty(streams, dtype=torch.int64)
    encoder(torch.empty(streams, FULL.encoder.mel_bins, count), lengths)


def _one_step(encoder: Encoder, streams: int, past: int, frames: int) -> None:
    config = FULL.encoder
    count = (frames + 1) * SUBSAMPLING
    lengths = torch.empty(streams, dtype=torch.int64)
    features = torch.empty(streams, config.mel_bins, count)
    kept = torch.empty(streams, past, config.width)
    inputs = torch.empty(streams, config.kernel // 2, config.width)
    encode_step(
        encoder,
        (features, lengths, lengths),
        (past, lengths),
        lambda _: KeptPast(kept, kept, inputs),
        lambda *_: None,
    )


@dataclass(frozen=True)
class Kernels:
    """Operators that compute, of one step."""

    encode: int
    decode: int


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0
        self.inside = False
        """A graph, whose kernels are not launched one by one."""

    def run(self, work: Captured) -> None:
        """Counts a graph as one, where the work was made ready."""
        self.count += work.ready
        self.inside = work.ready
        work._work()
        self.inside = False

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.count += not self.inside and function.overloadpacket.__name__ not in _VIEWS
        return function(*args, **(kwargs or {}))


def kernels(
    context: str,
    *,
    cached: bool,
    graphs: bool = False,
    phrases: bool = False,
    layers: int = 24,
) -> Kernels:
    """Of a step of one stream with a full left context.

    Args:
        context: of the stream.
        cached: whether it encodes each frame once.
        graphs: whether what is captured counts as one.
        phrases: whether the stream boosts some.
        layers: of the encoder.
    """
    device = open_device("cpu", threads=1)
    config = replace(SMALL, encoder=replace(SMALL.encoder, layers=layers))
    model = random_model(config, device)
    recognizer = recognizer_of(model, device, bfloat16=False, graphs=graphs)
    make_ready(recognizer, ContextConfig.parse(context), 1, 1, cached=cached)
    boosting = boosted(boost=_HARDLY) if phrases else None
    streams = Streams(
        recognizer, ContextConfig.parse(context), 1, sound(20), cached=cached, boosting=boosting
    )
    streams.fill()
    found: list[int] = []

    def counting(phase: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            run = Captured.run
            with _Counting() as modes:

                def counted_run(self: Captured) -> None:
                    modes.run(self)

                Captured.run = counted_run  # type: ignore[method-assign]
                try:
                    given = phase(*arguments)
                finally:
                    Captured.run = run  # type: ignore[method-assign]
            found.append(modes.count)
            return given

        return counted

    real = TorchTransducer.encode, TorchTransducer.decode
    try:
        TorchTransducer.encode = counting(real[0])  # type: ignore[method-assign]
        TorchTransducer.decode = counting(real[1])  # type: ignore[method-assign]
        streams.step()
    finally:
        TorchTransducer.encode, TorchTransducer.decode = real  # type: ignore[method-assign]
    return Kernels(*found)


def kept_bytes(context: str, width_bytes: int = 2) -> int:
    """Of a cached stream's keys and values, as many frames as its left context has."""
    config = FULL.encoder
    return 2 * config.layers * config.width * width_bytes * ContextConfig.parse(context).frames.left


def main(contexts: Sequence[str] = CONTEXTS) -> None:
    """Prints a table."""
    print(
        "| context | mode | GFLOP/s of a stream | encoder's kernels | decoder's "
        "| with phrases | with graphs: encoder's launches | decoder's | with phrases "
        "| keys and values |"
    )
    print("| :-- | :-- | --: | --: | --: | --: | --: | --: | --: | --: |")
    for context in contexts:
        chunk_s = ContextConfig.parse(context).samples.chunk / 16_000
        for cached in (False, True):
            each = operations(context, 2, cached=cached) - operations(context, 1, cached=cached)
            (counted, with_phrases), (with_graphs, with_both) = (
                [
                    kernels(context, cached=cached, graphs=graphs, phrases=phrases)
                    for phrases in (False, True)
                ]
                for graphs in (False, True)
            )
            kept = f"{kept_bytes(context) / 1e6:.1f} MB" if cached else "–"
            mode = "cached" if cached else "windows"
            print(
                f"| {context} | {mode} | {each / 1e9 / chunk_s:.1f} | {counted.encode} "
                f"| {counted.decode} | {with_phrases.decode} | {with_graphs.encode} "
                f"| {with_graphs.decode} | {with_both.decode} | {kept} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
