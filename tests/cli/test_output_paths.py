"""Where results go, and what is never written over."""

import os
import sys
from pathlib import Path

import pytest
import soundfile

from parakeet_streaming.cli.output_paths import (
    check_overwriting,
    chosen_format,
    output_paths,
    partial_path,
)
from parakeet_streaming.errors import OptionError

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"


def test_without_output_all_go_to_standard_output() -> None:
    assert output_paths(["a.wav", "-"], None, "txt") == {"a.wav": None, "-": None}


def test_one_input_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    assert output_paths(["a.wav"], str(path), "srt") == {"a.wav": path}


def test_a_folder_that_is_there_or_will_be(tmp_path: Path) -> None:
    assert output_paths(["b/a.wav", "-"], str(tmp_path), "json") == {
        "b/a.wav": tmp_path / "a.json",
        "-": tmp_path / "stdin.json",
    }
    new = tmp_path / "deep" / "new"
    assert output_paths(["a.wav"], f"{new}/", "vtt") == {"a.wav": new / "a.vtt"}
    assert new.is_dir()


def test_two_inputs_of_one_name_keep_their_suffix(tmp_path: Path) -> None:
    paths = output_paths(["a.wav", "a.mp3", "b.mp3"], str(tmp_path), "txt")
    assert [path.name for path in paths.values()] == ["a.wav.txt", "a.mp3.txt", "b.txt"]


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="name a folder"):
        output_paths(["a", "b"], str(tmp_path / "x"), "txt")
    with pytest.raises(OptionError, match="make it first"):
        output_paths(["a"], str(tmp_path / "no" / "x"), "txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="cannot make"):
        output_paths(["a"], f"{tmp_path}/file/", "txt")


def test_a_dash_is_standard_output_and_no_file() -> None:
    assert output_paths(["a.wav"], "-", "txt") == {"a.wav": None}
    assert output_paths(["a.wav", "-"], "-", "srt") == {"a.wav": None, "-": None}
    with pytest.raises(OptionError, match="empty"):
        output_paths(["a.wav"], "", "txt")


@pytest.mark.parametrize(
    "inputs",
    [
        ["x/talk.wav", "y/talk.wav"],
        ["x/talk.wav", "./x/talk.wav"],
        ["x/Talk.wav", "x/talk.wav"],
        ["x/Stra\u00dfe.wav", "x/STRASSE.wav"],
        ["x/caf\u00e9.wav", "x/cafe\u0301.wav"],
        ["-", "stdin", "x/stdin"],
    ],
)
def test_inputs_that_would_share_a_file_are_refused_by_name(
    inputs: list[str], tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match="one by one") as refused:
        output_paths(inputs, f"{tmp_path}/new/", "txt")
    assert sum(each in str(refused.value) for each in inputs) >= 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        (["a.wav", "a.mp3", "a.wav.mp3"], ["a.wav.txt", "a.mp3.txt", "a.wav.mp3.txt"]),
        (["A.wav", "a.mp3"], ["A.wav.txt", "a.mp3.txt"]),
        (["-", "stdin.wav"], ["stdin.txt", "stdin.wav.txt"]),
        (["a.b.wav", "a.b"], ["a.b.txt", "a.txt"]),
    ],
)
def test_every_input_has_a_name_of_its_own(
    inputs: list[str], names: list[str], tmp_path: Path
) -> None:
    paths = output_paths(inputs, str(tmp_path), "txt")
    assert [path.name for path in paths.values() if path] == names


@pytest.mark.parametrize(
    ("format", "output", "chosen"),
    [
        (None, None, "txt"),
        (None, "talk.srt", "srt"),
        (None, "TALK.VTT", "vtt"),
        (None, "talk.jsonl", "jsonl"),
        (None, "notes.md", "txt"),
        (None, "srt", "txt"),
        (None, "-", "txt"),
        ("json", "talk.srt", "json"),
        ("SRT", None, "srt"),
        (" Json ", "x/", "json"),
    ],
)
def test_the_ending_decides_where_no_format_was_asked_for(
    format: str | None, output: str | None, chosen: str
) -> None:
    assert chosen_format(format, output) == chosen


@pytest.mark.parametrize(
    ("format", "output", "append", "says"),
    [
        ("doc", None, False, "use txt, srt"),
        ("srt", "a.txt", True, "use txt or jsonl"),
        (None, "a.srt", True, "use txt or jsonl"),
    ],
)
def test_formats_that_do_not_fit(
    format: str | None, output: str | None, append: bool, says: str
) -> None:
    with pytest.raises(OptionError, match=says):
        chosen_format(format, output, append=append)


def sound(path: Path) -> Path:
    path.write_bytes(DIGITS.read_bytes())
    return path


def test_no_input_is_written_over_whatever_it_is_called(tmp_path: Path) -> None:
    talk = sound(tmp_path / "talk.txt")
    (tmp_path / "linked.srt").symlink_to(talk)
    os.link(talk, tmp_path / "hard.json")
    for name in ("talk.txt", "linked.srt", "hard.json"):
        with pytest.raises(OptionError, match="is an input"):
            check_overwriting([str(talk)], {"--output": tmp_path / name})
    text = tmp_path / "raw-numbers.txt"
    text.write_text("no sound that anything knows")
    with pytest.raises(OptionError, match="is an input"):
        check_overwriting([str(text)], {"--report": text})
    part = partial_path(tmp_path / "a.txt")
    part.write_text("no sound that anything knows")
    with pytest.raises(OptionError, match="is an input"):
        check_overwriting([str(part)], {"--output": tmp_path / "a.txt"})


def test_a_file_of_the_model_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a 0")
    with pytest.raises(OptionError, match="is an input"):
        check_overwriting(["-", str(tmp_path)], {"--output": tmp_path / "vocab.txt"})
    check_overwriting(["-", str(tmp_path)], {"--output": tmp_path / "talk.txt"})


def test_standard_input_is_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "raw-numbers"
    raw.write_bytes(bytes(999))
    with raw.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(OptionError, match="is an input"):
            check_overwriting(["-"], {"--output": raw})
        check_overwriting(["a.wav"], {"--output": raw})
        with raw.open("a") as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            with pytest.raises(OptionError, match="standard output is standard input"):
                check_overwriting(["-"], {"--output": None})


@pytest.mark.parametrize("name", ["other.txt", "other.json", "other"])
def test_audio_is_never_written_over(name: str, tmp_path: Path) -> None:
    for written in (sound(tmp_path / name), partial_path(tmp_path / name)):
        if not written.exists():
            (tmp_path / name).rename(written)
        with pytest.raises(OptionError, match="is audio"):
            check_overwriting(["talk.wav"], {"--output": tmp_path / name})
    samples, rate_hz = soundfile.read(DIGITS)
    soundfile.write(tmp_path / name, samples, rate_hz, format="FLAC")
    with pytest.raises(OptionError, match="is audio"):
        check_overwriting(["talk.wav"], {"--report": tmp_path / name})


def test_names_of_recordings_get_no_text(tmp_path: Path) -> None:
    for name in ("new.wav", "raw.PCM", "film.mkv"):
        with pytest.raises(OptionError, match="named as a recording"):
            check_overwriting(["talk.wav"], {"--output": tmp_path / name})
    with pytest.raises(OptionError, match="is a folder"):
        check_overwriting(["talk.wav"], {"--report": tmp_path})
    with pytest.raises(OptionError, match="only results go to standard output"):
        check_overwriting(["talk.wav"], {"--report": Path("-")})


def test_two_results_never_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for other in (path, tmp_path / "A.JSON", tmp_path / "." / "a.json"):
        with pytest.raises(OptionError, match="--output and --report are both"):
            check_overwriting([], {"--output": path, "--report": other})
    with pytest.raises(OptionError, match="--report and --save are both"):
        check_overwriting([], {"--report": path}, saved=path)
    check_overwriting([], {"--output": path, "--report": tmp_path / "b"}, saved=tmp_path / "c")


def test_old_text_and_devices_may_be_written(tmp_path: Path) -> None:
    old = tmp_path / "old.txt"
    old.write_text("what was said before\n" * 999)
    check_overwriting(["talk.wav"], {"--output": old})
    null = Path(os.devnull)
    check_overwriting(["talk.wav"], {"--output": null, "--report": null}, saved=null)
