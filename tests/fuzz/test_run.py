"""The command, as people run it."""

import subprocess
import sys

import pytest

from fuzz import __main__ as command
from fuzz.catalogue import ROOT

pytest.importorskip("atheris", reason="the fuzz group")


def run(*arguments):
    line = [sys.executable, "-m", "fuzz", *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)


def test_a_target_is_run_and_told_of():
    ended = run("wav_header", "--seconds", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    head, row, *_, last = ended.stdout.splitlines()
    assert head.split() == ["target", "executions", "edges", "seconds", "findings"]
    name, executions, edges, _, findings = row.replace(",", "").split()
    assert (name, findings) == ("wav_header", "0")
    assert int(executions) > 100
    assert int(edges) > 20
    assert last.startswith("1 targets, ")


def test_a_process_that_dies_is_a_finding(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "OUT", tmp_path)
    ran = command.run_target("no_such_target", 1)
    assert ran.executions == 0
    assert "ended by itself" in ran.findings[0]
    assert "no_such_target" in capsys.readouterr().out


def test_another_name_is_refused():
    ended = run("no_such_target")
    assert ended.returncode == 2
    assert "wav_header" in ended.stderr


def test_what_a_process_died_of_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "OUT", tmp_path)
    (tmp_path / "x" / "findings").mkdir(parents=True)
    for number in range(2):
        (tmp_path / "x" / "findings" / f"crash-{number}").write_bytes(b"no WAV")
    (said,) = command._findings("wav_header", tmp_path / "x")
    assert "does not do so again" in said


def test_an_input_is_tried_again(tmp_path):
    (tmp_path / "input").write_bytes(b"no WAV")
    line = [sys.executable, "-m", "fuzz.again", "wav_header", str(tmp_path / "input")]
    ended = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert (ended.returncode, ended.stdout) == (0, "all is well\n")
