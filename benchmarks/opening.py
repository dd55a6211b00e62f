"""The name of a model in; its encoder and its decoder_joint out, each session open to a stopwatch.

The same as `parakeet_streaming.load` does, from the same public parts, with a place to stand in
between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parakeet_streaming import RecognitionOptions, Recognizer
from parakeet_streaming.engine.ports import DecoderJoint, Encoder
from parakeet_streaming.load import open_decoder_joint
from parakeet_streaming.model.decoder_joint import OnnxDecoderJoint
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.files import find_parts
from parakeet_streaming.model.names import resolve
from parakeet_streaming.model.session import Session, open_session
from parakeet_streaming.model.spec import ModelSpec, read_spec

Wrap = Callable[[Session, str], Any]
"""Puts something that runs like a session around one called `encoder`, `predictor` or `joint`."""


@dataclass(frozen=True)
class Opened:
    """A model, ready to run."""

    encoder: OnnxEncoder
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


def open_model(model: str, threads: int | None = None, wrap: Wrap | None = None) -> Opened:
    """Opens a folder, a built-in name or a hub id; errors as in `load`."""
    around = wrap or (lambda session, _: session)
    parts = find_parts(resolve(model))
    spec = read_spec(parts)
    encoder = around(open_session(parts.encoder.path, threads=threads), "encoder")
    decoder_joint = open_decoder_joint(parts, spec, "auto", around)
    return Opened(OnnxEncoder(encoder, spec), decoder_joint, spec)
