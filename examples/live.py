"""Two recordings spoken at once, live: one engine, two streams, one event loop.

python examples/live.py [FILE ...]

Each recording plays at its own speed in a thread of its own, as a sound card would. The engine
detects speech, decodes both together, and gives text, speech and the ends of utterances.
"""

import asyncio
import sys
import threading
from pathlib import Path

from parakeet_streaming import (
    DelayRange,
    Final,
    LiveEngine,
    LiveOptions,
    LiveStream,
    SpeechEnded,
    SpeechStarted,
    load,
    load_vad,
    open_audio,
    paced,
)

RECORDINGS = Path(__file__).parent / "recordings"


def play(file: Path, stream: LiveStream) -> None:
    with open_audio(file) as audio:
        for block in paced(audio.blocks(0.02), audio.rate_hz):
            stream.push(block)
    stream.finish()


async def listen(name: str, stream: LiveStream) -> None:
    async for event in stream:
        match event:
            case SpeechStarted(at=at):
                print(f"{name} {at:5.2f} s  speaks")
            case SpeechEnded(at=at):
                print(f"{name} {at:5.2f} s  is silent")
            case Final(transcript=transcript) if transcript.text:
                print(f"{name} {transcript.words[0].start:5.2f} s  {transcript.text}")
    delay = stream.stats().emission_delay
    print(f"{name} words came {delay.p50 or 0:.1f} s after they were spoken (median)")


async def main() -> None:
    files = [Path(each) for each in sys.argv[1:]] or sorted(RECORDINGS.glob("*.wav"))
    with LiveEngine(load("tiny-en"), load_vad()) as engine:
        listening = []
        for file in files:
            with open_audio(file) as audio:
                options = LiveOptions(DelayRange.parse("balanced", audio.rate_hz))
            stream = engine.open(options)
            threading.Thread(target=play, args=(file, stream), name=file.stem).start()
            listening.append(listen(file.stem, stream))
        await asyncio.gather(*listening)


if __name__ == "__main__":
    asyncio.run(main())
