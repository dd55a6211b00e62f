import os
from pathlib import Path

import pytest

from parakeet_streaming.errors import UnavailableError
from parakeet_streaming.processes import shared_memory


def test_it_is_empty_and_takes_no_room_until_it_is_written():
    memory = shared_memory.mapped(shared_memory.make(1 << 34))
    assert len(memory) == 1 << 34
    assert memory[1 << 33] == 0
    memory[1 << 33] = 7
    assert memory[1 << 33] == 7


def test_two_that_map_it_see_the_same():
    descriptor = shared_memory.make(8_192)
    copy = os.dup(descriptor)
    one, other = shared_memory.mapped(descriptor), shared_memory.mapped(copy)
    one[5_000] = 42
    shared_memory.fence()
    assert other[5_000] == 42


def test_where_there_is_no_memfd_it_is_a_file_that_nobody_finds(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    memory = shared_memory.mapped(shared_memory.make(4_096))
    memory[0] = 1
    assert list(Path(tmp_path).iterdir()) == []


def test_no_memory_is_told():
    with pytest.raises(UnavailableError, match="--io-processes"):
        shared_memory.make(-1)
