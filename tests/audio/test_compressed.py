"""Recordings that ffmpeg reads, and that were once read in part, too early or not at all."""

import io
import subprocess
import sys
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from parakeet_streaming.audio.compressed import open_compressed
from parakeet_streaming.audio.files import open_audio, read_audio
from parakeet_streaming.audio.packet_clock import MOST_SILENCE_S
from parakeet_streaming.errors import AudioFormatError, OptionError

CASES = Path(__file__).parent / "cases"
RATE_HZ = 16_000
NOISE = (np.random.default_rng(0).standard_normal(3 * RATE_HZ) * 0.1).astype(np.float32)


def film(path, packets, codec="pcm_s16le", tracks=1, video_from_s=0.0, **container_options):
    """A film whose sound stands where `packets` say: (start in s, samples)."""
    with av.open(path, "w", **container_options) as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 32
        picture.pix_fmt = "yuv420p"
        sounds = [container.add_stream(codec, rate=RATE_HZ, layout="mono") for _ in range(tracks)]
        image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        image.pts = round(25 * video_from_s)
        image.time_base = Fraction(1, 25)
        for packet in [*picture.encode(image), *picture.encode(None)]:
            container.mux(packet)
        for start_s, samples in packets:
            whole = (samples * 32_767).astype(np.int16)
            for at in range(0, len(whole), 1_024):
                for sound in sounds:
                    frame = av.AudioFrame.from_ndarray(
                        whole[None, at : at + 1_024], format="s16", layout="mono"
                    )
                    frame.sample_rate = RATE_HZ
                    frame.pts = round(start_s * RATE_HZ) + at
                    frame.time_base = Fraction(1, RATE_HZ)
                    for packet in sound.encode(frame):
                        container.mux(packet)


def first_loud_s(samples):
    return int(np.argmax(np.abs(samples) > 0.02)) / RATE_HZ


@pytest.mark.parametrize(
    ("name", "length_s"),
    [
        ("vbr-no-header.mp3", 17.388),
        ("joined.mp3", 8.967),
        ("joined-rates.mp3", 8.895),
        ("joined.ogg", 8.812),
        ("voicemail-gsm.wav", 4.400),
        ("two-tracks.mkv", 4.394),
    ],
)
def test_a_recording_is_read_to_its_end(name, length_s):
    with open_audio(CASES / name) as audio:
        length = sum(len(block) for block in audio.blocks())
        assert length / audio.rate_hz == pytest.approx(length_s, abs=0.02)


def test_the_default_track_is_read_and_told():
    with open_audio(CASES / "two-tracks.mkv") as audio:
        assert "has 2 audio tracks" in audio.warnings[0]
        assert max(np.abs(block).max() for block in audio.blocks()) > 0.1
    assert np.abs(read_audio(CASES / "two-tracks.mkv", track=1)).max() < 0.01
    assert np.abs(read_audio(CASES / "two-tracks.mkv", track="2")).max() > 0.1
    for asked in (3, "en"):
        with pytest.raises(OptionError, match="has no audio track"):
            open_audio(CASES / "two-tracks.mkv", track=asked)


def test_what_a_file_says_in_other_bytes_than_utf_8_is_left_out(tmp_path):
    film = (CASES / "two-tracks.mkv").read_bytes()
    assert film.count(b"und") == 2
    (tmp_path / "film.mkv").write_bytes(film.replace(b"und", b"\xffde", 1))
    with open_audio(tmp_path / "film.mkv") as audio:
        told = " ".join(audio.warnings)
    assert "1: de" in told
    assert told.encode()
    assert np.array_equal(
        read_audio(tmp_path / "film.mkv", track="de"), read_audio(CASES / "two-tracks.mkv", track=1)
    )


def test_pyav_19_has_no_word_for_titles_in_other_encodings(monkeypatch):
    opened = av.open

    def as_19(file, mode, *, options):
        return opened(file, mode, options=options)

    monkeypatch.setattr(av, "__version__", "19.0.2")
    monkeypatch.setattr(av, "open", as_19)
    assert len(read_audio(CASES / "joined.mp3"))


def test_a_plain_file_has_one_track(tmp_path):
    with pytest.raises(OptionError, match="has no audio track '2'"):
        open_audio(CASES / "voicemail-gsm.wav", track=2)


def test_a_stereo_file_gives_its_name_to_no_library():
    with (CASES / "joined.mp3").open("rb") as file, ExitStack() as stack:
        audio = open_compressed("talk", io.BufferedReader(file.raw), stack)
        assert (audio.name, audio.rate_hz, audio.channels) == ("talk", 16_000, 1)
        audio.close()


def test_what_is_no_audio_is_refused(tmp_path):
    with ExitStack() as stack, pytest.raises(AudioFormatError):
        open_compressed("talk", io.BytesIO(bytes(1_000)), stack)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mkv", "pcm_s16le"),
        ("a.mkv", "flac"),
        ("a.mp4", "flac"),
        ("a.mov", "pcm_s16le"),
        ("a.nut", "pcm_s16le"),
    ],
)
@pytest.mark.parametrize("late_s", [0.5, 4.0])
def test_sound_that_begins_late_keeps_its_times(tmp_path, name, codec, late_s):
    film(tmp_path / name, [(late_s, NOISE)], codec)
    with open_audio(tmp_path / name) as audio:
        samples = np.concatenate(list(audio.blocks()))
        assert f"has no sound before {late_s:.2f} s" in audio.warnings[0]
    assert first_loud_s(samples) == pytest.approx(late_s, abs=0.01)
    assert len(samples) / RATE_HZ == pytest.approx(late_s + 3, abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "pcm_s16le"), ("a.mp4", "flac"), ("a.ts", "mp2"), ("a.asf", "pcm_s16le")],
)
def test_a_pause_of_the_clock_is_silence_and_is_told(tmp_path, name, codec):
    film(tmp_path / name, [(0, NOISE), (8.0, NOISE)], codec)
    with open_audio(tmp_path / name) as audio:
        samples = np.concatenate(list(audio.blocks()))
        [warning] = audio.warnings
    assert "has no sound from 3.0" in warning
    assert warning.endswith("s; silence stands there")
    assert len(samples) / RATE_HZ == pytest.approx(11.0, abs=0.1)
    assert np.abs(samples[int(3.2 * RATE_HZ) : int(7.9 * RATE_HZ)]).max() < 0.001
    assert np.abs(samples[int(8.1 * RATE_HZ) : int(10.9 * RATE_HZ)]).max() > 0.1


def test_a_transport_stream_begins_at_0_whatever_its_clock_says(tmp_path):
    film(tmp_path / "a.ts", [(30_000.0, NOISE)], "mp2", video_from_s=30_000.0)
    with open_audio(tmp_path / "a.ts") as audio:
        samples = np.concatenate(list(audio.blocks()))
        assert audio.warnings == ()
    assert len(samples) / RATE_HZ == pytest.approx(3.0, abs=0.1)


def test_films_that_are_joined_follow_each_other_without_a_gap(tmp_path):
    film(tmp_path / "a.ts", [(0, NOISE)], "mp2")
    film(tmp_path / "b.ts", [(0, NOISE)], "mp2")
    (tmp_path / "c.ts").write_bytes(
        (tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes()
    )
    with open_audio(tmp_path / "c.ts") as audio:
        samples = np.concatenate(list(audio.blocks()))
    assert len(samples) / RATE_HZ == pytest.approx(6.0, abs=0.2)


def encode(path, codec):
    """Three seconds of noise."""
    kind = "s16p" if codec == "alac" else "fltp"
    noise = np.tile(NOISE, 3)[None]
    with av.open(path, "w") as container:
        sound = container.add_stream(codec, rate=3 * RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (noise * 32_767).astype(np.int16) if kind == "s16p" else noise, kind, "mono"
        )
        frame.sample_rate = 3 * RATE_HZ
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            container.mux(packet)


def broken_in_the_middle(path, bad=1):
    """The content of a file some of whose packets are garbage."""
    content = bytearray(path.read_bytes())
    with av.open(path) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size and packet.pos]
        for packet in packets[len(packets) // 2 :][:bad]:
            content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    return bytes(content)


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.mov", "aac"), ("a.mp4", "alac")])
@pytest.mark.parametrize("bad", [1, 10])
def test_bad_packets_are_silence_of_their_length(tmp_path, name, codec, bad):
    path = tmp_path / name
    encode(path, codec)
    whole = read_audio(path)
    path.write_bytes(broken_in_the_middle(path, bad))
    with open_audio(path) as audio:
        samples = np.concatenate(list(audio.blocks()))
        assert len(samples) / audio.rate_hz == pytest.approx(len(whole) / RATE_HZ, abs=0.01)
        assert "broken from 1.5" in audio.warnings[0] or "no sound from 1.5" in audio.warnings[0]
    if codec == "aac":
        with open_audio(path, strict=True) as audio, pytest.raises(AudioFormatError):
            list(audio.blocks())


def test_a_container_that_is_damaged_ends_with_a_word(tmp_path):
    encode(tmp_path / "a.webm", "libopus")
    (tmp_path / "a.webm").write_bytes(broken_in_the_middle(tmp_path / "a.webm"))
    with open_audio(tmp_path / "a.webm") as audio:
        list(audio.blocks())
        assert "no sound after 1.49 s, and is 3.01 s long" in audio.warnings[0]


YEAR_S = 365 * 24 * 3_600


@pytest.mark.parametrize("name", ["a.mkv", "a.nut", "a.mp4", "a.mov"])
@pytest.mark.parametrize(
    "starts_s", [[0, 3 * YEAR_S], [5 * YEAR_S], [0, *[11 * 3_600 * n for n in range(1, 6)]]]
)
def test_a_clock_that_leaps_by_years_gives_no_years_of_silence(tmp_path, name, starts_s):
    codec = "aac" if name in ("a.mp4", "a.mov") else "pcm_s16le"
    film(tmp_path / name, [(start_s, NOISE[:8_192]) for start_s in starts_s], codec)
    with open_audio(tmp_path / name) as audio:
        samples = loud = 0
        for block in audio.blocks(60.0):
            samples += len(block)
            loud += int((np.abs(block) > 0).sum())
    assert samples / RATE_HZ <= MOST_SILENCE_S + 60
    assert loud >= 7_000 * len(starts_s)
    if starts_s[-1] > 12 * 3_600 and name in ("a.mkv", "a.nut"):
        assert any("silence" in each for each in audio.warnings)


def test_many_tracks_are_listed_in_short(tmp_path):
    film(tmp_path / "a.mkv", [(0, NOISE[:2_048])], tracks=40)
    with open_audio(tmp_path / "a.mkv") as audio:
        assert "and 20 more" in audio.warnings[0]
    with pytest.raises(OptionError, match="has no audio track"):
        open_audio(tmp_path / "a.mkv", track="1" * 5_000)


TONES_HZ = 300 + 100 * np.arange(32)
SECONDS = np.arange(48_000) / 48_000


def tones(channels):
    """A second of a tone for each channel, (48000, channels), of different levels."""
    levels = 0.5 / (1 + np.arange(channels))
    return np.sin(2 * np.pi * TONES_HZ[:channels] * SECONDS[:, None]) * levels


def surround(path, codec, layout, planes=None):
    """Tones in a file of that codec; skips what this FFmpeg reads, but does not write."""
    try:
        return written(path, codec, layout, planes)
    except (av.ArgumentError, av.InvalidDataError) as error:
        pytest.skip(f"this PyAV writes no {layout} {codec} to {path.suffix}: {error}")


def written(path, codec, layout, planes):
    channels = av.AudioLayout(layout).nb_channels
    whole = (tones(channels) * 32_767).astype(np.int16)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout=layout)
        if planes is not None:
            stream.format = planes
        for at in range(0, len(whole), 960):
            part = np.ascontiguousarray(whole[at : at + 960]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return whole


READ = """
import sys
import numpy as np
from parakeet_streaming.audio.files import open_audio
with open_audio(sys.argv[1], strict=True) as audio:
    samples = np.concatenate(list(audio.blocks()))
    print(audio.channels, audio.rate_hz, *audio.warnings)
    np.save(sys.argv[2], samples)
"""


def read_by_another_process(path):
    """What a process reads that may die of it."""
    answer = path.with_suffix(".npy")
    done = subprocess.run(
        [sys.executable, "-c", READ, path, answer], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split(), np.load(answer)


@pytest.mark.parametrize(
    ("name", "codec", "layout"),
    [
        ("a.m4a", "aac", "7.1"),
        ("a.m4a", "aac", "hexadecagonal"),
        ("a.ogg", "libopus", "7.1"),
        ("a.aac", "aac", "7.1"),
        ("a.mka", "libopus", "7.1"),
        ("a.m4a", "aac", "6.1"),
    ],
)
def test_eight_channels_and_more_in_planes(tmp_path, name, codec, layout):
    """They ended the process: PyAV reads on behind the addresses of eight planes."""
    surround(tmp_path / name, codec, layout)
    channels = av.AudioLayout(layout).nb_channels
    said, samples = read_by_another_process(tmp_path / name)
    assert said == [str(channels), "48000"]
    assert len(samples) == pytest.approx(48_000, abs=2_048)
    heard = np.abs(np.fft.rfft(samples[12_000:36_000]))
    clear = [TONES_HZ[each] * 24_000 // 48_000 for each in range(channels) if each != 3]
    assert (heard[clear] > 10 * np.median(heard)).all()  # all but the bass channel


@pytest.mark.parametrize("layout", ["stereo", "7.1", "hexadecagonal", "22.2", "octagonal"])
def test_planes_are_packed_without_loss(tmp_path, layout):
    path = tmp_path / "a.wv"
    whole = surround(path, "wavpack", layout, planes="s16p")
    _, samples = read_by_another_process(path)
    expected = (whole / 32_768).astype(np.float32).mean(axis=1)
    np.testing.assert_allclose(samples, expected, atol=1e-6)


@pytest.mark.parametrize(
    "layouts",
    [("mono", "7.1"), ("7.1", "stereo"), ("5.1", "7.1", "mono"), ("7.1", "hexadecagonal")],
)
def test_channels_that_become_more_or_fewer(tmp_path, layouts):
    joined = tmp_path / "joined.aac"
    with joined.open("wb") as file:
        for layout in layouts:
            surround(tmp_path / "part.aac", "aac", layout)
            file.write((tmp_path / "part.aac").read_bytes())
    said, samples = read_by_another_process(joined)
    assert said[0] == str(av.AudioLayout(layouts[0]).nb_channels)
    assert len(samples) == pytest.approx(48_000 * len(layouts), abs=2_500 * len(layouts))
    assert all(np.abs(part).max() > 0.01 for part in np.array_split(samples, 8))
