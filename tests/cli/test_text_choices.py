"""Options of text and subtitles are those of every command that writes them."""

import json
import re
from pathlib import Path

import pytest
import webvtt
from typer.testing import CliRunner

from parakeet_streaming.cli.app import app
from parakeet_streaming.cli.text_choices import TextChoices, text_choices
from parakeet_streaming.errors import OptionError
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import Replacement

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"


def test_by_default_text_is_as_the_model_says_it_and_subtitles_as_the_trade_has_them():
    assert text_choices() == TextChoices() == TextChoices(WritingOptions(), TRADE)


def test_every_option(tmp_path):
    own, masks = tmp_path / "own.txt", tmp_path / "masks.txt"
    own.write_text("five nine => V9\n", encoding="utf-8")
    masks.write_text("two\n", encoding="utf-8")
    chosen = text_choices(
        numbers="digits", replace=str(own), profanity="mask", profanity_list=str(masks),
        subtitle_lines=1, subtitle_width=30, subtitle_speed=15.0, subtitle_shortest=1.0,
        subtitle_longest=5.0, subtitle_gap=0.0, word_times=True,
    )  # fmt: skip
    assert chosen.writing == WritingOptions(
        "digits", (Replacement("five nine", "V9"),), "mask", ("two",)
    )
    assert chosen.subtitles == SubtitleOptions(1, 30, 15.0, 1.0, 5.0, 0.0, word_times=True)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"numbers": "roman"}, "--numbers roman does not exist"),
        ({"profanity": "shout"}, "--profanity shout does not exist"),
        ({"profanity_list": "x"}, "goes with --profanity mask"),
        ({"profanity": "mask", "profanity_list": "/none"}, "/none: it cannot be read"),
        ({"replace": "/none"}, "/none: it cannot be read"),
        ({"subtitle_lines": 9}, "lines 9; use 1 to 4"),
    ],
)
def test_what_makes_no_sense_is_said(given, why):
    with pytest.raises(OptionError, match=re.escape(why)):
        text_choices(**given)


@pytest.mark.parametrize("command", ["transcribe", "listen"])
def test_they_are_grouped_in_the_help(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    text, subtitles = shown.stdout.split("─ Text ─")[1].split("─ Subtitles (srt, vtt) ─")
    for option in ("--numbers", "--replace", "--profanity", "--profanity-list"):
        assert option in text
    for option in ("lines", "width", "speed", "shortest", "longest", "gap"):
        assert f"--subtitle-{option}" in subtitles
    assert "--word-times" in subtitles
    assert "choices" not in shown.stdout


def test_a_file_is_written_as_asked(tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("five nine => V9\n", encoding="utf-8")
    asked = ["transcribe", str(DIGITS), "--numbers", "digits", "--replace", str(own)]
    told = CliRunner().invoke(app, asked)
    assert told.stdout == "3141 V9 two six\n"
    told = CliRunner().invoke(app, [*asked, "--format", "json"])
    heard = json.loads(told.stdout)
    assert heard["text"] == "3141 V9 two six"
    assert [word["text"] for word in heard["words"]] == heard["text"].split()
    assert heard["words"][0]["spoken"] == "three one four one"
    told = CliRunner().invoke(app, [*asked, "--format", "jsonl"])
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    partials = [line["text"] for line in lines if line["type"] == "partial"]
    assert "".join(partials) == lines[-1]["text"] == "3141 V9 two six"


def test_subtitles_are_as_asked():
    asked = ["transcribe", str(DIGITS), "--format", "vtt", "--subtitle-width", "15"]
    told = CliRunner().invoke(app, [*asked, "--subtitle-lines", "1", "--word-times"])
    captions = webvtt.from_string(told.stdout).captions
    assert " ".join(each.text for each in captions) == SAID
    assert len(captions) > 1
    assert max(len(each.text) for each in captions) <= 15
    assert told.stdout.count("<00:00:") == len(SAID.split()) - len(captions)
