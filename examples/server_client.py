"""A recording spoken into a server: words as they come, from another machine's model.

parakeet serve                                             # there
python examples/server_client.py [FILE] [--server URL]     # here

The recording plays at its own speed, as a microphone would. One thread speaks, another one reads.
"""

import argparse
import os
import threading
from pathlib import Path

from parakeet_streaming import open_audio, paced
from parakeet_streaming.client import Client, Final, Partial, Stream

DIGITS = Path(__file__).parent / "recordings" / "digits.wav"


def speak(file: Path, stream: Stream) -> None:
    with open_audio(file) as audio:
        for block in paced(audio.blocks(0.05), audio.rate_hz):
            stream.send(block)
    stream.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=DIGITS)
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    wanted = parser.parse_args()
    with open_audio(wanted.file) as audio:
        rate_hz = audio.rate_hz
    with Client(wanted.server, os.environ.get("PARAKEET_API_KEY")) as client:
        stream = client.stream(sample_rate=rate_hz, context="balanced")
        print(f"{stream.ready.model} gives text within {stream.ready.latency_s:.2f} s")
        threading.Thread(target=speak, args=(wanted.file, stream)).start()
        for event in stream:
            match event:
                case Partial(text=text, tentative=tentative):
                    print(f"… {text}|{tentative}")
                case Final(text=text, start=start) if text:
                    print(f"{start:5.2f} s  {text}")


if __name__ == "__main__":
    main()
