"""A result is whole, or the older one stays."""

import os
from pathlib import Path

import pytest

from parakeet_streaming.cli.output_paths import partial_path
from parakeet_streaming.cli.result_file import ResultFile
from parakeet_streaming.errors import OptionError


def test_it_grows_beside_and_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    file = ResultFile(path)
    file.write("new")
    assert (path.read_text(), partial_path(path).read_text()) == ("old", "new")
    assert file.close(whole=True) is None
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_whole_replaces_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    file = ResultFile(path)
    file.write("new")
    assert file.close(whole=False) == partial_path(path)
    assert (path.read_text(), partial_path(path).read_text()) == ("old", "new")
    assert ResultFile(path).close(whole=False, heard=False) is None
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_whole_takes_a_name_that_is_free(tmp_path):
    path = tmp_path / "a.txt"
    file = ResultFile(path)
    file.write("new")
    assert file.close(whole=False) is None
    assert path.read_text() == "new"
    path.unlink()
    assert ResultFile(path).close(whole=False, heard=False) is None
    assert list(tmp_path.iterdir()) == []


def test_it_can_begin_anew(tmp_path):
    path = tmp_path / "a.json"
    file = ResultFile(path)
    file.write("events that are longer")
    file.restart()
    file.write("whole")
    file.close(whole=True)
    assert path.read_text() == "whole"


def test_others_read_what_is_written_in_place(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    file = ResultFile(path, in_place=True)
    file.write("new")
    file.restart()
    assert path.read_text() == "new"
    file.close(whole=False)
    assert path.read_text() == "new"


@pytest.mark.parametrize(("before", "after"), [("a\n", "a\nb"), ("a", "a\nb"), ("", "b")])
def test_appending_begins_a_line(before, after, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(before)
    file = ResultFile(path, append=True)
    file.write("b")
    file.close(whole=True)
    assert path.read_text() == after


@pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
def test_a_link_stays_a_link_and_modes_stay(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    file = ResultFile(link)
    file.write("new")
    file.close(whole=True)
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)


@pytest.mark.skipif(os.name != "posix", reason="a pipe of POSIX")
def test_a_pipe_is_written_in_place(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = ResultFile(path)
    file.write("new")
    file.close(whole=True)
    assert os.read(reader, 99) == b"new"
    os.close(reader)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_told(tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="cannot write"):
        ResultFile(tmp_path / "no" / "a.txt")
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OptionError, match="permissions forbid"):
        ResultFile(path)
    assert path.read_text() == "old"


def test_a_folder_that_takes_no_new_files(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    opened = Path.open

    def no_new_files(self, *given, **named):
        if self.name.endswith(".part"):
            raise PermissionError(13, "Permission denied")
        return opened(self, *given, **named)

    monkeypatch.setattr(Path, "open", no_new_files)
    file = ResultFile(path)
    file.write("new")
    file.close(whole=True)
    assert path.read_text() == "new"
    with pytest.raises(OptionError, match="Permission denied"):
        ResultFile(tmp_path / "b.txt")


def test_a_name_that_cannot_be_taken_is_told(tmp_path, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.txt"
    file = ResultFile(path)
    file.write("new")
    monkeypatch.setattr(Path, "replace", no_room)
    with pytest.raises(OptionError, match="the result is in"):
        file.close(whole=True)
    assert partial_path(path).read_text() == "new"
