"""What ffmpeg writes in any format is heard as ffmpeg hears it: whole, joined, cut, from a pipe."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.resample import Resampler
from parakeet_streaming.errors import AudioFormatError
from parakeet_streaming.sources.stdin import open_stdin

if shutil.which("ffmpeg") is None:
    pytest.skip("no ffmpeg; Debian: apt install ffmpeg", allow_module_level=True)

SOUND_S = 2.0
# Container of ffmpeg, codec, and whether files of it may be joined by `cat`, as ffmpeg reads them.
FORMATS = [
    ("wav", "pcm_s16le", False),
    ("wav", "pcm_mulaw", False),
    ("wav", "adpcm_ms", False),
    ("wav", "adpcm_ima_wav", False),
    ("wav", "libmp3lame", False),
    ("w64", "pcm_s24le", False),
    ("aiff", "pcm_s16be", False),
    ("au", "pcm_s16be", False),
    ("caf", "pcm_s16le", False),
    ("caf", "alac", False),
    ("voc", "pcm_u8", False),
    ("flac", "flac", True),
    ("mp3", "libmp3lame", True),
    ("mp2", "mp2", True),
    ("adts", "aac", True),
    ("latm", "aac", True),
    ("ac3", "ac3", True),
    ("eac3", "eac3", True),
    ("dts", "dca", True),
    ("tta", "tta", False),
    ("wv", "wavpack", False),
    ("ogg", "libvorbis", True),
    ("ogg", "libopus", True),
    ("ogg", "flac", False),
    ("ogg", "libspeex", True),
    ("webm", "libopus", False),
    ("matroska", "libvorbis", False),
    ("matroska", "aac", False),
    ("ipod", "aac", False),
    ("mov", "alac", False),
    ("mp4", "libmp3lame", False),
    ("mpegts", "mp2", True),
    ("mpegts", "aac", True),
    ("vob", "ac3", True),
    ("asf", "wmav2", False),
    ("avi", "libmp3lame", False),
    ("nut", "libvorbis", False),
    ("flv", "libmp3lame", False),
]
IDS = [f"{container}-{codec}" for container, codec, _ in FORMATS]
_MADE = {}


def sound(seed=0):
    """Two seconds of tones that come and go, so that a shift or a loss shows."""
    random = np.random.default_rng(seed)
    envelope = np.repeat(random.uniform(0.05, 0.6, 20), 2_205)
    frequency_hz = np.repeat(random.uniform(200, 2_000, 20), 2_205)
    samples = envelope * np.sin(2 * np.pi * np.cumsum(frequency_hz / 22_050))
    return samples.astype("<f4")


def ffmpeg(*arguments, fed=b""):
    return subprocess.run(
        ["ffmpeg", "-v", "quiet", "-nostdin", "-y", *map(str, arguments)] if not fed
        else ["ffmpeg", "-v", "quiet", "-y", *map(str, arguments)],
        input=fed or None, capture_output=True, check=False,
    )  # fmt: skip


def made(folder, container, codec, seed=0):
    """Bytes of a file, or a skip where this ffmpeg does not write it."""
    key = (container, codec, seed)
    if key not in _MADE:
        path = folder / "made"
        rate = ["-ar", "48000"] if codec in ("libopus", "dca") else ["-ar", "32000"]
        if codec in ("libspeex",):
            rate = ["-ar", "16000"]
        if container in ("flv",):
            rate = ["-ar", "44100"]
        source = ["-f", "f32le", "-ar", "22050", "-ac", "1", "-i", "-"]
        ffmpeg(
            *source, *rate, "-c:a", codec, "-strict", "-2", "-f", container, path,
            fed=sound(seed).tobytes(),
        )  # fmt: skip
        _MADE[key] = path.read_bytes() if path.exists() else b""
        path.unlink(missing_ok=True)
    if not _MADE[key]:
        pytest.skip(f"this ffmpeg does not write {codec} into {container}")
    return _MADE[key]


def by_ffmpeg(path):
    result = ffmpeg("-i", path, "-f", "f32le", "-ac", "1", "-ar", "16000", "-")
    return np.frombuffer(result.stdout, "<f4")


def part_by_ffmpeg(folder, codec, seed):
    path = folder / "part"
    path.write_bytes(made(folder, codec, codec, seed))
    return by_ffmpeg(path)


def heard(audio):
    """Samples at 16 kHz, and why they end before their time."""
    blocks, broken = [], None
    with audio:
        try:
            for block in audio.blocks():
                blocks.append(block)  # noqa: PERF402
        except AudioFormatError as error:
            broken = str(error)
        samples = np.concatenate([np.zeros(0, np.float32), *blocks])
        if audio.rate_hz != 16_000:
            resampler = Resampler(audio.rate_hz)
            samples = np.concatenate([resampler.feed(samples), resampler.finish()])
        return samples, broken


def loudness(samples):
    """Of each 50 ms."""
    whole = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    return np.sqrt(np.mean(whole.astype(np.float64) ** 2, axis=1))


def assert_alike(samples, expected, most_s=0.06):
    """Equal in length and loudness; decoders may differ by a frame at the ends."""
    assert len(samples) / 16_000 == pytest.approx(len(expected) / 16_000, abs=most_s)
    ours, theirs = loudness(samples), loudness(expected)
    shared = min(len(ours), len(theirs))
    likeness = np.corrcoef(ours[:shared], theirs[:shared])[0, 1]
    assert likeness > 0.9


@pytest.mark.parametrize(("container", "codec", "_"), FORMATS, ids=IDS)
def test_whole(tmp_path, container, codec, _):
    content = made(tmp_path, container, codec)
    (tmp_path / "talk").write_bytes(content)
    samples, broken = heard(open_audio(tmp_path / "talk"))
    assert broken is None
    assert_alike(samples, by_ffmpeg(tmp_path / "talk"))
    assert len(samples) / 16_000 == pytest.approx(SOUND_S, abs=0.2)
    piped, _ = heard(open_stdin(io.BytesIO(content)))
    np.testing.assert_array_equal(piped, samples)


@pytest.mark.parametrize(
    ("container", "codec"), [each[:2] for each in FORMATS if each[2]],
    ids=[name for name, each in zip(IDS, FORMATS, strict=True) if each[2]],
)  # fmt: skip
def test_joined(tmp_path, container, codec):
    content = made(tmp_path, container, codec) + made(tmp_path, container, codec, seed=1)
    (tmp_path / "talk").write_bytes(content)
    samples, broken = heard(open_audio(tmp_path / "talk"))
    assert broken is None
    expected = by_ffmpeg(tmp_path / "talk")
    if codec == "flac":  # older ffmpeg loses the end of a FLAC that another one follows
        expected = np.concatenate([part_by_ffmpeg(tmp_path, codec, seed) for seed in (0, 1)])
    assert len(expected) / 16_000 == pytest.approx(2 * SOUND_S, abs=0.4)
    assert len(samples) / 16_000 == pytest.approx(2 * SOUND_S, abs=0.3)
    assert_alike(samples, expected, most_s=0.15)
    piped, _ = heard(open_stdin(io.BytesIO(content)))
    np.testing.assert_array_equal(piped, samples)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.sampled_from(FORMATS), share=st.floats(0.15, 0.95))
@example(which=("asf", "wmav2", False), share=0.3111)
@example(which=("asf", "wmav2", False), share=0.6334)
def test_cut(tmp_path, which, share):
    container, codec, _ = which
    content = made(tmp_path, container, codec)
    content = content[: int(len(content) * share)]
    (tmp_path / "talk").write_bytes(content)
    expected = by_ffmpeg(tmp_path / "talk")
    try:
        samples, _ = heard(open_audio(tmp_path / "talk"))
    except AudioFormatError:
        assert len(expected) / 16_000 < 0.5
        return
    assert len(samples) / 16_000 > len(expected) / 16_000 - 0.1
    if len(expected) > 8_000:
        # Of the packet that was cut, decoders make what they like: WMA's has half of a frame.
        whole = len(expected) - 1_600
        assert_alike(samples[:whole], expected[:whole], most_s=0.1)
