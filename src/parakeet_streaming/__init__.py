"""Streaming speech-to-text with NVIDIA's Parakeet TDT models.

```python
from parakeet_streaming import ContextConfig, load

recognizer = load("tiny-en")
stream = recognizer.stream(ContextConfig.balanced())
for event in stream.feed(samples):     # float32 (n,) at 16 kHz, any n
    print(event.text, end="")          # committed; event.tentative_text comes early
*rest, final = stream.finish()         # decodes what is left
```
"""

from parakeet_streaming.classic.ends import AudioProducer, TokenConsumer
from parakeet_streaming.classic.engine import (
    DebugView,
    StreamingParakeetTDT,
    live_tokens,
)
from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.engine.recognizer import RecognitionOptions, Recognizer
from parakeet_streaming.engine.stall import StallGuard
from parakeet_streaming.engine.stream import Stream
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.live.stats import EngineStats, StreamStats
from parakeet_streaming.live.stream import LiveStream
from parakeet_streaming.load import ModelConfig, ParakeetTDTModel, load, load_vad
from parakeet_streaming.results import (
    ContextChanged,
    EndReason,
    Event,
    Final,
    Gap,
    Partial,
    Segment,
    SpeechEnded,
    SpeechStarted,
    StepTiming,
    Token,
    TokenResult,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig

__version__ = "0.1.0"

__all__ = [
    "AudioProducer",
    "ContextChanged",
    "ContextConfig",
    "DebugView",
    "DelayRange",
    "EndReason",
    "EndpointOptions",
    "EngineStats",
    "Event",
    "Final",
    "Gap",
    "LiveEngine",
    "LiveOptions",
    "LiveStream",
    "ModelConfig",
    "ParakeetTDTModel",
    "Partial",
    "RecognitionOptions",
    "Recognizer",
    "Segment",
    "SpeechEnded",
    "SpeechStarted",
    "StallGuard",
    "StepTiming",
    "Stream",
    "StreamStats",
    "StreamingParakeetTDT",
    "Token",
    "TokenConsumer",
    "TokenResult",
    "Transcript",
    "VadOptions",
    "Word",
    "live_tokens",
    "load",
    "load_vad",
]
