"""What is written of one recording."""

import json
from pathlib import Path

import pytest

from parakeet_streaming.cli.outputs import Output
from parakeet_streaming.errors import OptionError
from parakeet_streaming.formats import Recording
from parakeet_streaming.results import Final, Partial, Segment, Transcript, Word


def final(text: str, start: float, utterance: int = 0) -> Final:
    words = (Word(text, start, start + 0.5, 0.9),)
    segments = (Segment(text, start, start + 0.5, words),)
    return Final(Transcript(text, (), words, segments, start + 1.0), utterance)


def written(format: str, path: Path, *, append: bool = False) -> str:
    """Two utterances and the whole."""
    whole = Transcript("one two", (), (), (), 9.0)
    with Output("-", format, path, append=append) as output:
        output.write_event(Partial("one", (), "", (), 1.0, 1.5))
        for event in (final("one", 1.0), final("two", 5.0, 1)):
            output.write_event(event)
            assert format == "json" or event.transcript.text in path.read_text()
        output.write_whole(Recording(whole, "tiny-en", None, None, 0.5, "-"))
    return path.read_text()


def test_text_and_subtitles_are_written_utterance_by_utterance(tmp_path: Path) -> None:
    assert written("txt", tmp_path / "a.txt") == "one\ntwo\n"
    assert written("srt", tmp_path / "a.srt") == (
        "1\n00:00:01,000 --> 00:00:01,700\none\n\n2\n00:00:05,000 --> 00:00:05,700\ntwo\n"
    )
    assert written("vtt", tmp_path / "a.vtt") == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.700\none\n\n00:00:05.000 --> 00:00:05.700\ntwo\n"
    )


def test_json_is_one_object_and_jsonl_a_line_per_event(tmp_path: Path) -> None:
    assert json.loads(written("json", tmp_path / "a.json"))["text"] == "one two"
    lines = written("jsonl", tmp_path / "a.jsonl").splitlines()
    types = [json.loads(line)["type"] for line in lines]
    assert types == ["partial", "final", "final", "transcript"]


def test_appending_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before\n")
    assert written("txt", path, append=True) == "before\none\ntwo\n"


def test_text_on_standard_output_is_left_to_the_display(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Output("-", "txt", None) as output:
        output.write_event(final("one", 1.0))
    with Output("-", "vtt", None):
        pass
    assert capsys.readouterr().out == "WEBVTT\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_is_reported() -> None:
    with (
        pytest.raises(OptionError, match="cannot write /dev/full"),
        Output("-", "txt", Path("/dev/full")) as output,
    ):
        output.write_event(final("one", 1.0))
