"""A recording fed in pieces of 50 ms at the speed it was spoken, with the delay of every token.

python examples/realtime_simulation.py examples/recordings/digits.wav
"""

import argparse
import time

from parakeet_streaming import (
    ContextConfig,
    ParakeetTDTModel,
    StreamingParakeetTDT,
    TokenConsumer,
    open_audio,
    paced,
)

PIECE_S = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="any audio file")
    parser.add_argument("--context", default="5-0.5-0.5", help="left-chunk-right, or a preset")
    options = parser.parse_args()

    model = ParakeetTDTModel.from_pretrained("tiny-en")
    with open_audio(options.file) as audio:
        context = ContextConfig.parse(options.context, sample_rate=audio.rate_hz)
        engine, producer, consumer = StreamingParakeetTDT.new(model, context)
        print(f"latency {context.latency_s:.2f} s by context {context}")

        started = time.monotonic()
        for piece in paced(audio.blocks(PIECE_S), audio.rate_hz):
            producer.push(piece)
            engine.process_audio()
            show(consumer, started, audio.rate_hz)
        producer.close()
        engine.process_audio()
        show(consumer, started, audio.rate_hz)


def show(consumer: TokenConsumer, started: float, rate_hz: int) -> None:
    while (token := consumer.pop()) is not None:
        end = (token.timestamp + token.duration) / rate_hz
        late = time.monotonic() - started - end
        print(f"{end:6.2f} s  {token.text!r:8} {late:5.2f} s later")


if __name__ == "__main__":
    main()
