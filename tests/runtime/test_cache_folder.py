import sys
from pathlib import Path

import pytest

from parakeet_streaming.runtime.cache_folder import cache_folder


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="where others keep it")
def test_it_is_where_the_user_keeps_such(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("x") == tmp_path / "parakeet-streaming" / "x"
    assert (tmp_path / "parakeet-streaming" / "x").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert cache_folder("x") == tmp_path / "home" / ".cache" / "parakeet-streaming" / "x"


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
