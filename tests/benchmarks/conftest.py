"""Benchmarks, run as people run them or imported, and some speech for them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SAID = "three one four one five nine two six"


@pytest.fixture(scope="session")
def run():
    """Runs `benchmarks.NAME`; gives its output. A deprecation in what it imports is a failure."""
    # As in pyproject: Wyoming's library has its own from 3.13 on.
    allowed = "ignore:'audioop' is deprecated:DeprecationWarning"

    def run(name, *arguments):
        command = [sys.executable, "-W", "error", "-W", allowed, "-m", f"benchmarks.{name}"]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=REPOSITORY,
        )

    return run


@pytest.fixture(scope="session")
def random_folder(run, tmp_path_factory):
    """A model of a few layers and random weights, with both of its encoders."""
    pytest.importorskip("torch", reason="the export extra")
    folder = tmp_path_factory.mktemp("random") / "model"
    done = run("models.make_model", "--size", "tiny", "--to", folder, "--streaming", "both")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def speech(tmp_path_factory, golden_folder):
    """A folder of speech: digits that the built-in model knows, a book, and scraps of sound."""
    folder = tmp_path_factory.mktemp("speech")
    shutil.copy(REPOSITORY / "examples/recordings/digits.wav", folder)
    book = golden_folder / "audio/librivox-short.wav"
    scraps = sorted((golden_folder / "audio").glob("cut-*.wav"))[-7:]
    for path in (book, *scraps):
        shutil.copy(path, folder)
    lines = [
        _line("digits.wav", f"{SAID.capitalize()}.", "phone"),
        _line(book.name, "a book", "book"),
        _line(book.name, "never read", "book"),
        _line("absent.wav", None, "book"),
        *(_line(path.name, "one", "fsdd") for path in scraps),
    ]
    (folder / "list.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def cells():
    """Reads the markdown table that has `corner` on its top left: rows of cells, head included."""

    def cells(text, corner):
        (table,) = (each for each in text.split("\n\n") if each.startswith(f"| {corner} |"))
        rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
        return [rows[0], *rows[2:]]

    return cells


def _line(audio, text, corpus):
    return json.dumps({"audio": audio, "text": text, "speaker": "someone", "corpus": corpus})
