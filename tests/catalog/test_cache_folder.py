import logging
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from parakeet_streaming.catalog import cache_folder as cache_folder_module
from parakeet_streaming.catalog.cache_folder import (
    MOST_BYTES,
    cache_folder,
    cache_in_words,
    keep_text,
    kept_text,
)

owners_only = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners here")
root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
SOMEBODY = 65534


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="where others keep it")
def test_it_is_where_the_user_keeps_such(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("x") == tmp_path / "parakeet-streaming" / "x"
    assert (tmp_path / "parakeet-streaming" / "x").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache_folder("x") == tmp_path / "home" / ".cache" / "parakeet-streaming" / "x"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="where others keep it")
@pytest.mark.parametrize("told", ["relative", ".", "../up", "~", " ", "\x1b[2J"])
def test_it_does_not_depend_on_where_the_program_was_started(monkeypatch, tmp_path, told):
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", told)
    monkeypatch.setattr(Path, "home", lambda: home)
    assert cache_folder("x") == home / ".cache" / "parakeet-streaming" / "x"
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "variable", "parts"),
    [("win32", "LOCALAPPDATA", ()), ("darwin", "HOME", ("Library", "Caches"))],
)
def test_other_systems_have_their_own_place(monkeypatch, tmp_path, platform, variable, parts):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder("x") == tmp_path.joinpath(*parts, "parakeet-streaming", "x")


def test_where_nothing_can_be_made_there_is_none(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "file"))
    assert cache_folder("x") is None


def test_a_user_without_a_home_has_none(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    assert cache_folder("x") is None


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_folder_module, "_base", lambda: tmp_path / "base")
    cache_folder_module._tell.cache_clear()
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


@owners_only
def test_what_is_made_is_for_the_user_alone(base):
    before = os.umask(0)
    try:
        folder = cache_folder("a/b")
        keep_text(folder / "c.json", "text")
    finally:
        os.umask(before)
    made = [base / "parakeet-streaming", folder.parent, folder, folder / "c.json"]
    assert not any(stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made)
    assert cache_folder("a/b") == folder
    assert cache_in_words("a/b") == str(folder)
    assert kept_text(folder / "c.json") == "text"


@owners_only
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
@pytest.mark.parametrize("place", ["", "a", "a/b", "a/b/file"])
def test_what_others_may_write_is_not_used_and_told_once(base, place, mode, caplog):
    (cache_folder("a/b") / "file").write_text("")
    there = base / "parakeet-streaming" / place
    there.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert cache_folder("a/b") is None
        assert cache_folder("a/b") is None
    (record,) = caplog.records
    assert f"others may write {there};" in record.message
    assert "XDG_CACHE_HOME" in record.message
    assert cache_in_words("a/b").startswith("none: others may write")
    there.chmod(0o700)
    assert cache_folder("a/b") is not None


@root_only
@pytest.mark.parametrize("place", ["", "a", "a/b", "a/b/file"])
def test_what_belongs_to_another_user_is_not_used(base, place, caplog):
    (cache_folder("a/b") / "file").write_text("")
    os.chown(base / "parakeet-streaming" / place, SOMEBODY, SOMEBODY)
    assert cache_folder("a/b") is None
    assert "belongs to another user" in caplog.text


@root_only
@pytest.mark.parametrize("kind", ["folder", "file", "link of another"])
def test_a_link_is_no_way_to_what_is_not_the_user_s(base, tmp_path, kind):
    folder = cache_folder("a/b")
    there = tmp_path / "there"
    if kind == "folder":
        folder.rmdir()
        there.mkdir()
        folder.symlink_to(there)
        os.chown(there, SOMEBODY, SOMEBODY)
    else:
        there.write_text("")
        (folder / "c.blob").symlink_to(there)
        os.chown(folder / "c.blob", SOMEBODY, SOMEBODY, follow_symlinks=kind != "link of another")
    assert cache_folder("a/b") is None


@owners_only
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device", "a link to a pipe"])
def test_what_is_no_file_is_not_opened(base, tmp_path, caplog, monkeypatch, kind):
    folder = cache_folder("a")
    path = folder / "c.blob"
    if kind == "a pipe":
        os.mkfifo(path, 0o600)
    elif kind == "a socket":
        monkeypatch.chdir(folder)  # the names of sockets are short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
        path.chmod(0o600)
    elif kind == "a device":
        if os.geteuid():
            pytest.skip("devices belong to root")
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe", 0o600)
        path.symlink_to(tmp_path / "pipe")
    assert cache_folder("a") is None
    assert f"{path} is no file; remove it" in caplog.text
    assert kept_text(path) is None


@owners_only
def test_the_user_s_own_links_are_followed(base, tmp_path):
    (tmp_path / "disk").mkdir(mode=0o700)
    (base / "parakeet-streaming").symlink_to(tmp_path / "disk")
    assert cache_folder("a") == base / "parakeet-streaming" / "a"
    (tmp_path / "disk/a/gone").symlink_to(tmp_path / "nowhere")
    assert cache_folder("a") is not None


@owners_only
def test_a_place_where_all_may_rename_is_not_used(base, caplog):
    base.chmod(0o777)
    assert cache_folder("a") is None
    assert f"all users may rename what is in {base}" in caplog.text
    base.chmod(0o1777)
    assert cache_folder("a") is not None
    base.parent.chmod(0o777)
    assert cache_folder("a") is None
    base.parent.chmod(0o700)


@root_only
def test_a_place_that_belongs_to_another_user_is_not_used(base):
    os.chown(base, SOMEBODY, SOMEBODY)
    assert cache_folder("a") is None


def test_a_system_without_owners_asks_for_none(base, monkeypatch):
    monkeypatch.delattr(os, "geteuid", raising=False)
    folder = cache_folder("a")
    folder.chmod(0o777)
    assert cache_folder("a") == folder


def test_a_text_that_is_none(base, tmp_path):
    folder = cache_folder("a")
    assert kept_text(folder / "missing") is None
    assert kept_text(folder) is None
    (folder / "bytes").write_bytes(b"\xff\xfe\xfa")
    assert kept_text(folder / "bytes") is None
    (folder / "long").write_bytes(b"x" * (MOST_BYTES + 1))
    assert kept_text(folder / "long") is None
    keep_text(tmp_path / "nowhere/file", "x")


@owners_only
def test_a_text_that_others_may_write_is_not_read(base):
    path = cache_folder("a") / "file"
    path.write_text("x")
    path.chmod(0o666)
    assert kept_text(path) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(base):
    path = cache_folder("a") / "file"
    os.mkfifo(path)
    assert kept_text(path) is None
    keep_text(path, "now a file")
    assert kept_text(path) == "now a file"
