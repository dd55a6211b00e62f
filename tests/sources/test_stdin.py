import io
import resource
import struct
import sys
import tempfile
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.audio.wav import MOST_HEADER_BYTES
from parakeet_streaming.errors import (
    AudioFormatError,
    AudioInputError,
    ExtraMissingError,
    OptionError,
)
from parakeet_streaming.sources.stdin import open_stdin

TONE = (0.3 * np.sin(np.arange(20_000) * 0.05)).astype(np.float32)
PCM = (TONE * 32_767).astype("<i2")
WAVS = [
    (kind, subtype)
    for kind in ("WAV", "WAVEX", "RF64")
    for subtype in (
        "PCM_U8",
        "PCM_16",
        "PCM_24",
        "PCM_32",
        "FLOAT",
        "DOUBLE",
        "ULAW",
        "ALAW",
        "IMA_ADPCM",
    )
    if soundfile.check_format(kind, subtype)
]


class NothingYet(Exception):
    """A read would wait here."""


class Pipe(io.RawIOBase):
    """A pipe, filled piece by piece, that cannot seek; NothingYet as a piece is raised."""

    def __init__(self, *pieces):
        self.pieces = [piece for piece in pieces if piece]

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.pieces:
            return 0
        if self.pieces[0] is NothingYet:
            raise NothingYet
        piece, rest = self.pieces[0][: len(buffer)], self.pieces[0][len(buffer) :]
        self.pieces[:1] = [rest] if rest else []
        buffer[: len(piece)] = piece
        return len(piece)


def pipe(*pieces):
    return io.BufferedReader(Pipe(*pieces))


def encoded(frames=TONE, rate_hz=44_100, **options):
    file = io.BytesIO()
    soundfile.write(file, frames, rate_hz, **options)
    return file.getvalue()


def joined(audio, block_s=0.5):
    with audio:
        return np.concatenate([np.zeros(0, np.float32), *audio.blocks(block_s)])


def sliced(content, cuts):
    bounds = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return [content[a:b] for a, b in pairwise(bounds)]


def test_raw_samples_are_16_khz_16_bit_mono_unless_said_otherwise():
    with open_stdin(pipe(PCM.tobytes())) as audio:
        assert (audio.rate_hz, audio.channels, audio.duration_s) == (16_000, 1, None)
        np.testing.assert_array_equal(np.concatenate(list(audio.blocks())), as_mono(PCM))


@pytest.mark.parametrize(
    ("encoding", "dtype"), [("u8", "u1"), ("s16le", "<i2"), ("s32le", "<i4"), ("f32le", "<f4")]
)
def test_raw_samples_of_other_kinds(encoding, dtype):
    frames = np.arange(200).astype(dtype).reshape(-1, 2)
    audio = open_stdin(pipe(frames.tobytes()), rate_hz=8_000, encoding=encoding, channels=2)
    assert (audio.rate_hz, audio.channels) == (8_000, 2)
    np.testing.assert_array_equal(joined(audio), as_mono(frames))


@pytest.mark.parametrize(
    "options",
    [
        {"rate_hz": 3_999},
        {"rate_hz": 384_001},
        {"encoding": "mp3"},
        {"channels": 0},
        {"channels": 33},
    ],
)
def test_impossible_options_are_refused_before_anything_is_read(options):
    stream = Pipe(b"abc")
    with pytest.raises(OptionError, match="use"):
        open_stdin(stream, **options)
    assert stream.pieces == [b"abc"]


def test_nothing_at_all_is_refused():
    with pytest.raises(AudioFormatError, match="standard input is empty"):
        open_stdin(pipe())


@pytest.mark.parametrize("length", [1, 2, 3, 11, 12, 13])
def test_a_few_bytes_are_samples_and_half_a_sample_is_dropped(length):
    assert len(joined(open_stdin(pipe(b"\1" * length)))) == length // 2


@pytest.mark.parametrize("reader", [pipe, Pipe])
def test_what_has_arrived_is_handed_on_before_more_comes(reader):
    stream = reader(b"\1\0" * 6, b"\2\0" * 3, b"\3\0\4", NothingYet)
    blocks = open_stdin(stream).blocks()
    assert [len(next(blocks)) for _ in range(3)] == [6, 3, 1]
    with pytest.raises(NothingYet):
        next(blocks)


def test_wav_is_handed_on_before_more_comes():
    wav = encoded(PCM, format="WAV")[:44]
    stream = pipe(wav[:20], wav[20:] + b"\1\0", b"\2\0" * 3, NothingYet)
    with open_stdin(stream) as audio:
        assert (audio.rate_hz, audio.channels, audio.duration_s) == (44_100, 1, None)
        blocks = audio.blocks()
        assert [len(next(blocks)) for _ in range(2)] == [1, 3]
        with pytest.raises(NothingYet):
            next(blocks)


def test_blocks_are_no_longer_than_wanted():
    lengths = [len(block) for block in open_stdin(pipe(PCM.tobytes())).blocks(0.1)]
    assert max(lengths) <= 1_600
    assert sum(lengths) == len(PCM)


@pytest.mark.parametrize(("kind", "subtype"), WAVS)
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_equals_the_same_wav_as_a_file(tmp_path, kind, subtype, channels):
    content = encoded(np.stack([TONE, TONE / 2][:channels], 1), format=kind, subtype=subtype)
    (tmp_path / "a.wav").write_bytes(content)
    audio = open_stdin(pipe(content))
    assert (audio.rate_hz, audio.channels) == (44_100, channels)
    np.testing.assert_array_equal(joined(audio), joined(open_audio(tmp_path / "a.wav")))


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_wav_of_unknown_length_goes_on_until_the_end(length):
    content = bytearray(encoded(PCM, format="WAV"))
    content[4:8] = content[40:44] = struct.pack("<I", length)
    np.testing.assert_array_equal(joined(open_stdin(pipe(content))), as_mono(PCM))


def test_what_follows_the_samples_of_a_wav_is_no_sample():
    content = encoded(PCM, format="WAV") + b"LIST\4\0\0\0abcd"
    assert len(joined(open_stdin(pipe(content)))) == len(PCM)


def test_wav_cut_short_yields_what_is_there_and_then_says_so():
    content = encoded(PCM, format="WAV")[: 44 + 1_001]
    blocks = open_stdin(pipe(content)).blocks()
    assert len(next(blocks)) == 500
    with pytest.raises(AudioFormatError, match=r"after 0\.01 s \(it is cut off, 38999 bytes"):
        next(blocks)


def test_wav_with_a_broken_header_is_refused():
    with pytest.raises(AudioFormatError, match="standard input is broken"):
        open_stdin(pipe(encoded(PCM, format="WAV")[:30]))


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64"])
def test_other_containers_are_read_as_files(tmp_path, kind):
    content = encoded(format=kind)
    (tmp_path / "a").write_bytes(content)
    audio = open_stdin(pipe(*sliced(content, range(0, len(content), 1_000))))
    assert (audio.rate_hz, audio.channels) == (44_100, 1)
    np.testing.assert_array_equal(joined(audio), joined(open_audio(tmp_path / "a")))


def test_mp4_is_read_as_a_file(tmp_path):
    with av.open(tmp_path / "a.m4a", "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(TONE.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    audio = open_stdin(pipe((tmp_path / "a.m4a").read_bytes()))
    assert audio.rate_hz == 16_000
    np.testing.assert_array_equal(joined(audio), joined(open_audio(tmp_path / "a.m4a")))


def test_mp4_without_pyav_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ExtraMissingError, match="standard input is MP4"):
        open_stdin(pipe(b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(1_000)))


def test_a_broken_container_is_refused():
    with pytest.raises(AudioFormatError, match="standard input is no audio"):
        open_stdin(pipe(b"fLaC" + bytes(1_000)))


def test_the_position_of_nan_counts_from_the_first_sample():
    samples = np.zeros(10_000, "<f4")
    samples[8_765] = np.nan
    with pytest.raises(AudioInputError, match="standard input: sample 8765 "):
        joined(open_stdin(pipe(samples.tobytes()), encoding="f32le"), 0.1)


@pytest.mark.parametrize("content", [PCM.tobytes(), encoded(format="WAV"), encoded(format="FLAC")])
def test_the_stream_is_left_open(content):
    stream = pipe(content)
    open_stdin(stream).close()
    assert not stream.closed


@settings(deadline=None)
@given(
    kind=st.sampled_from(["raw", "wav", "flac"]),
    cuts=st.lists(st.integers(0, 1 << 16), max_size=20),
    block_s=st.floats(0.0001, 1.0),
)
def test_how_bytes_arrive_never_changes_a_sample(kind, cuts, block_s):
    frames = np.stack([PCM, -PCM // 2], 1)[:5_000]
    content = frames.tobytes() if kind == "raw" else encoded(frames, 16_000, format=kind)
    audio = open_stdin(pipe(*sliced(content, cuts)), channels=2)
    np.testing.assert_array_equal(joined(audio, block_s), as_mono(frames))


@given(content=st.binary(max_size=200), encoding=st.sampled_from(sorted(ENCODINGS)))
def test_any_bytes_are_samples_or_an_error_of_ours(content, encoding):
    try:
        samples = joined(open_stdin(pipe(content), encoding=encoding))
    except (AudioFormatError, AudioInputError, ExtraMissingError):
        return
    assert np.isfinite(samples).all()


def muxed(tmp_path, name, codec, rate_hz=16_000, **options):
    samples = (np.random.default_rng(0).standard_normal(rate_hz * 20) * 0.1).astype(np.float32)
    with av.open(tmp_path / name, "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        to_codec = av.AudioResampler(stream.codec_context.format, "mono", rate_hz)
        for at in range(0, len(samples), 1_024):
            frame = av.AudioFrame.from_ndarray(
                samples[None, at : at + 1_024], format="flt", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = rate_hz, at, Fraction(1, rate_hz)
            for each in to_codec.resample(frame):
                container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return (tmp_path / name).read_bytes()


STREAMED = [
    ("a.flac", "flac", {}),
    ("a.ogg", "libopus", {}),
    ("a.mp3", "libmp3lame", {}),
    ("a.aac", "aac", {}),
    ("a.ac3", "ac3", {}),
    ("a.ts", "aac", {}),
    ("a.mkv", "flac", {}),
    ("a.webm", "libopus", {}),
    ("a.flv", "aac", {}),
    ("a.mpg", "mp2", {}),
    ("a.nut", "pcm_s16le", {}),
    ("a.mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.m4a", "aac", {"movflags": "faststart"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), STREAMED)
def test_what_can_be_read_as_it_comes_is_not_kept(tmp_path, monkeypatch, name, codec, options):
    rate_hz = 48_000 if codec in ("ac3", "libopus") else 16_000
    content = muxed(tmp_path, name, codec, rate_hz, **options)
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    as_file = joined(open_audio(tmp_path / name))
    for step in (977, len(content)):
        streamed = joined(open_stdin(pipe(*sliced(content, range(0, len(content), step)))))
        np.testing.assert_array_equal(streamed, as_file)


@pytest.mark.parametrize(("name", "codec", "options"), STREAMED)
def test_compressed_sound_is_handed_on_before_more_comes(tmp_path, name, codec, options):
    rate_hz = 48_000 if codec in ("ac3", "libopus") else 16_000
    content = muxed(tmp_path, name, codec, rate_hz, **options)
    half = len(content) * 3 // 4
    audio = open_stdin(pipe(*sliced(content[:half], range(0, half, 977)), NothingYet))
    heard_s = []
    with pytest.raises(NothingYet):
        heard_s.extend(len(block) / audio.rate_hz for block in audio.blocks(0.05))
    assert sum(heard_s) > 12


def test_an_endless_stream_takes_no_memory_and_no_disk(monkeypatch):
    content = encoded(np.random.default_rng(0).uniform(-1, 1, 160_000), 16_000, format="FLAC")

    class Endless:
        sent_bytes = 0

        def read(self, most_bytes):
            at = self.sent_bytes % len(content)
            piece = content[at : at + most_bytes]
            self.sent_bytes += len(piece)
            return piece

    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    source = Endless()
    peaks_kb = []
    for _ in open_stdin(source).blocks():
        if source.sent_bytes > (10 << 20) * (1 + len(peaks_kb)):
            peaks_kb.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        if len(peaks_kb) == 4:
            break
    assert len(peaks_kb) == 4
    assert peaks_kb[-1] - peaks_kb[0] < 8_000


@pytest.mark.parametrize("name", ["a.ogg", "a.mkv", "a.m4a", "a.mp4"])
def test_a_container_that_is_cut_off_is_told_as_of_a_file(tmp_path, name):
    _, codec, options = next(each for each in STREAMED if each[0] == name)
    content = muxed(tmp_path, name, codec, **options)
    # Half a packet may be sound or not; cut between the ends that each of them tells.
    audio = open_stdin(pipe(content[: len(content) - 3_000]))
    with pytest.raises(AudioFormatError, match=r"is cut off after|is broken after"):
        joined(audio)


def test_a_read_that_fails_is_told_after_what_came_before_it():
    class Dying(Pipe):
        def readinto(self, buffer):
            if not self.pieces:
                raise OSError(5, "Input/output error")
            return super().readinto(buffer)

    flac = encoded(np.random.default_rng(0).uniform(-1, 1, 160_000), 16_000, format="FLAC")
    for content in (flac[: len(flac) // 2], PCM.tobytes(), encoded(PCM, format="WAV")[:9_000]):
        blocks = open_stdin(Dying(content)).blocks()
        assert len(next(blocks))
        with pytest.raises(
            AudioFormatError, match=r"standard input is broken after .*Input/output"
        ):
            list(blocks)
    with pytest.raises(AudioFormatError, match="standard input cannot be read"):
        open_stdin(Dying())


def test_a_long_header_is_read_in_linear_time_and_refused_where_it_has_no_end():
    noise = b"LIST" + struct.pack("<I", 1_600) + bytes(1_600)
    wav = encoded(PCM, format="WAV")
    content = wav[:36] + noise * 9_000 + wav[36:]
    np.testing.assert_array_equal(joined(open_stdin(io.BytesIO(content))), as_mono(PCM))

    class Endless:
        sent_bytes = 0

        def read(self, most_bytes):
            start = self.sent_bytes
            self.sent_bytes += most_bytes
            if start < 36:
                return wav[start : min(36, start + most_bytes)]
            return (noise * (2 + most_bytes // len(noise)))[(start - 36) % len(noise) :][
                :most_bytes
            ]

    source = Endless()
    with pytest.raises(AudioFormatError, match=f"at most {MOST_HEADER_BYTES} are read|chunks"):
        open_stdin(source)
    assert source.sent_bytes <= MOST_HEADER_BYTES + 10_000


@pytest.mark.parametrize("sent_bytes", [20, 3_000, 40_000])
def test_ctrl_c_while_a_container_is_opened_is_not_lost(tmp_path, sent_bytes):
    class Interrupted(Pipe):
        def readinto(self, buffer):
            if not self.pieces:
                raise KeyboardInterrupt
            return super().readinto(buffer)

    content = muxed(tmp_path, "a.mp3", "libmp3lame")
    with pytest.raises(KeyboardInterrupt):
        joined(open_stdin(Interrupted(content[:sent_bytes])))


def test_bytes_of_no_known_kind_may_be_refused():
    """What an upload is, its sender does not say; so it is never taken for raw samples."""
    with pytest.raises(AudioFormatError, match="the file is no audio"):
        open_stdin(io.BytesIO(b"no audio " * 100), name="the file", as_file=True)


def test_the_bytes_of_a_file_give_the_samples_of_the_file(tmp_path):
    """An MP3's padding is known only where all of it is there."""
    path = tmp_path / "tone.mp3"
    soundfile.write(path, TONE, 16_000, format="MP3")
    with (
        open_audio(path) as file,
        open_stdin(io.BytesIO(path.read_bytes()), as_file=True) as stream,
    ):
        expected, got = np.concatenate(list(file.blocks())), np.concatenate(list(stream.blocks()))
    assert np.array_equal(expected, got)


@pytest.mark.parametrize("skipped", [1, 50, 333, 1_000])
def test_a_stream_may_begin_within_a_frame(skipped):
    """A radio station lets in at any byte; it was taken for raw samples, and nothing was heard."""
    file = io.BytesIO()
    soundfile.write(file, TONE, 16_000, format="MP3")
    with open_stdin(io.BytesIO(file.getvalue()[skipped:])) as audio:
        got = np.concatenate(list(audio.blocks()))
    assert audio.rate_hz == 16_000
    assert len(TONE) - 8_000 < len(got) < len(TONE) + 8_000
