"""What stands in the way of writing: each is one line of ours, before anything is computed."""

import os
from pathlib import Path

import pytest

from parakeet_streaming.cli.output_paths import check_overwriting, output_paths
from parakeet_streaming.cli.report import check_writable, write_report
from parakeet_streaming.cli.result_file import ResultFile
from parakeet_streaming.cli.written_files import (
    check_folder_of,
    is_folder,
    is_regular,
    status_of,
    writing,
)
from parakeet_streaming.errors import OptionError

LONG = "n" * 300


@pytest.fixture
def forbidden(tmp_path):
    """A folder of another user, which this one may not even look into."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "there.txt").write_text("dear to someone")
    folder.chmod(0)
    if not hasattr(os, "seteuid"):
        pytest.skip("no users here")
    before = os.geteuid()
    for parent in list(tmp_path.parents)[:3] if before == 0 else []:
        parent.chmod(0o755)
    if before == 0:
        os.seteuid(65_534)
    yield folder
    os.seteuid(before)
    folder.chmod(0o700)


def open_result(path):
    ResultFile(path).close(whole=True)


def write_a_report(path):
    write_report(str(path), {"steps": []})


def choose_output(path):
    output_paths(["talk.wav"], str(path), "txt")


def choose_folder(path):
    output_paths(["talk.wav"], f"{path}/", "txt")


@pytest.mark.parametrize(
    "write", [open_result, write_a_report, check_folder_of, choose_output, choose_folder]
)
def test_a_private_folder_is_an_error_of_ours(forbidden, write):
    with pytest.raises(OptionError, match=r"Permission denied|permissions forbid"):
        write(forbidden / "new.txt")


@pytest.mark.parametrize("write", [open_result, write_a_report])
def test_a_file_in_a_private_folder_stays_as_it_is(forbidden, write):
    with pytest.raises(OptionError, match="Permission denied"):
        write(forbidden / "there.txt")


def test_what_cannot_be_looked_at_is_left_to_those_who_read_it(forbidden):
    check_overwriting(
        [str(forbidden), str(forbidden / "there.txt"), LONG, "a\0b"],
        {"--output": forbidden / "new.txt"},
    )
    assert status_of(forbidden / "there.txt") is None
    assert not is_folder(forbidden / "sub")
    assert not is_regular(forbidden / "there.txt")


@pytest.mark.parametrize(
    "write", [open_result, write_a_report, check_folder_of, choose_output, choose_folder]
)
@pytest.mark.parametrize("name", [LONG, "a\0b", "file.wav/x.txt", "no/such/x.txt"])
def test_names_that_cannot_be_are_errors_of_ours(tmp_path, write, name):
    (tmp_path / "file.wav").write_bytes(b"")
    if write is choose_folder and name.startswith("no"):
        write(tmp_path / name)  # such a folder is made
        return
    with pytest.raises(OptionError, match=r"cannot (write|make)|there is no folder"):
        write(tmp_path / name)


def test_a_link_in_a_circle(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    check_overwriting(["-"], {"--output": tmp_path / "loop" / "x"}, saved=tmp_path / "loop")
    with pytest.raises(OptionError, match="cannot write"):
        open_result(tmp_path / "loop" / "x")
    with pytest.raises(OptionError, match="cannot write"):
        check_folder_of(tmp_path / "loop" / "x")


def test_a_report_is_refused_before_it_is_computed(tmp_path):
    check_writable(None)
    check_writable(str(tmp_path / "report.json"))
    with pytest.raises(OptionError, match="too long"):
        check_writable(str(tmp_path / LONG))


def test_a_name_that_leaves_no_room_for_part_is_written_in_place(tmp_path):
    path = tmp_path / ("n" * 251 + ".txt")
    file = ResultFile(path)
    file.write("said")
    file.close(whole=True)
    assert path.read_text() == "said"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_disk_that_is_full():
    file = ResultFile(Path("/dev/full"))
    with pytest.raises(OptionError, match="No space left on device"):
        file.write("said")
    file.close(whole=False)
    with pytest.raises(OptionError, match="No space left on device"):
        write_a_report("/dev/full")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), OptionError),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"), OptionError),
        (RuntimeError("Symlink loop"), OptionError),
        (BrokenPipeError(), BrokenPipeError),
        (OptionError("mine"), OptionError),
        (TypeError("a fault"), TypeError),
    ],
)
def test_only_what_the_system_says_is_turned_into_an_error_of_ours(error, expected):
    with pytest.raises(expected), writing(Path("talk.txt")):
        raise error
