"""What a model may say, as subtitles; ffmpeg reads the cues and times that were written."""

import json
import shutil
import subprocess

import pytest

from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.formats import cues, to_srt, to_vtt
from parakeet_streaming.results import Transcript, Word

if shutil.which("ffprobe") is None:
    pytest.skip("no ffmpeg; Debian: apt install ffmpeg", allow_module_level=True)

PIECES = [
    "00:00:09,000 --> 00:00:10,000",
    "00:00:09.000 --> 00:00:10.000 align:start",
    "\n\n7\n00:00:09,000 --> 00:00:10,000\nforged\n\n",
    "7\n",
    "42",
    "WEBVTT",
    "NOTE",
    "STYLE",
    "REGION",
    "\r\rNOTE x",
    "\x85\u2028\u2029",
    "<script>alert(1)</script>",
    "<b><i>",
    "{\\an8}{\\pos(1,2)}",
    "{y:i}",
    "\\N\\n\\h",
    "&lt;&amp;&#10;",
    "<00:00:09.000>",
    "\x00\x1a",
    "\ufeff1",
    "-->",
    "\u200b",
]


def heard(piece):
    spoken = ("Start", piece, "middle", piece, "end.", piece, "again", piece)
    words = tuple(Word(text, 1.0 * at, 1.0 * at + 0.9, 0.9) for at, text in enumerate(spoken))
    text = " ".join(word.text for word in words)
    return Transcript(text, (), words, group_segments(words), 8.0)


def cues_of(path):
    """Times and texts of the cues that ffprobe reads in a file."""
    packets = subprocess.run(
        ["ffprobe", "-v", "quiet", "-of", "json", "-show_packets", "-show_data", str(path)],
        capture_output=True, check=True,
    )  # fmt: skip
    return [
        (round(float(each["pts_time"]), 3), round(float(each["duration_time"]), 3))
        for each in json.loads(packets.stdout)["packets"]
    ]


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_ffmpeg_reads_the_cues_that_were_written(tmp_path, piece, suffix):
    path = tmp_path / f"talk.{suffix}"
    write = to_srt if suffix == "srt" else to_vtt
    path.write_text(write(heard(piece)), encoding="utf-8")
    made = [(round(cue.start, 3), round(cue.end - cue.start, 3)) for cue in cues(heard(piece))]
    assert cues_of(path) == made
    assert all(cue.end <= 8.0 for cue in cues(heard(piece)))


def as_shown(path):
    done = subprocess.run(
        ["ffmpeg", "-v", "quiet", "-nostdin", "-i", str(path), "-f", "ass", "-"],
        capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.parametrize("piece", ["{\\an8}", "<b>", "{\\pos(1,2)}", "<font size=99>", "{y:i}"])
def test_a_player_takes_no_style_from_a_word(tmp_path, piece):
    path = tmp_path / "talk.srt"
    path.write_text(to_srt(heard(piece)), encoding="utf-8")
    lines = [line for line in as_shown(path).splitlines() if line.startswith("Dialogue:")]
    assert lines
    assert not any("{" in line or "\\an" in line or "\\b" in line for line in lines)
