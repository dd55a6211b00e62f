import errno
import os
import socket
import struct
from pathlib import Path

import pytest

from parakeet_streaming.catalog.file_reading import (
    exists,
    open_file,
    read_bytes,
    read_object,
    reading,
    refuse_pointer,
)
from parakeet_streaming.errors import (
    FileAccessError,
    ModelFormatError,
    ModelPartMissingError,
    OptionError,
)
from tests.another_user import as_somebody_else, folder_for_all

READERS = [open_file, read_bytes, read_object, refuse_pointer]


@pytest.fixture
def open_folder():
    """A folder that every user can reach."""
    with folder_for_all() as folder:
        yield folder


@pytest.mark.parametrize("read", READERS)
def test_a_file(tmp_path, read):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf{}")
    (tmp_path / "link").symlink_to("a")
    for name in ("a", "link"):
        found = read(tmp_path / name)
        if read is open_file:
            with found:
                assert found.read() == b"\xef\xbb\xbf{}"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["no", "file/no", "link"])
def test_what_is_not_there(tmp_path, read, name):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("nowhere")
    said = "is a link to a file that is not there" if name == "link" else "is missing"
    with pytest.raises(ModelPartMissingError, match=f"{name} {said}"):
        read(tmp_path / name)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a socket", "a device", "a link to a pipe"])
def test_what_is_no_file(tmp_path, monkeypatch, read, kind):
    path = tmp_path / "m.onnx"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        monkeypatch.chdir(tmp_path)  # the names of sockets are short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    with pytest.raises(ModelFormatError, match=rf"m\.onnx is {kind.removeprefix('a link to ')}"):
        read(path)


def test_a_file_that_becomes_a_pipe_makes_nobody_wait(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    before = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda _: before)
    with pytest.raises(ModelFormatError, match="is a pipe"):
        open_file(tmp_path / "pipe")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("links", [("a",), ("b", "a")])
def test_links_in_a_circle(tmp_path, read, links):
    for name, target in zip(("a", "b"), links, strict=False):
        (tmp_path / name).symlink_to(target)
    with pytest.raises(ModelFormatError, match="leads back to itself"):
        read(tmp_path / "a")


@pytest.mark.parametrize("before", ["", "-", "[[", '{"b": '])
def test_a_number_of_thousands_of_digits(tmp_path, before):
    """Without Python's advice how to read it after all."""
    (tmp_path / "a.json").write_text(f'{{"a": {before}{"9" * 5_000}}}')
    with pytest.raises(ModelFormatError, match=r"a number in it has thousands of digits\)$"):
        read_object(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("leads", "error", "said"),
    [
        ("nowhere", ModelPartMissingError, "not there"),
        ("file/x", ModelPartMissingError, "not there"),
        ("a", ModelFormatError, "back to itself"),
        ("b", ModelFormatError, "back to itself"),
    ],
)
def test_a_link_that_leads_nowhere_is_no_nothing(tmp_path, leads, error, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "a").symlink_to(leads)
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(error, match=said):
        exists(tmp_path / "a")
    assert not exists(tmp_path / "c")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", ["n" * 256, "n" * 5_000, f"{'n' * 300}/m.onnx", "n/" * 3_000])
def test_a_name_that_no_file_can_have(tmp_path, read, name):
    with pytest.raises(ModelPartMissingError, match=r"is longer than names|is missing") as raised:
        read(tmp_path / name)
    assert len(str(raised.value)) < 8_000
    assert not exists(tmp_path / name)


@pytest.mark.parametrize("read", [*READERS, exists])
@pytest.mark.parametrize("private", ["file", "folder"])
def test_what_may_not_be_read(open_folder, read, private):
    path = open_folder / "model" / "m.onnx"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    (path if private == "file" else path.parent).chmod(0)
    with as_somebody_else():
        if read is exists and private == "file":
            assert exists(path)
            return
        with pytest.raises(FileAccessError, match=r"m\.onnx may not be read by this user"):
            read(path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
@pytest.mark.parametrize("read", READERS[1:])
def test_a_file_that_fails_when_it_is_read(read):
    with pytest.raises(FileAccessError, match="/proc/self/mem cannot be read"):
        read(Path("/proc/self/mem"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EIO, FileAccessError),
        (errno.EMFILE, FileAccessError),
        (errno.ESTALE, FileAccessError),
        (errno.EPERM, FileAccessError),
        (errno.ENOENT, ModelPartMissingError),
        (errno.ENOTDIR, ModelPartMissingError),
        (errno.ELOOP, ModelFormatError),
    ],
)
def test_what_the_system_says_is_told_by_what_can_be_done(code, error):
    with pytest.raises(error, match="m/x") as raised, reading(Path("m")):
        raise OSError(code, os.strerror(code), b"m/x" if code == errno.EIO else "m/x")
    assert isinstance(raised.value.__cause__, OSError)
    with pytest.raises(error, match="m"), reading(Path("m")):
        raise OSError(code, os.strerror(code), 3)


@pytest.mark.parametrize(
    "cause",
    [
        IndexError("list index out of range"),
        KeyError("w"),
        ValueError("of no use"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        TypeError("of no use"),
        OverflowError("too large"),
        ZeroDivisionError("by zero"),
        RecursionError("maximum recursion depth"),
        MemoryError(),
        EOFError(),
        StopIteration(),
        struct.error("unpack"),
        OSError("of a parser"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_what_content_provokes_is_one_error_with_its_cause(cause):
    said = r"^m is no such thing; fetch it again \("
    with (
        pytest.raises(ModelFormatError, match=said) as raised,
        reading(Path("m"), "is no such thing"),
    ):
        raise cause
    assert raised.value.__cause__ is cause


@pytest.mark.parametrize("error", [AttributeError, NameError, AssertionError, KeyboardInterrupt])
def test_our_own_mistakes_are_not_the_file_s(error):
    with pytest.raises(error), reading(Path("m")):
        raise error


def test_an_error_of_ours_stays_as_it_is():
    with pytest.raises(OptionError, match="as it is"), reading(Path("m")):
        raise OptionError("as it is")


def test_a_long_reason_is_cut():
    with pytest.raises(ModelFormatError) as raised, reading(Path("m")):
        raise ValueError("x" * 10_000 + "\nand more")
    assert len(str(raised.value)) < 300


def test_a_file_that_is_too_large(tmp_path):
    (tmp_path / "m").write_bytes(b"x" * 11)
    assert len(read_bytes(tmp_path / "m", 11)) == 11
    with pytest.raises(ModelFormatError, match="m is larger than 10 bytes"):
        read_bytes(tmp_path / "m", 10)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 1}{',
    ],
)
def test_what_is_no_json(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ModelFormatError, match="m is no JSON; fetch it again"):
        read_object(tmp_path / "m")


@pytest.mark.parametrize("content", [b"[]", b"1", b"null", b'"text"', b"NaN"])
def test_json_that_is_no_object(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ModelFormatError, match="holds no JSON object"):
        read_object(tmp_path / "m")


@pytest.mark.parametrize("read", READERS[1:])
def test_a_pointer_of_git_lfs(tmp_path, read):
    (tmp_path / "m").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
    with pytest.raises(ModelFormatError, match="git lfs pull"):
        read(tmp_path / "m")
