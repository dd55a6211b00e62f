"""The smallest program: synthetic audio in, tokens out, everything in one thread.

python examples/simple_streaming.py

The audio is a chirp with noise, so the text that the model finds in it means nothing; give a
recording to `streaming_transcribe.py` to see words.
"""

import numpy as np

from parakeet_streaming import ContextConfig, ParakeetTDTModel, StreamingParakeetTDT

SAMPLE_RATE = 16_000


def synthetic_audio(seconds: float) -> np.ndarray:
    """A rising chirp with a little noise, (n,) float32."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    chirp = 0.3 * np.sin(2 * np.pi * (200 + 150 * times) * times)
    noise = np.random.default_rng(0).normal(0, 0.01, times.shape[0])
    return (chirp + noise).astype(np.float32)


def main() -> None:
    model = ParakeetTDTModel.from_pretrained("tiny-en")
    context = ContextConfig(left=2.0, chunk=0.5, right=0.5)
    engine, _, _ = StreamingParakeetTDT.new(model, context)

    print(f"context {context} s, latency {context.latency_s} s")
    audio = synthetic_audio(3.0)
    for start in range(0, audio.shape[0], 1600):
        engine.add_audio(audio[start : start + 1600])
        for token in engine.process_available():
            print(f"{token.timestamp / SAMPLE_RATE:6.2f} s  {token.text!r}")
    for token in engine.finalize():
        print(f"{token.timestamp / SAMPLE_RATE:6.2f} s  {token.text!r}")

    print(engine.debug_view())


if __name__ == "__main__":
    main()
