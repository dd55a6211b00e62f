"""A folder, a built-in name or a hub id in; a recognizer out; and voice activity.

The composition root: the only file that knows both the models and the engine.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from os import PathLike
from typing import Final, Self

from parakeet_streaming.catalog.fingerprint import fingerprint
from parakeet_streaming.catalog.model_folder import ModelParts, find_parts
from parakeet_streaming.catalog.precision import BFLOAT16, stored_precision
from parakeet_streaming.catalog.resolve import resolve, user_path
from parakeet_streaming.catalog.spec import ModelSpec, read_spec
from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.words import Pieces
from parakeet_streaming.errors import ModelFormatError, OptionError
from parakeet_streaming.model.confidence import measure
from parakeet_streaming.model.device_model import decoder_provider, on_device
from parakeet_streaming.model.graphs import Wrap, as_it_is, encoder_of, open_decoder_joint
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.model.silero import open_silero
from parakeet_streaming.model.transducer import NumpyTransducer
from parakeet_streaming.ports import Transducer, VoiceActivity
from parakeet_streaming.runtime.choice import choose, open_chosen
from parakeet_streaming.runtime.cores import check_threads
from parakeet_streaming.runtime.gpu_choice import INT8, TORCH, check_kv_cache, wants_torch
from parakeet_streaming.runtime.session import (
    ONNX_RUNTIME,
    Session,
    choose_runtime,
    open_session,
)

DEFAULT_MODEL: Final = "tiny-en"
"""The model inside the package."""

_LOGGER: Final = logging.getLogger(__name__)


def load(
    source: str | PathLike[str] = DEFAULT_MODEL,
    *,
    precision: str = "auto",
    runtime: str = "auto",
    provider: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    kv_cache: str = "auto",
    revision: str | None = None,
    options: RecognitionOptions | None = None,
    wrap: Wrap = as_it_is,
) -> Recognizer:
    """Loads a model; the recognizer can be shared by any number of streams.

    Args:
        source: a folder with an ONNX export, a built-in name (`tiny-en`), a known name
            (`parakeet-tdt-0.6b-v3`) or a hub id (`owner/name`, `owner/name@revision`). With the
            runtime torch also a `.nemo` file, a folder that transformers wrote, or a checkpoint.
        precision: `auto`, `fp32`, `int8` or `fp16`: which encoder to take where there are several;
            `bf16`: compute in bfloat16; of graphs, the fp32 one.
        runtime: of the encoder: `auto`, `onnxruntime` or `openvino` (an extra; processors only);
            or `torch` (an extra), which runs the whole model on one device. `auto` is torch where
            it finds a GPU; else the faster one of the others: measured once, in a few seconds.
        provider: `auto`, `cpu`, `cuda`, `tensorrt`, ... or ONNX Runtime's own name of an execution
            provider. On a GPU, what only graphs read stays there.
        device: of torch: `cuda`, `cuda:1`, `cpu`; `auto` is the first GPU if there is one.
        threads: threads of one encoder call; None for one per physical core that affinity and
            quotas leave. Torch has one number for the whole process.
        kv_cache: of torch: how cached streams keep keys and values: `auto` as the precision says,
            `int8` in 8 bits.
        revision: branch, tag or commit of a hub repository.
        options: confidence, symbols per frame, segments.
        wrap: what to put in place of each session; for measuring. Torch has none.

    Raises:
        ModelNotFoundError: no such folder, name or repository.
        ModelPartMissingError: a file of the model is missing.
        ModelFormatError: no Parakeet TDT or RNN-T, or a decoder with weights that are not finite.
        ProviderMissingError: the provider, or the GPU, is not offered on this machine.
        ExtraMissingError: OpenVINO or torch was asked for and is not installed.
        OptionError: a precision, runtime, provider, device or number of threads that is none here.
        DownloadError: the hub did not answer.
        ComputeError: the prediction network gives numbers that are not finite.
    """
    check_threads(threads)
    check_kv_cache(kv_cache)
    options = options or RecognitionOptions()
    measured = wrap is not as_it_is
    on_torch = wants_torch(
        runtime, device, _torch_finds_gpu, provider=provider, precision=precision, measured=measured
    )
    if on_torch:
        try:
            return _load_torch(source, options, precision, device, threads, kv_cache, revision)
        except ModelFormatError as error:
            if runtime == TORCH or device != "auto":
                raise
            _LOGGER.warning("the GPU is not used: %s", error)
        runtime = ONNX_RUNTIME
    if kv_cache == INT8:
        raise OptionError(
            "a kv_cache in int8 belongs to the runtime torch; leave it out, or use it"
        )
    return _load_graphs(source, options, precision, runtime, provider, threads, revision, wrap)


def _load_graphs(
    source: str | PathLike[str],
    options: RecognitionOptions,
    precision: str,
    runtime: str,
    provider: str,
    threads: int | None,
    revision: str | None,
    wrap: Wrap,
) -> Recognizer:
    """A model whose graphs are run by ONNX Runtime or OpenVINO."""
    stored, bfloat16 = stored_precision(precision), precision == BFLOAT16
    choose_runtime(runtime, bfloat16=bfloat16, provider=provider)
    parts, spec = _found(source, stored, revision)
    chosen = choose(parts.encoder.graph, runtime=runtime, bfloat16=bfloat16, provider=provider)
    session, runs_on = open_chosen(
        parts.encoder.path,
        chosen,
        runtime=runtime,
        provider=provider,
        threads=threads,
        bfloat16=bfloat16,
        float16=parts.encoder.graph.float16_weights,
    )
    wrapped = wrap(session, "encoder")
    encoder, decoder = on_device(wrapped, parts, spec, provider, wrap) or (
        encoder_of(wrapped, parts, spec),
        open_decoder_joint(parts, spec, decoder_provider(provider), wrap),
    )
    max_symbols = spec.max_symbols if options.max_symbols is None else options.max_symbols
    transducer = NumpyTransducer(
        encoder,
        LabelLoopingDecoder(
            decoder, max_symbols=max_symbols, confidence=measure(options.confidence)
        ),
        fingerprint=fingerprint(parts),
        runs_on=_in_words(runs_on, session),
    )
    options = replace(options, max_symbols=max_symbols)
    return _recognizer(transducer, spec.vocabulary, spec.name, options)


def _load_torch(
    source: str | PathLike[str],
    options: RecognitionOptions,
    precision: str,
    device: str,
    threads: int | None,
    kv_cache: str,
    revision: str | None,
) -> Recognizer:
    """A model that torch runs, whole, on one device."""
    from parakeet_streaming.torch_runtime.opening import (
        Choices,
        has_own_weights,
        open_torch,
        read_graphs,
        read_own_weights,
    )

    path = user_path(source)
    if has_own_weights(path):
        read = read_own_weights(path)
    else:
        stored = "auto" if precision == BFLOAT16 else stored_precision(precision)
        parts, spec = _found(source, stored, revision)
        session = open_session(parts.encoder.path, runtime=ONNX_RUNTIME, provider="cpu")
        decoder = open_decoder_joint(parts, spec, "cpu")
        read = read_graphs(parts, spec, encoder_of(session, parts, spec), decoder)
    options = replace(options, max_symbols=options.max_symbols or read.model.config.max_symbols)
    chosen = (device, threads, options.max_symbols, options.confidence)
    choices = Choices(*chosen, bfloat16=precision == BFLOAT16, cache_int8=kv_cache == INT8)
    return _recognizer(open_torch(read, choices), read.vocabulary, read.name, options)


def _torch_finds_gpu() -> bool:
    from parakeet_streaming.torch_runtime.devices import gpus

    return bool(gpus())


def _found(
    source: str | PathLike[str], stored: str, revision: str | None
) -> tuple[ModelParts, ModelSpec]:
    folder = resolve(source, precision=stored, revision=revision)
    parts = find_parts(folder, stored)
    return parts, read_spec(parts)


def _recognizer(
    transducer: Transducer, pieces: Pieces, name: str, options: RecognitionOptions
) -> Recognizer:
    _LOGGER.info("%s runs on %s", name, transducer.runs_on)
    return Recognizer(transducer, pieces, name=name, options=options)


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
    """`auto`, `onnxruntime`, `openvino` or `torch`."""
    provider: str = "auto"
    """`auto`, `cpu`, `cuda`, or a provider's own name."""
    device: str = "auto"
    """Of torch: `auto`, `cpu`, `cuda` or `cuda:N`."""
    threads: int | None = None
    """Threads of one encoder call; None for one per core."""
    kv_cache: str = "auto"
    """Of torch: `auto` or `int8`."""
    revision: str | None = None
    """Revision of a hub repository."""
    options: RecognitionOptions | None = None
    """Confidence measure, symbols per frame, segments."""


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
            device=config.device,
            threads=config.threads,
            kv_cache=config.kv_cache,
            revision=config.revision,
            options=config.options,
        )
        return cls(recognizer)
