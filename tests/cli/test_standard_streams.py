"""Text is never lost to an encoding, to a name that is no UTF-8, or to a stream that is closed.

Each case is a process of its own: standard streams belong to the process.
"""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parakeet_streaming.cli.standard_streams import ESCAPE, ClosedOutput, escape, lose_nothing
from parakeet_streaming.errors import OptionError

DIGITS = Path(__file__).parents[2] / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
PROGRAM = "from parakeet_streaming.cli import main; main()"
NO_HOME = """
import os, pwd, sys
def nobody(*_): raise KeyError("no entry")
pwd.getpwuid = pwd.getpwnam = nobody
os.environ.pop("HOME", None)
sys.modules["openvino"] = None
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="names and numbers of POSIX")


def parakeet(*arguments, shell="", program=PROGRAM, **environment):
    """Runs it; `shell` is added to the command line, such as `>&-`."""
    words = " ".join(f'"${number}"' for number in range(1, len(arguments) + 1))
    return subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -c \'{program}\' {words} {shell}', "sh", *arguments],
        capture_output=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def recording(path):
    path.write_bytes(DIGITS.read_bytes())
    return str(path)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "ł→😀é".encode()),
        ("ascii", "ł→😀é".encode()),
        ("cp1252", b"\\u0142\\u2192\\ud83d\\ude00\xe9"),
        ("latin-1", b"\\u0142\\u2192\\ud83d\\ude00\xe9"),
    ],
)
def test_what_an_encoding_lacks_is_written_all_the_same(encoding, shown, tmp_path):
    path = recording(tmp_path / "ł→😀é.wav")
    done = parakeet("transcribe", path, str(DIGITS), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert shown in done.stdout
    assert done.stdout.count(SAID.encode()) == 2
    done = parakeet("transcribe", path, "--format=json", PYTHONIOENCODING=encoding)
    by_reader = "utf-8" if encoding == "ascii" else encoding
    assert json.loads(done.stdout.decode(by_reader))["source"] == path


def test_in_the_c_locale(tmp_path):
    path = recording(tmp_path / "ł.wav")
    choices = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = parakeet("transcribe", path, str(DIGITS), **choices)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "ł.wav".encode() in done.stdout


@POSIX
def test_names_that_are_no_utf_8(tmp_path):
    name = os.fsencode(tmp_path) + b"/talk\xff.wav"
    Path(os.fsdecode(name)).write_bytes(DIGITS.read_bytes())
    path = os.fsdecode(name)
    assert b"talk\xff.wav <==" in parakeet("transcribe", path, str(DIGITS)).stdout
    for kind in ("json", "jsonl"):
        done = parakeet("transcribe", path, f"--format={kind}")
        assert (done.returncode, done.stderr) == (0, b"")
        *_, last = done.stdout.decode().splitlines() if kind == "jsonl" else [done.stdout]
        assert json.loads(last)["source"] == path
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xfe")
    assert parakeet("transcribe", path, f"--output={folder}/").returncode == 0
    assert (Path(folder) / os.fsdecode(b"talk\xff.txt")).read_text() == f"{SAID}\n"
    done = parakeet("transcribe", os.fsdecode(b"not-there\xff"))
    assert done.returncode == 1
    assert done.stderr.startswith(b"parakeet: there is no file not-there")


@POSIX
def test_a_closed_standard_output_is_told_and_nothing_is_computed():
    for command in (["transcribe", str(DIGITS)], ["models", "list"], ["--help"]):
        done = parakeet(*command, shell=">&-")
        assert done.returncode == 2
        assert done.stderr.startswith(b"parakeet: standard output is closed")
        assert done.stderr.count(b"\n") == 1


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    "arguments",
    [
        ["transcribe", str(DIGITS)],
        ["transcribe", str(DIGITS), "--format", "vtt"],
        ["models", "list"],
        ["models", "inspect", "tiny-en", "--json"],
        ["doctor", "--json"],
        ["--version"],
        ["transcribe", "--help"],
    ],
    ids=" ".join,
)
def test_a_full_disk_behind_standard_output_is_one_line(arguments):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert done.returncode in (1, 2)
    (line,) = done.stderr.splitlines()
    assert line.startswith("parakeet: cannot write to standard output: No space left on device")


@pytest.mark.parametrize("variable", ["COLUMNS", "LINES"])
@pytest.mark.parametrize("size", ["9" * 5_000, "9" * 12, "100000", "-1", "x", "", "\x1b[2J"])
def test_an_absurd_size_of_the_terminal_does_not_matter(variable, size):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "models", "--help"],
        env={**os.environ, variable: size},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "inspect" in done.stdout
    assert len(done.stdout) < 100_000


def test_files_need_no_standard_streams(tmp_path):
    path = tmp_path / "a.txt"
    done = parakeet("transcribe", str(DIGITS), f"--output={path}", shell="<&- >&- 2>&-")
    assert done.returncode == 0
    assert path.read_text() == f"{SAID}\n"
    for command in (["transcribe", "no-such.wav"], ["transcribe", "--no-such"]):
        assert parakeet(*command, shell="2>&-").returncode > 0


@POSIX
@pytest.mark.parametrize("command", ["transcribe", "listen"])
def test_a_closed_standard_input_is_told(command):
    done = parakeet(command, "-", shell="<&-")
    assert done.returncode == 2
    assert done.stderr.startswith(b"parakeet: standard input is closed")


@POSIX
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["transcribe", str(DIGITS)], 0),
        (["models", "list"], 0),
        (["transcribe", str(DIGITS), "--model=~nobody/x"], 1),
    ],
)
def test_a_user_without_home_and_passwd_entry(command, code):
    done = parakeet(*command, program=NO_HOME + PROGRAM, XDG_CACHE_HOME="")
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


def test_escapes_are_those_of_json():
    error = UnicodeEncodeError("ascii", "a😀b", 1, 2, "no")
    assert escape(error) == ("\\ud83d\\ude00", 2)
    assert escape(UnicodeEncodeError("ascii", "\udcff", 0, 1, "no")) == (b"\xff", 1)
    decoding = UnicodeDecodeError("ascii", b"\xff", 0, 1, "no")
    with pytest.raises(UnicodeDecodeError):
        escape(decoding)


def test_a_handler_that_the_user_chose_stays():
    chosen = io.TextIOWrapper(io.BytesIO(), "cp1252", "replace")
    lose_nothing(chosen)
    assert (chosen.encoding, chosen.errors) == ("cp1252", "replace")
    strict = io.TextIOWrapper(io.BytesIO(), "ascii", "strict")
    lose_nothing(strict)
    assert (strict.encoding, strict.errors) == ("utf-8", ESCAPE)
    lose_nothing(io.StringIO())
    with pytest.raises(OptionError, match="closed"):
        ClosedOutput().write("x")
