"""Streaming speech-to-text with NVIDIA's Parakeet TDT models.

```python
from parakeet_streaming import ContextConfig, load

recognizer = load("tiny-en")
stream = recognizer.stream(ContextConfig.balanced())
for event in stream.feed(samples):     # float32 (n,) at 16 kHz, any n
    print(event.text, end="")          # committed; event.tentative_text comes early
*rest, final = stream.finish()         # decodes what is left
```

Everything that is needed to use the package is imported from here. What needs an extra, or takes
long to import, is imported when it is first asked for.
"""

import importlib
import logging
import os
import typing

# Nothing phones home. These are read when ONNX Runtime and the hub's client are imported; OpenVINO
# has no such variable, so `runtime/openvino_runtime.py` does it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.channels import ChannelTranscript, SeparateTranscript, Utterance
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.recognition_options import RecognitionOptions
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.engine.separate_channels import transcribe_channels
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream import Restored, Stream
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import (
    AccessError,
    AudioFormatError,
    AudioInputError,
    AudioNotFoundError,
    CapacityError,
    ComputeError,
    ContextError,
    DeviceError,
    DeviceNotFoundError,
    DownloadError,
    EngineFailedError,
    ExtraMissingError,
    FileAccessError,
    InputError,
    MissingError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    OptionError,
    ParakeetError,
    ProviderMissingError,
    ServerError,
    SnapshotError,
    StreamClosedError,
    UnavailableError,
    UsageError,
)
from parakeet_streaming.load import ModelConfig, ParakeetTDTModel, load, load_vad
from parakeet_streaming.results import (
    ContextChanged,
    EndReason,
    Event,
    FilterStart,
    Final,
    Gap,
    HealthHint,
    Partial,
    Segment,
    SnapshotTaken,
    SpeechEnded,
    SpeechStarted,
    StepTiming,
    Token,
    TokenResult,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig

if typing.TYPE_CHECKING:
    from parakeet_streaming.audio.blocks import AudioFile
    from parakeet_streaming.audio.files import open_audio, read_audio
    from parakeet_streaming.audio.pcm_decoder import PcmDecoder
    from parakeet_streaming.audio.saving import SavedSound
    from parakeet_streaming.audio.separate_channels import read_channels
    from parakeet_streaming.classic.debug_view import DebugView
    from parakeet_streaming.classic.producer_consumer import AudioProducer, TokenConsumer
    from parakeet_streaming.classic.streaming import StreamingParakeetTDT, live_tokens
    from parakeet_streaming.live.adaptation import DelayRange
    from parakeet_streaming.live.batch_limits import BatchLimits
    from parakeet_streaming.live.engine import LiveEngine
    from parakeet_streaming.live.metrics import LiveMetrics
    from parakeet_streaming.live.options import LiveOptions
    from parakeet_streaming.live.stats import EngineStats, StreamStats
    from parakeet_streaming.live.stream import LiveStream
    from parakeet_streaming.metrics.prometheus import MetricsCollector, prometheus_text
    from parakeet_streaming.sources.devices import InputDevice
    from parakeet_streaming.sources.microphone import Microphone
    from parakeet_streaming.sources.pacing import paced
    from parakeet_streaming.sources.portaudio import input_devices
    from parakeet_streaming.sources.stdin import open_stdin
    from parakeet_streaming.subtitles.options import SubtitleOptions
    from parakeet_streaming.writing.options import WritingOptions
    from parakeet_streaming.writing.replacements import Replacement, read_replacements
    from parakeet_streaming.writing.written_stream import WrittenStream, written

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "AudioFile",
    "AudioFormatError",
    "AudioInputError",
    "AudioNotFoundError",
    "AudioProducer",
    "BatchLimits",
    "Boosting",
    "CapacityError",
    "ChannelTranscript",
    "ComputeError",
    "ContextChanged",
    "ContextConfig",
    "ContextError",
    "DebugView",
    "DelayRange",
    "DeviceError",
    "DeviceNotFoundError",
    "DownloadError",
    "EndReason",
    "EndpointOptions",
    "EngineFailedError",
    "EngineStats",
    "Event",
    "ExtraMissingError",
    "FileAccessError",
    "FilterStart",
    "Final",
    "Gap",
    "HealthHint",
    "InputDevice",
    "InputError",
    "LiveEngine",
    "LiveMetrics",
    "LiveOptions",
    "LiveStream",
    "MetricsCollector",
    "Microphone",
    "MissingError",
    "ModelConfig",
    "ModelFormatError",
    "ModelNotFoundError",
    "ModelPartMissingError",
    "OptionError",
    "ParakeetError",
    "ParakeetTDTModel",
    "Partial",
    "PcmDecoder",
    "Phrase",
    "ProviderMissingError",
    "RecognitionOptions",
    "Recognizer",
    "Replacement",
    "Restored",
    "SavedSound",
    "Segment",
    "SeparateTranscript",
    "ServerError",
    "SnapshotError",
    "SnapshotTaken",
    "SpeechEnded",
    "SpeechStarted",
    "StallGuard",
    "StepTiming",
    "Stream",
    "StreamClosedError",
    "StreamStats",
    "StreamingParakeetTDT",
    "SubtitleOptions",
    "Token",
    "TokenConsumer",
    "TokenResult",
    "Transcript",
    "UnavailableError",
    "UsageError",
    "Utterance",
    "VadOptions",
    "Word",
    "WritingOptions",
    "WrittenStream",
    "input_devices",
    "live_tokens",
    "load",
    "load_vad",
    "open_audio",
    "open_stdin",
    "paced",
    "prometheus_text",
    "read_audio",
    "read_channels",
    "read_replacements",
    "transcribe_channels",
    "written",
]

_IMPORTED_LATER = {
    "AudioFile": "audio.blocks",
    "AudioProducer": "classic.producer_consumer",
    "BatchLimits": "live.batch_limits",
    "DebugView": "classic.debug_view",
    "DelayRange": "live.adaptation",
    "EngineStats": "live.stats",
    "InputDevice": "sources.devices",
    "LiveEngine": "live.engine",
    "LiveMetrics": "live.metrics",
    "LiveOptions": "live.options",
    "LiveStream": "live.stream",
    "MetricsCollector": "metrics.prometheus",
    "Microphone": "sources.microphone",
    "PcmDecoder": "audio.pcm_decoder",
    "Replacement": "writing.replacements",
    "SavedSound": "audio.saving",
    "StreamStats": "live.stats",
    "StreamingParakeetTDT": "classic.streaming",
    "SubtitleOptions": "subtitles.options",
    "TokenConsumer": "classic.producer_consumer",
    "WritingOptions": "writing.options",
    "WrittenStream": "writing.written_stream",
    "input_devices": "sources.portaudio",
    "live_tokens": "classic.streaming",
    "open_audio": "audio.files",
    "open_stdin": "sources.stdin",
    "paced": "sources.pacing",
    "prometheus_text": "metrics.prometheus",
    "read_audio": "audio.files",
    "read_channels": "audio.separate_channels",
    "read_replacements": "writing.replacements",
    "written": "writing.written_stream",
}
"""By name: the module, below this package, that it is imported from when it is first asked for."""

# As libraries do: the program that uses the package decides where its messages go.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    module = _IMPORTED_LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    member: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = member
    return member


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
