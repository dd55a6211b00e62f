"""`--phrases FILE` and `--boost`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.cli import phrases as reading
from parakeet_streaming.cli.app import app
from parakeet_streaming.cli.phrases import read_boosting
from parakeet_streaming.errors import FileAccessError, OptionError

JFK = str(Path(__file__).parents[1] / "parity" / "golden" / "audio" / "jfk.wav")


@pytest.fixture
def names(tmp_path):
    def write(content):
        path = tmp_path / "names.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


def test_a_file_and_how_strongly(names):
    path = names("# people\nfellow\t2\namericans\n")
    assert read_boosting(path, 3.0) == Boosting((Phrase("fellow", 2), Phrase("americans")), 3.0)
    assert read_boosting(path, 0.0) is None
    assert read_boosting(None, None) is None


def test_a_boost_goes_with_phrases():
    with pytest.raises(OptionError, match="--boost goes with --phrases"):
        read_boosting(None, 1.0)


def test_files_that_are_no_lists(names, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="there is no such file"):
        read_boosting(str(tmp_path / "none.txt"), None)
    with pytest.raises(FileAccessError, match="cannot be read"):
        read_boosting(str(tmp_path), None)
    with pytest.raises(OptionError, match="is no UTF-8 text"):
        read_boosting(names(b"\xff\xfe"), None)
    monkeypatch.setattr(reading, "_MOST_BYTES", 5)
    with pytest.raises(OptionError, match="more than 5 bytes"):
        read_boosting(names("fellow"), None)


@pytest.mark.parametrize("how", [("--offline",), ("--context=10-2-2",), ("--realtime",)])
def test_transcribe_says_which_words_phrases_chose(names, how):
    if how == ("--realtime",):
        how = ("-",)
    files = [JFK] if how != ("-",) else []
    chosen = ["transcribe", *files, *how, "--phrases", names("could\n")]
    piped = Path(JFK).read_bytes() if not files else b""
    result = CliRunner().invoke(app, [*chosen, "--format=json"], input=piped)
    assert result.exit_code == 0, result.output
    words = json.loads(result.stdout)["words"]
    assert "could" in [each["text"] for each in words if each.get("boosted")]


def test_listen_boosts_phrases_too(names):
    chosen = ["listen", "-", "--fixed", "--format=json"]
    chosen += ["--phrases", names("could\n")]
    result = CliRunner().invoke(app, chosen, input=Path(JFK).read_bytes())
    assert result.exit_code == 0, result.output
    words = json.loads(result.stdout)["words"]
    assert "could" in [each["text"] for each in words if each.get("boosted")]


def test_a_line_that_is_wrong_is_told_before_anything_is_read(names):
    result = CliRunner().invoke(app, ["transcribe", JFK, "--phrases", names("fellow\tmuch\n")])
    assert result.exit_code == 1
    assert "names.txt, line 1: 'much'" in str(result.exception)
    assert result.stdout == ""


def test_letters_that_the_model_does_not_have(names):
    result = CliRunner().invoke(app, ["transcribe", JFK, "--phrases", names("Żółć\n")])
    assert result.exit_code == 1
    assert "cannot write 'Żółć'" in result.stderr
