"""Files of a model and the session of its encoder in; its networks on that session's device out.

Rules of this file:

1. All of them keep their arrays there, or none does: then arrays go back and forth at every call,
   which is slower and gives the same.
2. What streams begin with is computed on the host.
"""

from __future__ import annotations

import numpy as np
import onnx

from parakeet_streaming.catalog.model_folder import ModelParts
from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.catalog.weight_files import load_whole
from parakeet_streaming.model.device_cached_encoder import DeviceCachedEncoder
from parakeet_streaming.model.device_decoder import DeviceNetworks
from parakeet_streaming.model.device_encoder import DeviceEncoder
from parakeet_streaming.model.device_graphs import (
    ARITIES,
    LEAST_OPSET,
    frames_graph,
    joint_graph,
    opset_of,
    predictor_graph,
    rows_graph,
)
from parakeet_streaming.model.device_rows import DeviceFrames, DeviceRows
from parakeet_streaming.model.graphs import DECODER_THREADS, Wrap, open_decoder_joint
from parakeet_streaming.model.split_decoder import cut
from parakeet_streaming.model.transducer import FrameEncoder
from parakeet_streaming.runtime.cores import usable_cores
from parakeet_streaming.runtime.onnx_runtime import OnnxRuntimeSession
from parakeet_streaming.runtime.providers import TENSORRT, own_name
from parakeet_streaming.runtime.session import ONNX_RUNTIME, Session, open_session


def on_device(
    encoder: Session, parts: ModelParts, spec: ModelSpec, provider: str, wrap: Wrap
) -> tuple[FrameEncoder, DeviceNetworks] | None:
    """The encoder, and prediction network and joint; None where they are not kept on a device.

    Args:
        encoder: the encoder's session.
        parts: the model's files.
        spec: of the model.
        provider: as in `load`.
        wrap: what to put in place of each session, by `encoder`, `predictor`, `joint`, `rows` and
            `frames`.

    Raises:
        ParakeetError: as `open_decoder_joint`.
    """
    if not isinstance(encoder, OnnxRuntimeSession) or encoder.device is None:
        return None
    graphs = _decoder_graphs(parts, spec) if _fits(parts, spec) else None
    if graphs is None:
        return None
    opening = _Opening(encoder.device, decoder_provider(provider), str(parts.decoder.path), wrap)
    predictor = opening.session(graphs[0], "predictor")
    joint = opening.session(graphs[1], "joint")
    small = {count: opening.session(rows_graph(count), "rows", threads=1) for count in ARITIES}
    float16 = encoder.outputs[spec.names.frames].dtype == np.float16
    picking = opening.session(frames_graph(spec.encoder_width, float16), "frames", threads=1)
    if opening.elsewhere:
        return None
    rows = DeviceRows(small, encoder.device)
    frames = DeviceFrames(picking, encoder.device, str(parts.encoder.path))
    start = open_decoder_joint(parts, spec, "cpu").start()
    files = (str(parts.decoder.path), str((parts.joiner or parts.decoder).path))
    networks = DeviceNetworks(predictor, joint, rows, spec, start, files)
    name = str(parts.encoder.path)
    if spec.names.cached is not None:
        return DeviceCachedEncoder(encoder, frames, rows, spec, name), networks
    return DeviceEncoder(encoder, frames, spec, name), networks


def decoder_provider(provider: str) -> str:
    """What runs the decoder and the small graphs: CUDA, where TensorRT runs the encoder.

    TensorRT compiles a graph for shapes, and theirs differ at every call.
    """
    return "cuda" if own_name(provider) == TENSORRT else provider


class _Opening:
    """Opens sessions, and notes if one cannot keep its outputs where the encoder does."""

    def __init__(self, device: str, provider: str, name: str, wrap: Wrap) -> None:
        self.elsewhere = False
        self._device = device
        self._provider = provider
        self._name = name
        self._wrap = wrap

    def session(self, graph: bytes, role: str, threads: int | None = None) -> OnnxRuntimeSession:
        session = open_session(
            graph,
            runtime=ONNX_RUNTIME,
            provider=self._provider,
            threads=threads or min(usable_cores(), DECODER_THREADS),
            name=self._name,
        )
        wrapped = self._wrap(session, role)
        assert isinstance(session, OnnxRuntimeSession)
        self.elsewhere |= session.device != self._device or wrapped is not session
        return session


def _fits(parts: ModelParts, spec: ModelSpec) -> bool:
    """Whether rows of the decoder may share calls, and all but frames are float32."""
    names, cached = spec.names, spec.names.cached
    floats = {names.hidden, names.cell, names.joint_frames}
    floats |= {cached.past_keys, cached.past_values, cached.past_convolved} if cached else set()
    floats |= {cached.keys, cached.values, cached.convolved} if cached else set()
    values = [each for part in parts.onnx for each in (*part.graph.inputs, *part.graph.outputs)]
    return (
        spec.rows_independent
        and not spec.predictor_batch_one
        and all(each.dtype == np.float32 for each in values if each.name in floats)
    )


def _decoder_graphs(parts: ModelParts, spec: ModelSpec) -> tuple[bytes, bytes] | None:
    """Prediction network and joint for a device; None where their operators are too old."""
    names = spec.names
    if parts.joiner is None:
        halves = cut(parts.decoder.path, names)
        predictor = onnx.ModelProto.FromString(halves.predictor)
        joint = onnx.ModelProto.FromString(halves.joint)
        made = asked = halves.predictions
    else:
        assert names.predictions is not None
        assert names.joint_predictions is not None
        predictor, joint = load_whole(parts.decoder.path), load_whole(parts.joiner.path)
        made, asked = names.predictions, names.joint_predictions
    if min(opset_of(predictor), opset_of(joint)) < LEAST_OPSET:
        return None
    return (
        predictor_graph(predictor, names, made),
        joint_graph(joint, names, asked, spec.vocabulary.size, len(spec.durations)),
    )
