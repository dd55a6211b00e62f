"""Speech (n,) float32 at 16 kHz in; the same words through another room, line or microphone out.

Rules of this file:

1. Words are never cut. Speed changes resample, and so change pitch with speed.
2. Only joining and speed move words in time.
3. Random choices come from the generator that is passed in: equal seeds give equal samples.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile
import soxr

from parakeet_streaming.engine.room_noise import room_noise, room_of
from parakeet_streaming.ports import Floats
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, seconds_to_samples
from training.noises import KINDS, at_level, level, quick_size

Random = np.random.Generator

_NOISES = ("noise", "noise", "noise", "hum", "music", "tones")
_CODECS = (
    ("OGG", "OPUS", SAMPLE_RATE_HZ),
    ("MP3", "MPEG_LAYER_III", SAMPLE_RATE_HZ),
    ("WAV", "ULAW", 8_000),
    ("WAV", "GSM610", 8_000),
)
DIGITAL_SILENCE = 0.1
"""Part of the pauses that are zeros."""
TAILS = 0.3
"""Part of the examples that end as a live stream does, in the sound of their room."""
_LONGEST_TAIL_S = 1.2
HEADS = 0.15
"""Part of the examples that begin with a longer silence, as a stream does before anybody speaks."""
_LONGEST_HEAD_S = 3.0
_DIGITAL_HEAD = 0.4
"""Part of these silences that are zeros."""
_TELEPHONE_HZ = (300.0, 3_400.0)
_NARROWEST_TO_WIDEST_HZ = (3_500.0, 7_000.0)
_LOUDEST_RMS = 0.25
_QUIETEST_RMS = 0.003


def augmented(samples: Floats, others: Sequence[Floats], strength: float, random: Random) -> Floats:
    """Speech through a random chain; each word keeps its time.

    Args:
        samples: (n,) float32.
        others: speech of other people, for babble; may be empty.
        strength: 0 for none to 1; scales how likely each link is.
        random: the generator of all random choices.

    Returns:
        (m,) float32 within ±1; m is above n where a room rings on.
    """

    def chance(likely: float) -> bool:
        return bool(random.random() < likely * strength)

    if chance(0.3):
        samples = reverberated(samples, random)
    if chance(0.15):
        samples = tilted(samples, random)
    if chance(0.5):
        samples = with_noise(samples, random)
    if others and chance(0.1):
        samples = with_babble(samples, others, random)
    if chance(0.35):
        samples = narrowed(samples, _band_hz(random))
    if chance(0.04):
        samples = coded(samples, random)
    if strength > 0:
        rms = np.exp(random.uniform(np.log(_QUIETEST_RMS), np.log(_LOUDEST_RMS)))
        samples = at_level(samples, float(rms))
    return np.clip(samples, -1, 1)


def drawn_head_s(random: Random) -> float:
    """Seconds of silence before anybody speaks."""
    return float(random.uniform(0, _LONGEST_HEAD_S))


def drawn_speed(strength: float, random: Random) -> float:
    """A factor for `at_speed`; often 1."""
    if random.random() < 0.7 * strength:
        return float(random.uniform(0.85, 1.18))
    return 1.0


def at_speed(samples: Floats, factor: float) -> Floats:
    """Faster and higher above 1, slower and lower below; (n,) becomes (n / factor,)."""
    if factor == 1.0:
        return samples
    resampled: Floats = soxr.resample(samples, SAMPLE_RATE_HZ * factor, SAMPLE_RATE_HZ, "LQ")
    return resampled


def reverberated(samples: Floats, random: Random) -> Floats:
    """As in a room: a few early echoes, then a decaying tail; the direct sound stays in place."""
    tail_s = random.uniform(0.1, 0.6)
    count = seconds_to_samples(tail_s)
    fall = np.exp(-6.9 * np.arange(count) / count).astype(np.float32)
    room = random.standard_normal(count, np.float32) * fall
    room[: seconds_to_samples(0.003)] = 0
    echoes = random.integers(16, seconds_to_samples(0.04), 6)
    room[echoes] += random.uniform(-3, 3, 6).astype(np.float32)
    wet = 10 ** (-random.uniform(0, 18) / 20)
    room *= np.float32(wet / (np.sqrt(np.square(room).sum()) + 1e-8))
    room[0] = 1.0
    size = quick_size(samples.shape[0] + count)
    convolved = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)
    # The tail of the last word may ring on.
    return convolved[: samples.shape[0] + count // 2].astype(np.float32)


def tilted(samples: Floats, random: Random) -> Floats:
    """Through a microphone that favours low or high frequencies, by up to 3 dB per octave."""
    slope = random.uniform(-0.5, 0.5)
    size = quick_size(samples.shape[0])
    spectrum = np.fft.rfft(samples, size)
    hz = np.linspace(1, SAMPLE_RATE_HZ / 2, spectrum.shape[0])
    tilted = np.fft.irfft(spectrum * (hz / 1000) ** slope, size)
    return tilted[: samples.shape[0]].astype(np.float32)


def with_noise(samples: Floats, random: Random) -> Floats:
    """With noise, hum, music or tones in the background, at 0 to 30 dB."""
    noise = KINDS[str(random.choice(_NOISES))](samples.shape[0], random)
    return mixed(samples, noise, random.uniform(2, 30))


def with_babble(samples: Floats, others: Sequence[Floats], random: Random) -> Floats:
    """With other voices in the background, at 8 to 25 dB; a single one is far below the speech."""
    babble = np.zeros_like(samples)
    for other in others:
        if other.size:
            babble += at_level(
                np.resize(np.roll(other, random.integers(other.size)), samples.shape), 1
            )
    softest = 8 if len(others) >= 4 else 15
    return mixed(samples, babble, random.uniform(softest, 25))


def mixed(samples: Floats, noise: Floats, ratio_db: float) -> Floats:
    """Speech and noise of equal lengths at a ratio of their powers."""
    return samples + at_level(noise, level(samples) * 10 ** (-ratio_db / 20))


def _band_hz(random: Random) -> tuple[float, float]:
    """The telephone's, or nothing above some frequency."""
    if random.random() < 0.3:
        return _TELEPHONE_HZ
    return 0.0, float(random.uniform(*_NARROWEST_TO_WIDEST_HZ))


def narrowed(samples: Floats, band_hz: tuple[float, float]) -> Floats:
    """With the frequencies of one band only, like a telephone, an old recording or a codec."""
    size = quick_size(samples.shape[0])
    spectrum = np.fft.rfft(samples, size)
    hz = np.linspace(0, SAMPLE_RATE_HZ / 2, spectrum.shape[0])
    spectrum[(hz < band_hz[0]) | (hz > band_hz[1])] *= 0.01
    return np.fft.irfft(spectrum, size)[: samples.shape[0]].astype(np.float32)


def coded(samples: Floats, random: Random) -> Floats:
    """Through a lossy codec and back."""
    container, codec, rate_hz = _CODECS[random.integers(len(_CODECS))]
    line = (
        soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz, "LQ")
        if rate_hz != SAMPLE_RATE_HZ
        else samples
    )
    peak = float(np.abs(line).max(initial=1e-6))
    file = io.BytesIO()
    soundfile.write(file, line / peak * 0.9, rate_hz, format=container, subtype=codec)
    file.seek(0)
    decoded, rate_hz = soundfile.read(file, dtype="float32")
    decoded = decoded * np.float32(peak / 0.9)
    if rate_hz != SAMPLE_RATE_HZ:
        decoded = soxr.resample(decoded, rate_hz, SAMPLE_RATE_HZ, "LQ")
    decoded = decoded[: samples.shape[0]]
    return np.pad(decoded, (0, samples.shape[0] - decoded.shape[0]))


def joined(
    parts: Sequence[Floats], random: Random, longest_pause_s: float, head_s: float = 0.0
) -> tuple[Floats, list[int]]:
    """Utterances one after the other with pauses before, between and after them, and their starts.

    The first pause is `head_s` seconds longer. Most pauses sound like the room next to them, as
    what follows the end of a live stream does. Digital silence is far below any microphone's noise,
    and would dominate the mean and deviation that normalise the features.
    """
    pauses_s = random.uniform(0, 1, len(parts) + 1) ** 2 * longest_pause_s
    pauses_s[0] += head_s
    silent = random.random(len(parts) + 1) < DIGITAL_SILENCE
    silent[0] = random.random() < (_DIGITAL_HEAD if head_s else DIGITAL_SILENCE)
    beside = [*parts, parts[-1]]
    pieces: list[Floats] = []
    starts = []
    total = 0
    for at, (part, pause_s) in enumerate(zip(beside, pauses_s, strict=True)):
        count = seconds_to_samples(float(pause_s))
        quiet = np.zeros(count, np.float32) if silent[at] else room_pause(part, count, random)
        pieces.append(quiet)
        total += count
        if at < len(parts):
            pieces.append(part)
            starts.append(total)
            total += part.shape[0]
    return np.concatenate(pieces), starts


def room_pause(samples: Floats, count: int, random: Random) -> Floats:
    """`count` samples of the room in which samples were said, no louder than its quiet moments."""
    noise = room_noise(room_of(samples), count, int(random.integers(SAMPLE_RATE_HZ)))
    return noise * np.float32(min(1.0, quiet_level(samples) / (level(noise) + 1e-9)))


def with_tail(samples: Floats, random: Random) -> Floats:
    """Samples, and behind them the noise of their room that the end of a live stream decodes."""
    count = seconds_to_samples(float(random.uniform(0.1, _LONGEST_TAIL_S)))
    return np.concatenate((samples, room_noise(room_of(samples), count)))


def quiet_level(samples: Floats) -> float:
    """RMS of the quietest tenth of all moments of 20 ms."""
    count = seconds_to_samples(0.02)
    moments = samples[: samples.shape[0] // count * count].reshape(-1, count)
    if moments.shape[0] == 0:
        return 0.0
    return float(np.percentile(np.sqrt(np.square(moments).mean(axis=1)), 10))
