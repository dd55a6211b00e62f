"""A digest is computed once for each state of a file."""

import hashlib
import json
import os

import pytest

from parakeet_streaming.catalog import digests
from parakeet_streaming.catalog.digests import sha256


@pytest.fixture
def kept(tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir(mode=0o700)
    monkeypatch.setattr(digests, "cache_folder", lambda _: tmp_path / "cache")
    return tmp_path / "cache/sha256.json"


@pytest.fixture
def computed(monkeypatch):
    made = []

    def file_digest(file, name):
        made.append(file.name)
        return hashlib.new(name, file.read())

    monkeypatch.setattr(digests.hashlib, "file_digest", file_digest)
    return made


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    return path


def test_it_is_computed_once(kept, computed, path, tmp_path):
    expected = hashlib.sha256(b"abc").hexdigest()
    (tmp_path / "link").symlink_to(path)
    assert sha256(path) == sha256(path) == sha256(tmp_path / "link") == expected
    assert len(computed) == 1


def test_a_file_that_changed_is_computed_anew(kept, computed, path):
    first = sha256(path)
    before = path.stat()
    path.write_bytes(b"abd")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert sha256(path) == hashlib.sha256(b"abd").hexdigest() != first


def test_without_a_cache_it_is_computed_each_time(monkeypatch, computed, path):
    monkeypatch.setattr(digests, "cache_folder", lambda _: None)
    assert sha256(path) == sha256(path)
    assert len(computed) == 2


@pytest.mark.parametrize(
    "broken", ["", "[]", "null", "7", "{", "[" * 100_000, '{"PATH": 1}', '{"PATH": []}']
)
def test_a_cache_that_is_broken_is_written_anew(kept, computed, path, broken):
    kept.write_text(broken.replace("PATH", str(path)))
    assert sha256(path) == sha256(path)
    assert len(computed) == 1


def test_the_last_files_are_remembered(kept, path, tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "_MOST_FILES", 3)
    for number in range(5):
        (tmp_path / str(number)).write_bytes(b"x")
        sha256(tmp_path / str(number))
    assert [name[-1] for name in json.loads(kept.read_text())] == ["2", "3", "4"]


def test_a_file_that_changes_meanwhile_is_not_remembered(kept, path, monkeypatch):
    states = iter([[1], [2]])
    monkeypatch.setattr(digests, "_state", lambda _: next(states))
    sha256(path)
    assert not kept.exists()
