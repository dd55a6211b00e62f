import contextlib
import io
import os
import random
import re
import sys
import tracemalloc

import av
import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import open_audio, read_audio
from parakeet_streaming.errors import (
    AudioFormatError,
    AudioInputError,
    AudioNotFoundError,
    ExtraMissingError,
    FileAccessError,
    StreamClosedError,
)
from parakeet_streaming.testing import tone

NOISE = np.random.default_rng(0).standard_normal(40_000) * 0.1
TONE = (0.3 * np.sin(np.arange(40_000) * 0.05)).astype(np.float32)
WAV_HEADER_BYTES = 44


def read(path, block_s=0.5):
    with open_audio(path) as audio:
        return np.concatenate([np.zeros(0, np.float32), *audio.blocks(block_s)])


def read_until_broken(path, block_s):
    blocks = []
    with open_audio(path) as audio, pytest.raises(AudioFormatError) as error:  # noqa: PT012
        for block in audio.blocks(block_s):
            blocks.append(block)  # noqa: PERF402
    return np.concatenate(blocks), str(error.value)


def wav_bytes(samples=TONE, rate_hz=16_000, **options):
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", **options)
    return bytearray(file.getvalue())


def encode(path, codec, rate_hz=48_000, layout="stereo", container_format=None):
    with av.open(path, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        channels = np.stack([TONE, TONE / 2][: stream.layout.nb_channels])
        frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.fixture
def without_av(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", {}),
        ("a.wav", {"subtype": "PCM_U8"}),
        ("a.wav", {"subtype": "PCM_24"}),
        ("a.wav", {"subtype": "PCM_32"}),
        ("a.wav", {"subtype": "FLOAT"}),
        ("a.wav", {"subtype": "DOUBLE"}),
        ("a.wav", {"subtype": "ULAW"}),
        ("a.wav", {"format": "WAVEX"}),
        ("a.wav", {"format": "RF64"}),
        ("a.flac", {}),
        ("a.aiff", {}),
        ("a.au", {}),
        ("a.caf", {}),
        ("a.ogg", {}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_joined_are_the_file_averaged(tmp_path, name, options, channels):
    path = tmp_path / name
    frames = np.stack([TONE, TONE / 2][:channels], axis=1)
    soundfile.write(path, frames, 48_000, **options)
    is_lossy = name in ("a.ogg", "a.opus")  # their decoders are not libsndfile's
    with open_audio(path) as audio:
        assert (audio.rate_hz, audio.channels) == (48_000, channels)
        assert audio.duration_s == pytest.approx(len(TONE) / 48_000, abs=0.01)
        blocks = list(audio.blocks(0.1))
    assert [len(block) for block in blocks[:-1]] == [4_800] * 8
    assert len(blocks[-1]) == (pytest.approx(1_600, abs=130) if is_lossy else 1_600)
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    samples = np.concatenate(blocks)
    expected = whole.mean(axis=1)[: len(samples)]
    np.testing.assert_allclose(samples, expected, atol=1e-3 if is_lossy else 1e-7)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac"])
def test_the_length_of_blocks_never_changes_a_sample(tmp_path, name):
    soundfile.write(tmp_path / name, NOISE, 16_000)
    whole = read(tmp_path / name, 100.0)
    assert len(whole) == len(NOISE)
    # MP3 and Vorbis lose some of the noise, but not its place.
    assert np.corrcoef(whole, NOISE)[0, 1] > 0.8
    for block_s in (0.01, 0.0487, 0.5):
        np.testing.assert_array_equal(read(tmp_path / name, block_s), whole)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg"])
@pytest.mark.parametrize("other", ["a.raw", "a.txt", "a.gsm", "a", "a.m4a", "a.mp3", "a.wav"])
def test_content_decides_and_not_the_name(tmp_path, name, other):
    soundfile.write(tmp_path / name, TONE, 16_000)
    expected = read(tmp_path / name)
    (tmp_path / name).rename(tmp_path / other)
    np.testing.assert_array_equal(read(tmp_path / other), expected)


def test_a_path_may_be_text(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE, 16_000)
    assert len(read(str(tmp_path / "a.wav"))) == len(TONE)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioNotFoundError, match=r"there is no file .*talk\.wav"):
        open_audio(tmp_path / "talk.wav")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(AudioFormatError, match="is a folder"):
        open_audio(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_sent_to_standard_input(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioFormatError, match="standard input"):
        open_audio(tmp_path / "pipe")


def test_a_file_that_cannot_be_opened_says_why(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.wav").write_bytes(wav_bytes())
    monkeypatch.setattr(io, "FileIO", refuse)
    with pytest.raises(FileAccessError, match=r"a\.wav cannot be opened \(Permission denied\)"):
        open_audio(tmp_path / "a.wav")


GARBAGE = random.Random(0).randbytes(20_000)
BROKEN = {
    "empty": b"",
    "one byte": b"R",
    "garbage": GARBAGE,
    "zeros": bytes(20_000),
    "text": b"no audio here\n" * 100,
    "picture": b"\x89PNG\r\n\x1a\n" + GARBAGE,
    "playlist": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
    "FLAC of garbage": b"fLaC" + GARBAGE,
    "MP4 of garbage": b"\0\0\0\x20ftypM4A \0\0\0\0" + GARBAGE,
    "WAV of no rate": bytes(wav_bytes()[:24] + bytes(4) + wav_bytes()[28:]),
    **{f"WAV of {n} bytes": bytes(wav_bytes()[:n]) for n in (4, 8, 12, 16, 20, 30, 36, 40, 43)},
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("suffix", ["", ".wav", ".mp3", ".m4a", ".raw"])
def test_a_broken_file_is_refused_with_its_path(tmp_path, content, suffix):
    path = tmp_path / f"talk{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioFormatError, match=f"talk{suffix} is"):
        open_audio(path)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_without_pyav_too(tmp_path, name, without_av):
    path = tmp_path / "talk.wav"
    path.write_bytes(BROKEN[name])
    wanted = ExtraMissingError if name.startswith(("MP4", "FLAC")) else AudioFormatError
    with pytest.raises(wanted, match=r"talk\.wav is"):
        open_audio(path)


def test_a_playlist_in_disguise_opens_no_other_file(tmp_path, monkeypatch):
    encode(tmp_path / "secret.m4a", "aac")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"ffconcat version 1.0\nfile secret.m4a\n")
    with pytest.raises(AudioFormatError, match=r"a\.wav is no audio"):
        open_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 10_000, 10_001])
def test_a_wav_cut_short_yields_what_is_there_and_then_says_so(tmp_path, length):
    (tmp_path / "a.wav").write_bytes(wav_bytes()[: WAV_HEADER_BYTES + length])
    blocks = []
    with open_audio(tmp_path / "a.wav") as audio:
        assert audio.duration_s == length // 2 / 16_000
        message = rf"a\.wav is cut off after {length // 2 / 16_000:.2f} s, {80_000 - length} bytes"
        with pytest.raises(AudioFormatError, match=message):
            blocks.extend(audio.blocks())
    assert sum(len(block) for block in read_blocks(tmp_path / "a.wav")) == length // 2


def read_blocks(path):
    """Blocks until the file ends, or breaks."""
    with open_audio(path) as audio:
        try:
            yield from audio.blocks()
        except AudioFormatError:
            return


@pytest.mark.parametrize("format", ["WAV", "RF64", "AIFF", "AU", "CAF", "MP3", "OGG", "FLAC"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.97])
def test_a_file_cut_short_says_so(tmp_path, format, share):
    path = tmp_path / "talk"
    soundfile.write(path, np.tile(NOISE, 3), 16_000, format=format)
    whole = path.read_bytes()
    assert len(read(path)) == 120_000
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(AudioFormatError, match=r"talk is (cut off|broken) after"):
        read(path)
    assert sum(map(len, read_blocks(path))) > 120_000 * share - 24_000  # pages of Ogg are long


@pytest.mark.parametrize("codec", ["aac", "libopus"])
def test_a_film_cut_short_says_so(tmp_path, codec):
    path = tmp_path / "talk.mkv" if codec == "libopus" else tmp_path / "talk.aac"
    encode(path, codec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFormatError, match=r"talk.* is (cut off|broken) after"):
        read(path)


def test_a_recorder_that_counts_its_header_as_sound_is_not_cut_short(tmp_path):
    content = wav_bytes()
    content[40:44] = len(content).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read(tmp_path / "a.wav")) == len(TONE)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU"])
def test_a_file_without_samples_yields_nothing(tmp_path, kind):
    soundfile.write(tmp_path / "a", TONE[:0], 16_000, format=kind)
    with open_audio(tmp_path / "a") as audio:
        assert audio.duration_s == 0
        assert list(audio.blocks()) == []


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8"])
def test_a_wav_whose_recorder_was_killed_yields_everything(tmp_path, length, subtype):
    content = wav_bytes(subtype=subtype)
    (tmp_path / "whole.wav").write_bytes(content)
    content[4:8] = content[40:44] = length.to_bytes(4, "little")
    (tmp_path / "killed.wav").write_bytes(content)
    with open_audio(tmp_path / "killed.wav") as audio:
        assert audio.duration_s == len(TONE) / 16_000
    np.testing.assert_array_equal(read(tmp_path / "killed.wav"), read(tmp_path / "whole.wav"))


def test_a_wav_without_samples_does_not_take_other_chunks_for_samples(tmp_path):
    content = wav_bytes(TONE[:0]) + b"LIST\4\0\0\0abcd"
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read(tmp_path / "a.wav")) == 0


def test_a_flac_cut_short_yields_what_is_there_and_then_says_so(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE, 16_000)
    whole = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for block_s in (0.1, 0.5, 100.0):
        joined, message = read_until_broken(path, block_s)
        assert re.search(r"a\.flac is broken after 1\.\d\d s", message)
        assert len(joined) % 4_096 == 0
        np.testing.assert_array_equal(joined, whole[: len(joined)])


def test_the_position_of_nan_counts_from_the_start_of_the_file(tmp_path):
    samples = TONE.copy()
    samples[[12_345, 30_000]] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioInputError, match=r"a\.wav: sample 12345 is "):
        read(tmp_path / "a.wav", 0.1)


@pytest.mark.parametrize("rate_hz", [1, 3_999, 384_001])
def test_impossible_rates_are_refused(tmp_path, rate_hz):
    soundfile.write(tmp_path / "a.wav", TONE, rate_hz)
    with pytest.raises(AudioFormatError, match=rf"a\.wav has a sample rate of {rate_hz} Hz"):
        open_audio(tmp_path / "a.wav")


def test_too_many_channels_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((10, 33)), 16_000)
    with pytest.raises(AudioFormatError, match=r"a\.wav has 33 channels"):
        open_audio(tmp_path / "a.wav")


def test_memory_stays_flat(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000 * 300, np.int16), 16_000)
    with open_audio(tmp_path / "a.wav") as audio:
        tracemalloc.start()
        length = sum(len(block) for block in audio.blocks())
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert length == 16_000 * 300
    # 19 MB in all. Python's own table of names may grow by 2 MB just then.
    assert peak_bytes < 4_000_000


def test_a_closed_file_is_read_no_more(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE, 16_000)
    audio = open_audio(tmp_path / "a.wav")
    blocks = audio.blocks()
    next(blocks)
    audio.close()
    with pytest.raises(StreamClosedError):
        next(blocks)


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.m4a", "aac", 44_100),
        ("a.mp4", "aac", 16_000),
        ("a.aac", "aac", 22_050),
        ("a.webm", "libopus", 48_000),
        ("a.mkv", "pcm_s16le", 16_000),
        ("a.avi", "pcm_s16le", 8_000),
    ],
)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_pyav_reads_what_libsndfile_does_not(tmp_path, name, codec, rate_hz, layout):
    encode(tmp_path / name, codec, rate_hz, layout)
    (tmp_path / name).rename(tmp_path / "unnamed")
    with open_audio(tmp_path / "unnamed") as audio:
        assert audio.rate_hz == rate_hz
        assert audio.channels == (1 if layout == "mono" else 2)
        assert audio.duration_s == pytest.approx(len(TONE) / rate_hz, abs=0.3)
        blocks = list(audio.blocks(0.1))
    assert all(len(block) >= rate_hz // 10 for block in blocks[:-1])
    samples = np.concatenate(blocks)
    # Encoders may put up to two of their frames around the audio.
    shift = len(samples) - len(TONE)
    assert 0 <= shift <= 4_096
    expected = TONE if layout == "mono" else TONE * 0.75
    likeness = max(
        np.corrcoef(samples[at : at + 30_000], expected[:30_000])[0, 1] for at in range(shift + 1)
    )
    assert likeness > 0.99
    np.testing.assert_array_equal(read(tmp_path / "unnamed", 100.0), samples)


def test_aac_cut_short_yields_what_is_there_and_then_says_so(tmp_path):
    path = tmp_path / "a.aac"
    encode(path, "aac", 16_000, "mono")
    whole = read(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for block_s in (0.1, 100.0):
        joined, message = read_until_broken(path, block_s)
        assert re.search(r"a\.aac is broken after 1\.\d\d s", message)
        np.testing.assert_array_equal(joined, whole[: len(joined)])


@pytest.mark.parametrize(
    ("has_stream", "reason"), [(False, "has no audio stream"), (True, "audio stream is empty")]
)
def test_a_film_without_sound_is_refused(tmp_path, has_stream, reason):
    with av.open(tmp_path / "a.mkv", "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        if has_stream:
            container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(AudioFormatError, match=rf"a\.mkv is no audio.*{reason}"):
        open_audio(tmp_path / "a.mkv")


def test_mp4_without_pyav_says_what_to_install(tmp_path, without_av):
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(1_000))
    with pytest.raises(ExtraMissingError, match=r"is MP4, .*pip install av"):
        open_audio(path)


def test_garbage_without_pyav_says_what_might_help(tmp_path, without_av):
    (tmp_path / "a.wav").write_bytes(random.Random(1).randbytes(1_000))
    with pytest.raises(AudioFormatError, match="pip install av"):
        open_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_a_rate_and_channels_that_change_midway_are_converted(tmp_path, rate_hz, layout):
    encode(tmp_path / "a.aac", "aac", 16_000, "mono")
    encode(tmp_path / "b.aac", "aac", rate_hz, layout)
    first, second = read(tmp_path / "a.aac"), read(tmp_path / "b.aac")
    with (tmp_path / "a.aac").open("ab") as file:
        file.write((tmp_path / "b.aac").read_bytes())
    joined = read(tmp_path / "a.aac")
    assert len(joined) / 16_000 == pytest.approx(
        len(first) / 16_000 + len(second) / rate_hz, abs=2_048 / rate_hz
    )
    # Frames overlap: the end of one and the start of the other are not those of the parts.
    np.testing.assert_array_equal(joined[: len(first) - 2_048], first[: len(first) - 2_048])
    energy = np.mean(joined[-len(second) * 8_000 // rate_hz :] ** 2)
    assert energy == pytest.approx(np.mean(second**2), rel=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_a_file_of_any_rate_is_read_whole_at_16_khz(tmp_path, rate_hz):
    times_s = np.arange(2 * rate_hz) / rate_hz
    path = tmp_path / "tone.wav"
    both = np.stack([0.1 * np.sin(2 * np.pi * 440.0 * times_s)] * 2, axis=1)
    soundfile.write(path, both, rate_hz, subtype="FLOAT")
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert samples.shape == (32_000,)
    middle = slice(8_000, 24_000)  # resampling may ring at the ends
    assert np.allclose(samples[middle], tone(2.0)[middle], atol=1e-3)


def test_no_samples_and_no_file(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8_000)
    assert read_audio(tmp_path / "none.wav").shape == (0,)
    with pytest.raises(AudioNotFoundError):
        read_audio(tmp_path / "missing.wav")


SILENT_CODECS = [
    (kind, subtype)
    for kind in sorted(soundfile.available_formats())
    for subtype in sorted(soundfile.available_subtypes(kind))
    if kind not in ("RAW", "SD2") and subtype != "ALAC_20"
]


@pytest.mark.parametrize(("kind", "subtype"), SILENT_CODECS)
def test_every_codec_that_libsndfile_writes_is_read_to_its_end(tmp_path, kind, subtype):
    """Those without positions (GSM 6.10, G.721, G.723, NMS, XI ...) once gave a traceback."""
    rate_hz = 8_000 if subtype in ("GSM610", "OPUS", "VOX_ADPCM") else 16_000
    path = tmp_path / "talk"
    try:
        soundfile.write(path, TONE[:20_000], rate_hz, format=kind, subtype=subtype)
    except soundfile.LibsndfileError:
        pytest.skip("libsndfile does not write it")
    with open_audio(path) as audio:
        samples = np.concatenate(list(audio.blocks(0.1)))
        up = audio.rate_hz / rate_hz if subtype == "OPUS" else 1  # WVE and XI know no rate
        assert len(samples) == pytest.approx(20_000 * up, abs=1_200 * up)
        assert audio.warnings == ()
    np.testing.assert_array_equal(read(path, 100.0), samples)
    if subtype != "OPUS":
        assert likeness(samples, TONE[:20_000]) > 0.9


def likeness(samples, expected, most_shift=1_200):
    """How much they correlate where they fit best; codecs delay a little."""
    length = min(len(samples), len(expected)) - most_shift
    return max(
        np.corrcoef(samples[at : at + length], expected[:length])[0, 1]
        for at in range(0, most_shift, 2)
    )


@pytest.mark.parametrize("head", ["fffb9000", "fff39000", "ffe39064", "fffa9000", "fff384c4"])
@pytest.mark.parametrize("rest", [bytes(4_000), bytes(range(256)) * 16, b"\xff\xfb\x90\x00" * 900])
def test_what_only_begins_as_mpeg_audio_leaves_no_chatter(tmp_path, capfd, head, rest):
    path = tmp_path / "a"
    path.write_bytes(bytes.fromhex(head) + rest)
    with contextlib.suppress(AudioFormatError):
        read_audio(path)
    assert capfd.readouterr() == ("", "")
