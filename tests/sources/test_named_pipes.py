import os
import threading

import pytest

from parakeet_streaming.errors import AudioFormatError
from parakeet_streaming.sources.named_pipes import is_named_pipe, open_named_pipe

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_what_is_a_pipe(tmp_path, pipe):
    (tmp_path / "link").symlink_to(pipe)
    (tmp_path / "dangling").symlink_to("nowhere")
    assert is_named_pipe(str(pipe))
    assert is_named_pipe(str(tmp_path / "link"))
    for other in (tmp_path, tmp_path / "dangling", "no-such", "n" * 300, "a\0b", "/dev/null"):
        assert not is_named_pipe(str(other))


def test_a_pipe_is_read_when_its_writer_comes(pipe):
    writer = threading.Timer(0.05, pipe.write_bytes, [b"sound"])
    writer.start()
    with open_named_pipe(str(pipe)) as file:
        assert file.readall() == b"sound"
    writer.join()


def test_a_pipe_that_nobody_writes_into_is_not_waited_for_for_ever(pipe):
    with pytest.raises(AudioFormatError, match="no program has opened for writing"):
        open_named_pipe(str(pipe), opening_s=0.05)
    os.close(os.open(pipe, os.O_WRONLY))  # lets the open that waits come back


def test_a_pipe_that_is_forbidden_is_named(pipe, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(AudioFormatError, match="check its permissions"):
        open_named_pipe(str(pipe))
