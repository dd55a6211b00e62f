"""Three threads: one captures audio, one runs the engine, one prints tokens.

python examples/multithreaded.py [FILE]

The capture thread plays a recording at its own speed, as a sound card would. It never waits for the
engine: what a full ring does not take is counted.
"""

import sys
import threading
from pathlib import Path

from parakeet_streaming import (
    AudioFile,
    AudioProducer,
    ContextConfig,
    ParakeetTDTModel,
    StreamingParakeetTDT,
    TokenConsumer,
    open_audio,
    paced,
)

RECORDING = Path(__file__).parent / "recordings" / "digits.wav"


def capture(audio: AudioFile, producer: AudioProducer) -> None:
    with audio, producer:
        for block in paced(audio.blocks(0.02), audio.rate_hz):
            producer.push(block)


def print_tokens(consumer: TokenConsumer) -> None:
    for token in consumer:
        print(token.text, end="", flush=True)
    print()


def main() -> None:
    audio = open_audio(sys.argv[1] if len(sys.argv) > 1 else RECORDING)
    model = ParakeetTDTModel.from_pretrained("tiny-en")
    context = ContextConfig(left=5.0, chunk=0.5, right=0.5, sample_rate=audio.rate_hz)
    engine, producer, consumer = StreamingParakeetTDT.new(model, context)

    threads = [
        threading.Thread(target=capture, args=(audio, producer), name="capture"),
        threading.Thread(target=engine.run, name="engine"),
        threading.Thread(target=print_tokens, args=(consumer,), name="tokens"),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(engine.get_tokens())} tokens, {producer.refused_samples} samples refused")


if __name__ == "__main__":
    main()
