"""Which inputs can be read, and as what; the command itself is in test_transcribe."""

from pathlib import Path

import pytest

from parakeet_streaming.cli.inputs import InputOptions, open_input, unreadable
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
        (InputOptions(channels="both"), "use a number, left or right"),
        (InputOptions(channels="-1"), "use a number"),
    ],
)
def test_channels_that_are_not_there(options, says):
    with pytest.raises(OptionError, match=says):
        open_input(DIGITS, options)
    assert (InputOptions(channels="right").side, InputOptions(channels="right").count) == (1, 2)
