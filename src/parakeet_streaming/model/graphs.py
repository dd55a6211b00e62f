"""Files of a model in; its graphs, opened and ready to be called, out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog.broken_weights import refuse_broken_weights
from parakeet_streaming.catalog.model_folder import ModelParts
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.model.cached_encoder import OnnxCachedEncoder
from parakeet_streaming.model.decoder_joint import OnnxDecoderJoint
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.model.split_decoder import cut
from parakeet_streaming.model.transducer import FrameEncoder
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.session import ONNX_RUNTIME, Session, open_session

DECODER_THREADS: Final = 4

Wrap = Callable[[Session, str], Session]
"""A session and its role, `encoder`, `predictor` or `joint`, to what is used in its place; where
arrays stay on a device, `rows` and `frames` too."""


def as_it_is(session: Session, _: str) -> Session:
    """The session itself."""
    return session


def encoder_of(session: Session, parts: ModelParts, spec: ModelSpec) -> FrameEncoder:
    """The encoder that a session runs."""
    encoder_class = OnnxCachedEncoder if spec.names.cached else OnnxEncoder
    return encoder_class(session, spec, str(parts.encoder.path))


def open_decoder_joint(
    parts: ModelParts, spec: ModelSpec, provider: str, wrap: Wrap = as_it_is
) -> OnnxDecoderJoint:
    """Prediction network and joint.

    Calls for one stream are so short that more than a few threads wait for each other. Weights are
    checked here, because ONNX Runtime's LSTM makes finite numbers, and so text, of NaN.
    """
    for path in {parts.decoder.path, (parts.joiner or parts.decoder).path}:
        refuse_broken_weights(path)
    threads = min(usable_cores(), DECODER_THREADS)

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
