"""Windows of samples in; encoder frames of each, which stay where they were computed, out."""

from __future__ import annotations

from collections.abc import Sequence

from parakeet_streaming.catalog.spec import ModelSpec
from parakeet_streaming.model.device_rows import DeviceFrames, Stretch
from parakeet_streaming.model.encoder import OnnxEncoder
from parakeet_streaming.ports import Floats
from parakeet_streaming.runtime.onnx_runtime import OnnxRuntimeSession


class DeviceEncoder(OnnxEncoder):
    """Log-mel features on the host, and the encoder graph on a device."""

    def __init__(
        self, session: OnnxRuntimeSession, frames: DeviceFrames, spec: ModelSpec, name: str
    ) -> None:
        """`frames`: of the same device; `name`: what messages call the graph."""
        super().__init__(session, spec, name)
        self._on_device = session
        self._frames = frames

    def _encoded(self, features: Sequence[Floats], lengths: Sequence[int]) -> list[Stretch]:
        """Where the frames of each row lie."""
        frames = self._names.frames
        _, kept = self._on_device.run_bound(
            self._feeds(features), kept=(frames,), device=self._frames.device
        )
        self._require_room(kept[frames], features)
        return self._frames.rows(kept[frames], lengths)
