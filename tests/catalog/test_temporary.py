import tempfile
from pathlib import Path

import pytest

from parakeet_streaming.catalog.temporary import temporary_folder
from parakeet_streaming.errors import UnavailableError


def test_the_folder_of_the_system():
    assert temporary_folder() == Path(tempfile.gettempdir())


def test_where_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(
        tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "nowhere"), "/dev/null"]
    )
    with pytest.raises(UnavailableError, match="let TMPDIR name one"):
        temporary_folder()
