"""A disk that is full takes nothing, and a usual folder is never filled."""

import pytest

from benchmarks.chaos.small_disk import SmallDisk, small_disk


def test_a_usual_folder_is_not_filled(tmp_path):
    with pytest.raises(RuntimeError, match="no disk of its own"):
        SmallDisk(tmp_path).fill()
    assert not list(tmp_path.iterdir())


def test_a_disk_is_filled_and_emptied():
    with small_disk() as (disk, folder):
        if disk is None:
            pytest.skip("no disk can be mounted here")
        disk.fill()
        with pytest.raises(OSError, match="No space"), (folder / "log").open("ab", 0) as log:
            log.write(b"a line")
        disk.empty()
        (folder / "log").write_bytes(b"a line")
    assert not folder.exists()
