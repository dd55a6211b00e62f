"""Where results go."""

from pathlib import Path

import pytest

from parakeet_streaming.cli.outputs import output_paths
from parakeet_streaming.errors import OptionError


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
