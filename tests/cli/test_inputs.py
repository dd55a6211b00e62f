"""Which inputs can be read, and as what; the command itself is in test_transcribe."""

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming.cli.inputs import InputOptions, comes_live, open_input, unreadable
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, OptionError

DIGITS = str(Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav")


def test_what_cannot_be_read_is_told_for_each(tmp_path):
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"fLaC")
    reasons = unreadable([DIGITS, "-", "no-such.wav", str(broken)], InputOptions())
    assert {name: type(error) for name, error in reasons.items()} == {
        "no-such.wav": AudioNotFoundError,
        str(broken): AudioFormatError,
    }


def test_content_decides_and_then_the_options(tmp_path):
    with open_input(DIGITS, InputOptions(rate_hz=8000, encoding="mulaw", channels="2")) as audio:
        assert (audio.rate_hz, audio.channels) == (16_000, 1)
    raw = tmp_path / "raw"
    raw.write_bytes(b"\x01\x02" * 8000)
    with open_input(str(raw), InputOptions(rate_hz=8000)) as audio:
        assert (audio.rate_hz, audio.channels, audio.duration_s) == (8000, 1, 1.0)
    with open_input(str(raw), InputOptions(encoding="u8", channels="right")) as audio:
        assert (audio.rate_hz, audio.duration_s) == (16_000, 0.5)
        (block,) = audio.blocks(1.0)
        assert block[0] == (2 - 128) / 128
    with pytest.raises(AudioFormatError, match="if it is raw samples, say which"):
        open_input(str(raw), InputOptions())


def test_a_file_that_is_known_and_broken_is_never_raw(tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    with pytest.raises(AudioFormatError):
        open_input(str(broken), InputOptions(encoding="s16le"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (InputOptions(channels="both"), "use a number, left, right or separate"),
        (InputOptions(channels="-1"), "use a number"),
    ],
)
def test_channels_that_are_not_there(options, says):
    with pytest.raises(OptionError, match=says):
        open_input(DIGITS, options)
    assert (InputOptions(channels="right").side, InputOptions(channels="right").count) == (1, 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (InputOptions(rate_hz=-1), "--rate -1; use 4000 to 384000"),
        (InputOptions(rate_hz=0), "--rate 0"),
        (InputOptions(rate_hz=10**5_000), "--rate of .* bits"),
        (InputOptions(encoding="\x1b[2J"), r"no encoding is called '\\x1b\[2J'"),
        (InputOptions(encoding="x" * 10_000), "no encoding is called 'x"),
        (InputOptions(channels="0"), "0 channels are impossible"),
        (InputOptions(channels="33"), "33 channels are impossible"),
    ],
)
def test_what_means_nothing_is_refused_whatever_is_read(options, says):
    with pytest.raises(OptionError, match=says) as raised:
        open_input(DIGITS, options)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("channels", ["9" * 5_000, "33", "0", "1000000000"])
def test_absurd_numbers_of_channels_are_refused(tmp_path, channels):
    (tmp_path / "a.raw").write_bytes(bytes(100))
    with pytest.raises(OptionError, match="channels"):
        open_input(str(tmp_path / "a.raw"), InputOptions(rate_hz=8_000, channels=channels))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["a.wav", "a.raw", "a.flac"])
def test_a_named_pipe_is_read_as_it_comes_and_once(tmp_path, name):
    os.mkfifo(tmp_path / name)
    source = str(tmp_path / name)
    sound = (np.arange(4_000) % 100).astype(np.int16) << 8
    content = io.BytesIO()
    if name == "a.raw":
        content.write(sound.tobytes())
    else:
        soundfile.write(content, sound, 8_000, format=name[2:].upper())
    writer = threading.Thread(target=Path(source).write_bytes, args=[content.getvalue()])
    writer.start()
    assert comes_live(source)
    assert not comes_live(DIGITS)
    assert unreadable([source], InputOptions()) == {}
    with open_input(source, InputOptions(rate_hz=8_000)) as audio:
        heard = np.concatenate(list(audio.blocks()))
    writer.join()
    assert (audio.name, audio.rate_hz) == (source, 8_000)
    np.testing.assert_array_equal(heard, sound / np.float32(32_768))
