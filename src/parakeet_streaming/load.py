"""A folder, a built-in name or a hub id in; a recognizer out; and voice activity.

The composition root: the only file that knows both the models and the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, Self

from parakeet_streaming.catalog.broken_weights import refuse_broken_weights
from parakeet_streaming.catalog.fingerprint import fingerprint
from parakeet_streaming.catalog.model_folder import ModelParts, find_parts
from parakeet_streaming.catalog.precision import BFLOAT16, stored_precision
from parakeet_streaming.catalog.resolve import resolve
from parakeet_streaming.catalog.spec import ModelSpec, read_spec
from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.model.confidence import measure
from parakeet_streaming.model.decoder_joint import OnnxDecoderJoint
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.model.silero import open_silero
from parakeet_streaming.model.split_decoder import cut
from parakeet_streaming.model.transducer import NumpyTransducer
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.runtime.choice import choose, open_chosen
from parakeet_streaming.runtime.cores import check_threads, usable_cores
from parakeet_streaming.runtime.session import ONNX_RUNTIME, Session, choose_runtime, open_session

DEFAULT_MODEL: Final = "tiny-en"
"""The model inside the package."""

_DECODER_THREADS: Final = 4
_LOGGER: Final = logging.getLogger(__name__)

Wrap = Callable[[Session, str], Session]
"""Takes a session and its role, `encoder`, `predictor` or `joint`; gives what is used in its place,
such as one that measures."""


def _as_it_is(session: Session, _: str) -> Session:
    return session


def load(
    source: str | PathLike[str] = DEFAULT_MODEL,
    *,
    precision: str = "auto",
    runtime: str = "auto",
    provider: str = "auto",
    threads: int | None = None,
    revision: str | None = None,
    options: RecognitionOptions | None = None,
    wrap: Wrap = _as_it_is,
) -> Recognizer:
    """Loads a model; the recognizer can be shared by any number of streams.

    Args:
        source: a folder with an ONNX export, a built-in name (`tiny-en`), a known name
            (`parakeet-tdt-0.6b-v3`) or a hub id (`owner/name`, `owner/name@revision`).
        precision: `auto`, `fp32`, `int8` or `fp16`: which encoder to take where there are several;
            `bf16`: compute the fp32 one in bfloat16.
        runtime: of the encoder: `auto`, `onnxruntime` or `openvino` (an extra; processors only).
            `auto` is the one that was measured to be faster on this machine for such weights:
            once, in a few seconds, where both are installed and compute.
        provider: `auto`, `cpu`, `cuda`, ... or ONNX Runtime's own name of an execution provider.
        threads: threads of one encoder call; None for one per physical core that affinity and
            quotas leave.
        revision: branch, tag or commit of a hub repository.
        options: confidence, symbols per frame, segments; None for what the model says.
        wrap: what to put in place of each session; for measuring.

    Raises:
        ModelNotFoundError: no such folder, name or repository.
        ModelPartMissingError: a file of the model is missing.
        ModelFormatError: files that are no Parakeet TDT or RNN-T export, or a decoder with weights
            that are not finite.
        ProviderMissingError: the provider is not offered on this machine.
        ExtraMissingError: OpenVINO was asked for and is not installed.
        OptionError: a precision, runtime, provider or number of threads that does not exist here.
        DownloadError: the hub did not answer.
        ComputeError: the prediction network gives numbers that are not finite.
    """
    stored, bfloat16 = stored_precision(precision), precision == BFLOAT16
    check_threads(threads)
    choose_runtime(runtime, bfloat16=bfloat16, provider=provider)
    folder = resolve(source, precision=stored, revision=revision)
    parts = find_parts(folder, stored)
    spec = read_spec(parts)
    chosen = choose(parts.encoder.graph, runtime=runtime, bfloat16=bfloat16, provider=provider)
    session, runs_on = open_chosen(
        parts.encoder.path,
        chosen,
        runtime=runtime,
        provider=provider,
        threads=threads,
        bfloat16=bfloat16,
    )
    options = options or RecognitionOptions(max_symbols=spec.max_symbols)
    encoder_class = OnnxCachedEncoder if spec.names.cached else OnnxEncoder
    transducer = NumpyTransducer(
        encoder_class(wrap(session, "encoder"), spec, str(parts.encoder.path)),
        LabelLoopingDecoder(
            open_decoder_joint(parts, spec, provider, wrap),
            max_symbols=options.max_symbols,
            confidence=measure(options.confidence),
        ),
        fingerprint=fingerprint(parts),
        runs_on=_in_words(runs_on, session),
    )
    _LOGGER.info("%s runs on %s", spec.name, transducer.runs_on)
    return Recognizer(transducer, spec.vocabulary, name=spec.name, options=options)


def _in_words(runtime: str, session: Session) -> str:
    count = session.threads
    threads = "1 thread" if count == 1 else f"{count} threads"
    return f"{runtime} ({', '.join(session.providers)}), {threads}"


def load_vad() -> VoiceActivity:
    """Silero VAD, which ships with the package; it can be shared by any number of streams."""
    return open_silero()


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """How a model is loaded; every field as in `load`."""

    precision: str = "auto"
    """`auto`, `fp32`, `int8`, `fp16` or `bf16`."""
    runtime: str = "auto"
    """`auto`, `onnxruntime` or `openvino`."""
    provider: str = "auto"
    """`auto`, `cpu`, `cuda`, or a provider's own name."""
    threads: int | None = None
    """Threads of one encoder call; None for one per core."""
    revision: str | None = None
    """Revision of a hub repository."""
    options: RecognitionOptions | None = None
    """Confidence measure, symbols per frame, segments; None for what the model says."""


class ParakeetTDTModel:
    """A loaded model, to be shared by any number of engines."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer

    @classmethod
    def from_pretrained(
        cls, source: str | PathLike[str] = DEFAULT_MODEL, config: ModelConfig | None = None
    ) -> Self:
        """Loads a folder, a built-in name or a hub id; errors as in `load`."""
        config = config or ModelConfig()
        recognizer = load(
            source,
            precision=config.precision,
            runtime=config.runtime,
            provider=config.provider,
            threads=config.threads,
            revision=config.revision,
            options=config.options,
        )
        return cls(recognizer)


def open_decoder_joint(
    parts: ModelParts, spec: ModelSpec, provider: str, wrap: Wrap = _as_it_is
) -> OnnxDecoderJoint:
    """Prediction network and joint.

    Calls for one stream are so short that more than a few threads wait for each other. Weights are
    checked here, because ONNX Runtime's LSTM makes finite numbers, and so text, of NaN.
    """
    for path in {parts.decoder.path, (parts.joiner or parts.decoder).path}:
        refuse_broken_weights(path)
    threads = min(usable_cores(), _DECODER_THREADS)

    def open_part(source: Path | bytes, role: str) -> Session:
        name = str(parts.decoder.path if isinstance(source, bytes) else source)
        session = open_session(
            source, runtime=ONNX_RUNTIME, provider=provider, threads=threads, name=name
        )
        return wrap(session, role)

    if parts.joiner is None:
        halves = cut(parts.decoder.path, spec.names)
        predictor = open_part(halves.predictor, "predictor")
        joint = open_part(halves.joint, "joint")
        between = (halves.predictions, halves.predictions)
        return OnnxDecoderJoint(predictor, joint, spec, between, (str(parts.decoder.path),) * 2)
    predictor = open_part(parts.decoder.path, "predictor")
    joint = open_part(parts.joiner.path, "joint")
    assert spec.names.predictions is not None
    assert spec.names.joint_predictions is not None
    between = (spec.names.predictions, spec.names.joint_predictions)
    files = (str(parts.decoder.path), str(parts.joiner.path))
    return OnnxDecoderJoint(predictor, joint, spec, between, files)
