"""A recording in, its words out as they are committed.

python examples/streaming_transcribe.py examples/recordings/digits.wav
"""

import argparse

from parakeet_streaming import (
    ContextConfig,
    Event,
    Final,
    Partial,
    load,
    open_audio,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="any audio file")
    parser.add_argument("--model", default="tiny-en", help="folder, built-in name or hub id")
    parser.add_argument("--context", default="balanced", help="left-chunk-right, or a preset")
    options = parser.parse_args()

    recognizer = load(options.model)
    with open_audio(options.file) as audio:
        context = ContextConfig.parse(options.context, sample_rate=audio.rate_hz)
        stream = recognizer.stream(context)
        for block in audio.blocks():
            show(stream.feed(block))
        show(stream.finish())


def show(events: list[Event]) -> None:
    for event in events:
        if isinstance(event, Partial):
            print(f"{event.committed_s:6.2f} s  {event.text!r:32} then {event.tentative_text!r}")
        elif isinstance(event, Final):
            print()
            for word in event.transcript.words:
                print(f"{word.start:6.2f}–{word.end:.2f} s  {word.confidence:4.0%}  {word.text}")


if __name__ == "__main__":
    main()
