"""LiveKit's speech-to-text plugins, outside a room: a server's address in; what they heard out.

Modes: `realtime` (the server ends utterances), `own-vad` (LiveKit's voice activity does),
`files`, `files-verbose`, `deepgram`, `deepgram-files`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from livekit import rtc
from livekit.agents import stt, utils
from livekit.plugins import deepgram, openai

from client_tests.drivers.asked import Asked, Heard, drive


def _service(asked: Asked) -> stt.STT:
    base_url, api_key = f"{asked.url}/v1", asked.key
    if asked.mode == "realtime":
        return openai.STT(use_realtime=True, base_url=base_url, api_key=api_key)
    if asked.mode == "own-vad":
        return openai.STT(model="gpt-live-transcribe", base_url=base_url, api_key=api_key)
    if asked.mode == "files":
        return openai.STT(
            model="gpt-transcribe",
            language=["en", "de"],
            keywords=["three", "zero"],
            prompt="digits",
            base_url=base_url,
            api_key=api_key,
        )
    if asked.mode == "files-verbose":
        return openai.STT(model="whisper-1", base_url=base_url, api_key=api_key)
    return deepgram.STT(base_url=f"{base_url}/listen", api_key=api_key)


async def _run(asked: Asked, heard: Heard) -> None:
    async with utils.http_context.open():
        service = _service(asked)
        service.on("error", lambda told: heard.error(told.error))
        if asked.mode.startswith("files") or asked.mode.endswith("files"):
            event = await service.recognize([_frame(asked, asked.sound)])
            heard.final(event.alternatives[0].text)
        else:
            await _live(service, asked, heard)
        await service.aclose()


async def _live(service: stt.STT, asked: Asked, heard: Heard) -> None:
    stream = service.stream()
    listening = asyncio.create_task(_listen(stream, heard))
    async for piece in asked.pieces():
        stream.push_frame(_frame(asked, piece))
    stream.end_input()
    if asked.mode == "deepgram":
        # It asks for the end, and is told that there is one.
        await listening
    else:
        await heard.quiet()
    await stream.aclose()
    with suppress(asyncio.CancelledError):
        await listening


async def _listen(stream: stt.RecognizeStream, heard: Heard) -> None:
    async for event in stream:
        if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
            heard.final(event.alternatives[0].text)
        elif event.type is stt.SpeechEventType.INTERIM_TRANSCRIPT:
            heard.interim(event.alternatives[0].text)
        elif event.type is stt.SpeechEventType.START_OF_SPEECH:
            heard.turn()
        else:
            heard.happened()


def _frame(asked: Asked, samples: bytes) -> rtc.AudioFrame:
    return rtc.AudioFrame(samples, asked.rate_hz, 1, len(samples) // 2)


if __name__ == "__main__":
    drive(_run, "livekit-agents", "livekit-plugins-openai", "livekit-plugins-deepgram", "openai")
