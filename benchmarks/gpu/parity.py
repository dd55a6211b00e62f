"""The golden model and NeMo's answers in; how many of them a device gives, in float32, out."""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.gpu.models import Numbered, boosted
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.stream_state import StreamOptions
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_model.transducer import Transducer, TransducerConfig
from parakeet_streaming.torch_model.weights import assembled
from parakeet_streaming.torch_runtime.transducer import TorchTransducer

GOLDEN: Final = Path(__file__).parents[2] / "tests" / "parity" / "golden"
PREPARED: Final = Path(__file__).parents[2] / "build" / "gpu" / "golden.pt"
_BATCH: Final = 24
_STRONGLY: Final = 5.0
"""How strongly phrases are boosted."""
_SHORT_S: Final = 6.0
"""The longest that is walked alone."""


def prepare(path: Path = PREPARED) -> Path:
    """Writes the golden model for machines that cannot read archives; needs the extra `torch`."""
    from dataclasses import asdict

    from parakeet_streaming.torch_model.nemo import read_nemo

    model, _ = read_nemo(GOLDEN / "tdt-tiny.nemo")
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"config": asdict(model.config), "weights": model.state_dict()}, path)
    return path


def golden_model(path: Path = PREPARED) -> Transducer:
    """The golden model's networks."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    sizes = dict(saved["config"])
    config = TransducerConfig(**sizes | {"encoder": EncoderConfig(**sizes["encoder"])})
    return assembled(config, dict(saved["weights"]), str(path))


def parity(
    device: torch.device,
    path: Path = PREPARED,
    most_s: float = math.inf,
    *,
    graphs: bool = False,
) -> dict[str, object]:
    """Decodes the cases up to that length in mixed batches; compares all but confidences.

    `graphs`: whether steps of their contexts are made ready, captured where there is a GPU.
    """
    cases = _cases(most_s)
    recognizer = _recognizer(device, path, cases, graphs=graphs)
    alike, other = 0, []
    for first in range(0, len(cases), _BATCH):
        group = [(case, _opened(recognizer, case)) for case in cases[first : first + _BATCH]]
        _walk(recognizer, [stream for _, stream in group])
        for case, stream in group:
            if _answer(stream) == (case["tokens"], case["frames"], case["durations"]):
                alike += 1
            else:
                other.append(f"{case['audio']} {case['context']}")
    return {"cases": len(cases), "alike": alike, "other": other}


def phrases_parity(
    device: torch.device,
    path: Path = PREPARED,
    most_s: float = math.inf,
    *,
    graphs: bool = False,
) -> dict[str, object]:
    """Decodes some cases in one mixed batch, two in three with phrases, of two lists.

    Each must be what it is alone, by plain calls of its own size. `changed` says how many phrases
    made different from NeMo's answers.
    """
    lists = (None, boosted(0, _STRONGLY), boosted(100, _STRONGLY))
    streaming = [case for case in _cases(min(most_s, _SHORT_S)) if case["context"] != "offline"]
    cases = streaming[:: max(1, len(streaming) // _BATCH)][:_BATCH]
    given = [(case, lists[at % len(lists)]) for at, case in enumerate(cases)]
    alone = _recognizer(device, path, cases, graphs=False)
    expected = []
    for case, boosting in given:
        expected.append(_opened(alone, case, boosting))
        _walk(alone, expected[-1:])
    together = _recognizer(device, path, cases, graphs=graphs)
    found = [_opened(together, *each) for each in given]
    _walk(together, found)
    pairs = list(zip(cases, map(_answer, found), map(_answer, expected), strict=True))
    return {
        "cases": len(cases),
        "alike": sum(one == other for _, one, other in pairs),
        "other": [f"{case['audio']} {case['context']}" for case, one, two in pairs if one != two],
        "changed": sum(one[0] != case["tokens"] for case, one, _ in pairs),
    }


def _cases(most_s: float) -> list[dict[str, Any]]:
    told = json.loads((GOLDEN / "golden.json").read_text("utf-8"))["cases"]
    return [
        case for case in told if not case.get("ill_posed") and case["samples"] <= most_s * 16_000
    ]


def _recognizer(
    device: torch.device, path: Path, cases: Sequence[dict[str, Any]], *, graphs: bool
) -> Recognizer:
    """The golden model; with graphs, steps of the contexts of these cases are ready."""
    transducer = TorchTransducer(golden_model(path), device, fixed_shapes=graphs)
    known = {tuple(case["context"]) for case in cases if case["context"] != "offline"}
    contexts = [ContextConfig(*each) for each in sorted(known)]
    for _ in transducer.prepare_steps(contexts, most_rows=_BATCH):
        pass
    return Recognizer(transducer, Numbered(257))


def _walk(recognizer: Recognizer, streams: Sequence[WindowedStream]) -> None:
    """Steps all of them to their ends."""
    while live := [stream for stream in streams if not stream.closed]:
        step = recognizer.prepare(live)
        step.encode()
        step.decode()
        step.commit()


def _opened(
    recognizer: Recognizer, case: dict[str, Any], boosting: Boosting | None = None
) -> WindowedStream:
    context = (
        recognizer.offline_context(case["samples"] / 16_000)
        if case["context"] == "offline"
        else ContextConfig(*case["context"])
    )
    stream = recognizer.open(StreamOptions(context, boosting=boosting))
    stream.window.feed(_samples(GOLDEN / "audio" / case["audio"]))
    stream.end()
    return stream


def _answer(stream: WindowedStream) -> tuple[list[int], list[int], list[int]]:
    tokens = stream.transcript().tokens
    return (
        [each.id for each in tokens],
        [each.start_frame for each in tokens],
        [each.duration_frames for each in tokens],
    )


def _samples(path: Path) -> Floats:
    with wave.open(str(path), "rb") as file:
        read = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    samples: Floats = read.astype(np.float32) / np.float32(32_768)
    return samples
