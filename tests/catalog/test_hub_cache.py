"""Snapshots lie in the cache by their real paths; what else lies there is passed over."""

import os
from pathlib import Path

import pytest

from parakeet_streaming.catalog.hub_cache import (
    blob_folders,
    cached_snapshots,
    check_ref,
    check_snapshot,
    snapshot_bytes,
)
from parakeet_streaming.errors import ModelFormatError

NAME = "acme/good"
COMMIT, OLDER = "9" * 40, "8" * 40


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "hub/models--acme--good"
    for name in ("refs", "blobs", f"snapshots/{COMMIT}", f"snapshots/{OLDER}"):
        (home / name).mkdir(parents=True)
    (home / "refs/main").write_text(COMMIT)
    os.utime(home / "snapshots" / OLDER, (1, 1))
    return home


def test_snapshots_of_a_model_the_latest_first(home):
    (found,) = cached_snapshots(home.parent)
    assert found == (NAME, (home / "snapshots" / COMMIT, home / "snapshots" / OLDER))


def test_a_cache_that_is_itself_a_link(home, tmp_path):
    (tmp_path / "link").symlink_to(home.parent)
    ((_, (first, _)),) = cached_snapshots(tmp_path / "link")
    check_snapshot(tmp_path / "link", NAME, first)


def test_odd_things_in_a_cache_are_passed_over(home, tmp_path):
    cache = home.parent
    (cache / "models--a--file").write_text("")
    (cache / "models--noslash").mkdir()
    (cache / "datasets--acme--good").mkdir()
    (cache / "models--..--..").mkdir()
    (cache / "models--a--b\nc").mkdir()
    (cache / "models--a--empty").mkdir()
    (cache / "models--a--bare/snapshots").mkdir(parents=True)
    (cache / "models--a--bare/snapshots/main").mkdir()
    (cache / "models--a--bare/snapshots" / COMMIT).write_text("a file")
    (cache / "models--a--loop").symlink_to(cache / "models--a--loop")
    (cache / "models--a--nowhere").symlink_to(tmp_path / "nowhere")
    (cache / "models--a--elsewhere").symlink_to(home)
    (home / "snapshots" / ("7" * 40)).symlink_to(tmp_path)
    (home / "snapshots" / ("6" * 40)).symlink_to(home / "snapshots" / COMMIT)
    (home / "refs/gone").write_text("5" * 40)
    (home / "refs/bytes").write_bytes(b"\xff\xfe")
    if hasattr(os, "mkfifo"):
        os.mkfifo(cache / "models--a--pipe")
        os.mkfifo(home / "refs/pipe")
        os.mkfifo(home / "snapshots" / ("4" * 40))
    found = {name: len(snapshots) for name, snapshots in cached_snapshots(cache)}
    assert found == {NAME: 2, "a/empty": 0, "a/bare": 0, "a/elsewhere": 0}


def test_no_cache_has_no_models(tmp_path):
    (tmp_path / "file").write_text("")
    assert not list(cached_snapshots(tmp_path / "nowhere"))
    assert not list(cached_snapshots(tmp_path / "file"))


def test_a_snapshot_is_as_large_as_what_its_links_lead_to(home):
    snapshot = home / "snapshots" / COMMIT
    (home / "blobs/1").write_bytes(bytes(30))
    (snapshot / "a").symlink_to("../../blobs/1")
    (snapshot / "gone").symlink_to("../../blobs/2")
    (snapshot / "sub").mkdir()
    (snapshot / "sub/b").write_bytes(bytes(4))
    assert snapshot_bytes(snapshot) == 34


@pytest.mark.parametrize("revision", ["main", "missing", "main/below", "refs", COMMIT])
def test_a_commit_or_nothing(home, revision):
    (home / "refs/refs").mkdir()
    check_ref(home.parent, NAME, revision)
    check_ref(home.parent, "no/such", revision)


@pytest.mark.parametrize(
    "said",
    [
        *(b"../../../elsewhere", b"/etc", b".", b"", b"main", b"9" * 39, b"9" * 41, b"G" * 40),
        *(b"9" * 40 + b"/../x", b"\xff" * 40, bytes(40), b"9" * 5_000_000),
    ],
    ids=lambda said: said[:50].decode("latin-1"),
)
def test_a_ref_that_says_something_else_is_refused_without_its_words(home, said):
    (home / "refs/main").write_bytes(said)
    with pytest.raises(ModelFormatError, match="names no commit; remove it") as caught:
        check_ref(home.parent, NAME, "main")
    assert "elsewhere" not in str(caught.value)


@pytest.mark.parametrize("kind", ["pipe", "nowhere", "loop", "a secret"])
def test_a_ref_that_is_no_file_is_refused(home, tmp_path, kind):
    ref = home / "refs/odd"
    if kind == "pipe":
        pytest.importorskip("fcntl", reason="no pipes here")
        os.mkfifo(ref)
    elif kind == "a secret":
        (tmp_path / "secret").write_text("hush")
        ref.symlink_to(tmp_path / "secret")
    else:
        ref.symlink_to(ref if kind == "loop" else tmp_path / kind)
    with pytest.raises(ModelFormatError, match="names no commit") as caught:
        check_ref(home.parent, NAME, "odd")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("way", ["../..", "../../../elsewhere", "../blobs", ".", f"{COMMIT}/sub"])
def test_a_way_out_of_the_snapshots_is_refused(home, tmp_path, way):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ModelFormatError, match="does not lie in the hub's cache"):
        check_snapshot(home.parent, NAME, home / "snapshots" / way)


@pytest.mark.parametrize("place", ["home", "snapshots", "snapshot", "loop"])
def test_a_link_out_of_the_cache_is_refused(home, tmp_path, place):
    there = home / "snapshots" / COMMIT
    linked = {"home": home, "snapshots": home / "snapshots"}.get(place, there)
    linked.rename(tmp_path / "elsewhere")
    linked.symlink_to(linked if place == "loop" else tmp_path / "elsewhere")
    with pytest.raises(ModelFormatError, match="does not lie in the hub's cache"):
        check_snapshot(home.parent, NAME, there)


def test_where_links_may_lead(home, tmp_path):
    expected = ((home / "blobs", home.parent / "blobs"),)
    assert blob_folders(home / "snapshots" / COMMIT / "int8/x.onnx") == expected
    assert blob_folders(tmp_path / "x.onnx") == ()
    assert blob_folders(Path("snapshots/x.onnx")) == ()
