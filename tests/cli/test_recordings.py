"""Recordings that players read: the words that are in them, whatever container and codec."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parakeet_streaming.cli.app import app

CASES = Path(__file__).parents[1] / "audio" / "cases"
RECORDINGS = Path(__file__).parents[2] / "examples" / "recordings"
WAV_WITHOUT_SAMPLES = (RECORDINGS / "digits.wav").read_bytes()[:40] + bytes(4)
SAID = "three one four one five nine two six"


def parakeet(name, *arguments, piped=None):
    return CliRunner().invoke(app, ["transcribe", name, *arguments], input=piped)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vbr-no-header.mp3", f"{SAID} {SAID}"),
        ("joined.mp3", f"{SAID} {SAID}"),
        ("joined-rates.mp3", f"{SAID} {SAID}"),
        ("joined.ogg", f"{SAID} {SAID}"),
        ("late-sound.mkv", SAID),
        ("two-tracks.mkv", SAID),
        ("voicemail-gsm.wav", SAID),
        ("bad-packet.m4a", SAID),
    ],
)
@pytest.mark.parametrize("how", ["file", "pipe", "offline"])
def test_all_words_are_heard(name, said, how):
    path = CASES / name
    if how == "pipe":
        result = parakeet("-", "--preset=offline_like", piped=path.read_bytes())
    else:
        result = parakeet(str(path), *(["--offline"] if how == "offline" else []))
    assert result.exit_code == 0, result.stderr
    # One of them begins with half a second of noise.
    assert result.stdout.split()[-len(said.split()) :] == said.split()


def test_times_are_those_of_the_film():
    result = parakeet(str(CASES / "late-sound.mkv"), "--format=json")
    words = json.loads(result.stdout)["words"]
    assert words[0]["start"] == pytest.approx(4.24, abs=0.05)
    assert "has no sound before 4.00 s" in result.stderr


def test_another_track_can_be_chosen():
    path = str(CASES / "two-tracks.mkv")
    told = parakeet(path)
    assert "2 audio tracks" in told.stderr
    assert "track 2, the default, is read" in told.stderr
    silent = parakeet(path, "--track=1")
    assert silent.stdout.strip() == ""
    assert "tracks" not in silent.stderr
    assert parakeet(path, "--track=2").stdout.split() == SAID.split()
    refused = parakeet(path, "--track=fr")
    assert refused.exit_code == 1
    assert "has no audio track 'fr'; it has 2 audio tracks" in refused.stderr


def test_a_bad_packet_is_told_and_ends_only_a_strict_reading():
    path = str(CASES / "bad-packet.m4a")
    told = parakeet(path)
    assert "is broken from 2.18 s to 2.24 s" in told.stderr
    strict = parakeet(path, "--strict")
    assert strict.exit_code == 1
    assert "is broken after 2.18 s" in strict.stderr
    assert SAID.startswith(strict.stdout.strip())


@pytest.mark.parametrize("how", ["file", "pipe"])
@pytest.mark.parametrize(
    "name", ["voicemail-gsm.wav", "joined.mp3", "digits.wav", "late-sound.mkv"]
)
def test_a_file_cut_in_half_says_so_and_its_words_are_kept(tmp_path, name, how):
    folder = RECORDINGS if name == "digits.wav" else CASES
    content = (folder / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * 0.55)])
    source = str(path) if how == "file" else "-"
    result = parakeet(source, "--preset=offline_like", piped=path.read_bytes())
    assert result.exit_code == 1
    assert "cut off" in result.stderr
    assert result.stdout.startswith("three")


@pytest.mark.parametrize("piped", [b"", b"R", WAV_WITHOUT_SAMPLES])
def test_no_sound_is_told(tmp_path, piped):
    result = parakeet("-", piped=piped)
    assert result.exit_code == 1
    assert "standard input is empty" in result.stderr or "holds no sound" in result.stderr
    (tmp_path / "none.wav").write_bytes(WAV_WITHOUT_SAMPLES)
    result = parakeet(str(tmp_path / "none.wav"))
    assert result.exit_code == 1
    assert "none.wav holds no sound" in result.stderr
