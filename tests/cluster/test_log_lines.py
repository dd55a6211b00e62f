import errno
import io
import logging
import os
from contextlib import ExitStack, closing

import pytest

from parakeet_streaming.cluster.log_lines import SentLines, received_lines

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes with a path")


def test_lines_of_several_come_whole(tmp_path):
    path, to = str(tmp_path / "log"), io.StringIO()
    with received_lines(path, to), ExitStack() as senders:
        each_way = [senders.enter_context(closing(SentLines(path))) for _ in range(3)]
        for number in range(50):
            for each in each_way:
                each.write(f"{number} {'x' * 1000}\n")
                each.flush()
    lines = to.getvalue().splitlines()
    assert sorted(lines) == sorted(3 * [f"{number} {'x' * 1000}" for number in range(50)])


def test_what_is_too_long_is_cut_and_spoils_nothing(tmp_path):
    path, to = str(tmp_path / "log"), io.StringIO()
    with received_lines(path, to), closing(SentLines(path)) as sender:
        sender.write("y" * 10_000 + "\nthe trace\n")
    assert to.getvalue().splitlines() == ["y" * 4_095, "the trace"]


def test_a_logger_writes_through_it(tmp_path):
    path, to = str(tmp_path / "log"), io.StringIO()
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "heard %d", (3,), None)
    with received_lines(path, to), closing(SentLines(path)) as sender:
        logging.StreamHandler(sender).emit(record)
    assert to.getvalue() == "heard 3\n"


def test_no_room_is_no_error_and_nobody_waits(tmp_path):
    path = str(tmp_path / "log")
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    with closing(SentLines(path)) as sender:
        for _ in range(1_000):
            sender.write("z" * 4_000 + "\n")
    os.close(pipe)


def test_lines_come_again_once_the_disk_has_room(tmp_path):
    class Disk(io.StringIO):
        full = 2

        def write(self, text):
            if self.full:
                self.full -= 1
                raise OSError(errno.ENOSPC, "no room")
            return super().write(text)

    path, to = str(tmp_path / "log"), Disk()
    with received_lines(path, to), closing(SentLines(path)) as sender:
        for word in ("one", "two", "three"):
            sender.write(f"{word}\n")
    assert to.getvalue() == "three\n"
