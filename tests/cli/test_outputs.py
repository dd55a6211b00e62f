"""What is written of one recording."""

import json
import re
from pathlib import Path

import pytest

from parakeet_streaming import formats
from parakeet_streaming.cli.output_paths import partial_path
from parakeet_streaming.cli.outputs import Output, Series
from parakeet_streaming.errors import OptionError
from parakeet_streaming.formats import Recording
from parakeet_streaming.results import Final, Partial, Segment, Token, Transcript, Word


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
        "1\n00:00:01,000 --> 00:00:01,833\none\n\n2\n00:00:05,000 --> 00:00:05,833\ntwo\n"
    )
    assert written("vtt", tmp_path / "a.vtt") == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.833\none\n\n00:00:05.000 --> 00:00:05.833\ntwo\n"
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


def words(text: str) -> tuple[Token, ...]:
    return tuple(
        Token(0, piece, 0, 1, 4.0 * at, 4.0 * at + 3.0, 0.9)
        for at, piece in enumerate(re.findall(r" ?\S+", text))
    )


@pytest.mark.parametrize(
    ("format", "seen"),
    [
        ("txt", "one two three"),
        ("srt", "1\n00:00:00,000 --> 00:00:03,000\none\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\none\n"),
        ("jsonl", '"text": "one two three four"'),
        ("json", '"text": "one two three four"'),
    ],
)
def test_what_was_heard_is_beside_the_older_result_until_the_new_one_is_whole(
    format: str, seen: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{format}"
    path.write_text("old")
    said = words("one two three four")
    spoken = tuple(Word(each.text.strip(), each.start, each.end, 0.9) for each in said)
    segments = (Segment("one two three four", 0.0, 15.0, spoken),)
    heard = Transcript("one two three four", said, spoken, segments, 16.0)
    with Output("-", format, path, in_place=False) as output:
        output.write_event(Partial("one two three four", said, "", (), 16.0, 16.0))
        assert path.read_text() == "old"
        assert seen in partial_path(path).read_text()
        output.write_event(Final(heard))
        output.write_whole(Recording(heard, "tiny-en", None, None, 0.5, "-"))
    if format in ("txt", "json"):
        whole = Recording(heard, "tiny-en", None, None, 0.5, "-")
        assert path.read_text() == formats.render(whole, format)
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_that_is_not_whole_replaces_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.txt"
    for whole in (False, True):
        path.write_text("old")
        with Output("-", "txt", path, in_place=False) as output:
            output.write_event(final("new", 0.0))
            recording = Recording(final("new", 0.0).transcript, "tiny-en", None, None, 0.5, "-")
            output.write_whole(recording, whole=whole)
        assert path.read_text() == ("new\n" if whole else "old")
        assert ("is as it was" in capsys.readouterr().err) is not whole

    def broken() -> None:
        with Output("-", "txt", path, in_place=False) as output:
            output.write_event(final("newer", 0.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert (path.read_text(), partial_path(path).read_text()) == ("new\n", "newer\n")


def test_results_on_standard_output_follow_one_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for kind, said in (
        ("srt", "1\n00:00:00,000 --> 00:00:00,833\none\n\n2\n00:00:00,000 --> 00:00:00,833\ntwo\n"),
        (
            "vtt",
            "WEBVTT\n\nNOTE a.wav\n\n00:00:00.000 --> 00:00:00.833\none\n"
            "\nNOTE b -> c.wav\n\n00:00:00.000 --> 00:00:00.833\ntwo\n",
        ),
    ):
        series = Series(several=True)
        for source, text in (("a.wav", "one"), ("b --> c.wav", "two")):
            with Output(source, kind, None, series=series) as output:
                output.write_event(final(text, 0.0))
        assert capsys.readouterr().out == said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_is_reported() -> None:
    with (
        pytest.raises(OptionError, match="cannot write /dev/full"),
        Output("-", "txt", Path("/dev/full")) as output,
    ):
        output.write_event(final("one", 1.0))
