"""The name of a model in; its encoder and its decoder_joint out, each session open to a stopwatch.

The same as `parakeet_streaming.load` does, from the same public parts, with a place to stand in
between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from parakeet_streaming import RecognitionOptions, Recognizer
from parakeet_streaming.catalog.files import ModelParts, Part, find_parts
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.precision import BFLOAT16, stored_precision
from parakeet_streaming.catalog.resolve import resolve
from parakeet_streaming.catalog.roles import Role, role_of
from parakeet_streaming.catalog.spec import ModelSpec, read_spec
from parakeet_streaming.errors import ModelPartMissingError
from parakeet_streaming.load import open_decoder_joint
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.model.decoder_joint import OnnxDecoderJoint
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import DecoderJoint, Encoder
from parakeet_streaming.runtime.choice import choose
from parakeet_streaming.runtime.session import Session, open_session

Wrap = Callable[[Session, str], Any]
"""Puts something that runs like a session around one called `encoder`, `predictor` or `joint`."""

_CACHED_FILE: Final = "encoder-cached-model"


@dataclass(frozen=True)
class Choice:
    """What computes the encoder, and which encoder of the folder."""

    runtime: str = "auto"
    """As in `load`."""
    precision: str = "auto"
    """As in `load`."""
    cached: bool = False
    """The encoder that keeps its past, also where one for whole windows stands beside it."""
    threads: int | None = None
    """Of the encoder; None for one per core."""


@dataclass(frozen=True)
class Opened:
    """A model, ready to run."""

    encoder: OnnxEncoder | OnnxCachedEncoder
    decoder_joint: OnnxDecoderJoint
    spec: ModelSpec

    def recognizer(
        self, encoder: Encoder | None = None, decoder_joint: DecoderJoint | None = None
    ) -> Recognizer:
        """A recognizer of these, or of what stands around them."""
        return Recognizer(
            encoder or self.encoder,
            decoder_joint or self.decoder_joint,
            self.spec.vocabulary,
            name=self.spec.name,
            options=RecognitionOptions(max_symbols=self.spec.max_symbols),
        )


def open_model(model: str, choice: Choice | None = None, wrap: Wrap | None = None) -> Opened:
    """Opens a folder, a built-in name or a hub id; errors as in `load`."""
    choice = choice or Choice()
    around = wrap or (lambda session, _: session)
    parts = parts_of(model, choice)
    spec = read_spec(parts)
    bfloat16 = choice.precision == BFLOAT16
    chosen = choose(parts.encoder.graph, runtime=choice.runtime, bfloat16=bfloat16)
    session = open_session(
        parts.encoder.path, runtime=chosen.runtime, threads=choice.threads, bfloat16=bfloat16
    )
    decoder_joint = open_decoder_joint(parts, spec, "auto", around)
    kind = OnnxCachedEncoder if spec.names.cached else OnnxEncoder
    return Opened(kind(around(session, "encoder"), spec), decoder_joint, spec)


def parts_of(model: str, choice: Choice) -> ModelParts:
    """The files of a model, with the encoder that was chosen."""
    stored = stored_precision(choice.precision)
    parts = find_parts(resolve(model, precision=stored), stored)
    if not choice.cached or role_of(parts.encoder.graph) is Role.CACHED_ENCODER:
        return parts
    suffix = "" if parts.encoder.precision == "fp32" else f".{parts.encoder.precision}"
    path = parts.folder / f"{_CACHED_FILE}{suffix}.onnx"
    if not path.is_file():
        raise ModelPartMissingError(
            f"{parts.folder} has no {path.name}; export the model with "
            "`parakeet export MODEL --to FOLDER --streaming cached`, or make one with "
            "`make_model.py --streaming both`"
        )
    graph = read_graph(path)
    return replace(parts, encoder=Part(path, parts.encoder.precision, graph))


def has_cached(model: str) -> bool:
    """Whether a model has an encoder that keeps its past."""
    try:
        parts_of(model, Choice(cached=True))
    except ModelPartMissingError:
        return False
    return True
