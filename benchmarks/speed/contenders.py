"""A model in; programs that recognise with its weights out, and those that cannot, with the reason.

Rules of this file:

1. Every program gets the same weights (in files of other names or cuts where it wants them) and
   the same number of threads for its encoder, and is otherwise left as it comes.
2. A program that is not installed, or refuses the model, is named with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.models.runtimes import AbsentError, open_model, parts_of
from benchmarks.speed.peer_layouts import (
    DECODER,
    ENCODER,
    JOINER,
    TOKENS,
    write_onnx_asr,
    write_sherpa,
)
from parakeet_streaming.catalog.spec import ModelSpec, read_spec
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

ONNX_ASR: Final = "onnx-asr"
SHERPA_ONNX: Final = "sherpa-onnx"
_FP32: Final = "onnxruntime"

Transcribe = Callable[[NDArray[np.float32]], int]
"""Recognises samples (n,) at 16 kHz; gives the number of tokens."""


@dataclass(frozen=True)
class Contender:
    """A program with its model loaded."""

    name: str
    transcribe: Transcribe


def ours(name: str, model: str, threads: int) -> Contender:
    """This package with one of `RUNTIMES`.

    Raises:
        AbsentError: the runtime cannot run here, or the model is not in that precision.
    """
    recognizer = open_model(model, name, threads=threads)
    return Contender(f"ours, {name}", lambda samples: len(recognizer.transcribe(samples).tokens))


def onnx_asr(model: str, threads: int, scratch: Path) -> Contender:
    """onnx-asr, as it comes.

    Raises:
        AbsentError: not installed, or a model it cannot read.
    """
    if find_spec("onnx_asr") is None:
        raise AbsentError("not installed (pip install onnx-asr)")
    import onnx_asr as package
    from onnxruntime import SessionOptions

    parts = parts_of(model, _FP32)
    if parts.joiner is not None:
        raise AbsentError("reads models in two files only")
    _refuse_a_past(read_spec(parts))
    folder = scratch / ONNX_ASR
    folder.mkdir()
    precision = write_onnx_asr(parts, folder)
    options = SessionOptions()
    options.intra_op_num_threads = threads
    loaded = package.load_model(
        "nemo-conformer-tdt",
        folder,
        quantization=precision,
        sess_options=options,
        providers=["CPUExecutionProvider"],
    ).with_timestamps()
    return Contender(ONNX_ASR, lambda samples: len(loaded.recognize(samples).tokens or ()))


def _refuse_a_past(spec: ModelSpec) -> None:
    if spec.names.cached:
        raise AbsentError(
            "reads no encoder that keeps its past; export the model without --streaming cached"
        )


def sherpa_onnx(model: str, threads: int, scratch: Path) -> Contender:
    """sherpa-onnx, with the model cut as it wants it.

    Raises:
        AbsentError: not installed, or a model it cannot read.
    """
    if find_spec("sherpa_onnx") is None:
        raise AbsentError("not installed (pip install sherpa-onnx)")
    import sherpa_onnx as package

    parts = parts_of(model, _FP32)
    if parts.joiner is not None:
        raise AbsentError("this comparison cuts models of two files only")
    spec = read_spec(parts)
    _refuse_a_past(spec)
    folder = scratch / SHERPA_ONNX
    folder.mkdir()
    write_sherpa(parts, spec, folder)
    recognizer = package.OfflineRecognizer.from_transducer(
        *(str(folder / name) for name in (ENCODER, DECODER, JOINER, TOKENS)),
        num_threads=threads,
        feature_dim=spec.mel_bins,
        model_type="nemo_transducer",
    )

    def transcribe(samples: NDArray[np.float32]) -> int:
        stream = recognizer.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        recognizer.decode_stream(stream)
        return len(stream.result.tokens)

    return Contender(SHERPA_ONNX, transcribe)
