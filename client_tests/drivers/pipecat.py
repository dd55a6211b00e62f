"""Pipecat's speech-to-text services in a pipeline: a server's address in; what they heard out.

Modes: `realtime` (Pipecat's voice activity ends utterances, its default), `server-vad`, `files`,
`deepgram`.
"""

from __future__ import annotations

import asyncio

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.audio.vad_processor import VADProcessor
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService, OpenAISTTService
from pipecat.workers.runner import WorkerRunner

from client_tests.drivers.asked import Asked, Heard, drive


class _Listener(FrameProcessor):
    """Writes down what comes by."""

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self._heard = heard

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            self._heard.final(frame.text)
        elif isinstance(frame, InterimTranscriptionFrame):
            self._heard.interim(frame.text)
        elif isinstance(frame, VADUserStartedSpeakingFrame | ProposedUserStartedSpeakingFrame):
            self._heard.turn()
        await self.push_frame(frame, direction)


def _service(asked: Asked) -> FrameProcessor:
    base_url = f"{asked.socket_url}/v1/realtime"
    if asked.mode == "realtime":
        return OpenAIRealtimeSTTService(api_key=asked.key, base_url=base_url)
    if asked.mode == "server-vad":
        return OpenAIRealtimeSTTService(
            api_key=asked.key,
            base_url=base_url,
            turn_detection={"type": "server_vad"},
            settings=OpenAIRealtimeSTTService.Settings(model="gpt-transcribe"),
        )
    if asked.mode == "files":
        return OpenAISTTService(api_key=asked.key, base_url=f"{asked.url}/v1")
    return DeepgramSTTService(api_key=asked.key, base_url=asked.url)


async def _run(asked: Asked, heard: Heard) -> None:
    processors = [_service(asked), _Listener(heard)]
    if asked.mode != "server-vad":
        processors.insert(0, VADProcessor(vad_analyzer=SileroVADAnalyzer()))
    worker = PipelineWorker(
        Pipeline(processors),
        params=PipelineParams(audio_in_sample_rate=asked.rate_hz),
        enable_rtvi=False,
        cancel_on_idle_timeout=False,
    )
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def on_pipeline_started(*_: object) -> None:
        started.set()

    @worker.event_handler("on_pipeline_error")
    async def on_pipeline_error(_: object, frame: ErrorFrame) -> None:
        heard.error(frame)

    async def speak() -> None:
        await started.wait()
        async for piece in asked.pieces():
            await worker.queue_frame(InputAudioRawFrame(piece, asked.rate_hz, 1))
        await heard.quiet()
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), speak())


if __name__ == "__main__":
    drive(_run, "pipecat-ai", "openai", "deepgram-sdk", "websockets")
