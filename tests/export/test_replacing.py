"""A new model takes the place of the earlier one whole, or not at all."""

import errno
import shutil
from pathlib import Path

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.export import replacing as replacing_module
from parakeet_streaming.export.replacing import check_room, replacing

PATTERNS = ("model*.onnx", "vocab.txt")


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def write(folder, *files, content="new"):
    for name in files:
        (folder / name).write_text(content)


def test_all_that_matches_is_replaced_and_nothing_else(tmp_path):
    write(tmp_path, "model.onnx", "model.int8.onnx", "vocab.txt", "notes.md", content="old")
    with replacing(tmp_path, PATTERNS) as folder:
        write(folder, "model.onnx", "vocab.txt")
        assert (tmp_path / "vocab.txt").read_text() == "old"
    assert names(tmp_path) == {"model.onnx", "vocab.txt", "notes.md"}
    assert (tmp_path / "model.onnx").read_text() == (tmp_path / "vocab.txt").read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()])
def test_an_error_leaves_the_earlier_model(tmp_path, error):
    write(tmp_path, "model.onnx", "vocab.txt", content="old")

    def fail():
        with replacing(tmp_path, PATTERNS) as folder:
            write(folder, "model.onnx")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert names(tmp_path) == {"model.onnx", "vocab.txt"}
    assert (tmp_path / "model.onnx").read_text() == "old"


def test_an_error_leaves_no_new_folder(tmp_path):
    def fail(target):
        with replacing(target, PATTERNS) as folder:
            write(folder, "model.onnx")
            raise OSError(errno.ENOSPC, "disk full")

    with pytest.raises(OSError, match="disk full"):
        fail(tmp_path / "a" / "b")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("at", range(4))
def test_an_error_while_names_change_leaves_the_earlier_model(tmp_path, monkeypatch, at):
    write(tmp_path, "model.onnx", "vocab.txt", content="old")
    moved = []
    replace = Path.replace

    def failing(path, place):
        if len(moved) == at:
            moved.append(path)
            raise OSError(errno.EACCES, "in use")
        moved.append(path)
        return replace(path, place)

    monkeypatch.setattr(Path, "replace", failing)

    def swap():
        with replacing(tmp_path, PATTERNS) as folder:
            write(folder, "model.onnx", "vocab.txt")

    with pytest.raises(OSError, match="in use"):
        swap()
    assert names(tmp_path) == {"model.onnx", "vocab.txt"}
    assert {path.read_text() for path in tmp_path.iterdir()} == {"old"}


def test_the_vocabulary_goes_first_and_comes_last(tmp_path, monkeypatch):
    write(tmp_path, "model.onnx", "vocab.txt", content="old")
    order = []
    replace = Path.replace

    def noting(path, place):
        order.append(path.name)
        return replace(path, place)

    monkeypatch.setattr(Path, "replace", noting)
    with replacing(tmp_path, PATTERNS) as folder:
        write(folder, "vocab.txt", "model.onnx", "z.onnx")
    assert order[0] == order[-1] == "vocab.txt"
    assert len(order) == 5


def test_room_is_counted_by_disk(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(replacing_module.shutil, "disk_usage", lambda _: usage)
    check_room([(tmp_path, 5), (tmp_path / "not" / "yet", 5)], "wait")
    with pytest.raises(OptionError, match=r"has 0\.0 GB of room, .*; wait"):
        check_room([(tmp_path, 5), (tmp_path / "not" / "yet", 6)], "wait")
