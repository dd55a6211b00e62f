import io

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.bounded_file import BoundedFile


def bounded(content=b"0123456789", most_bytes=4, most_sum_bytes=8):
    return BoundedFile(
        io.BytesIO(content), "a list", most_bytes=most_bytes, most_sum_bytes=most_sum_bytes
    )


def test_within_the_budget_it_is_the_file():
    file = bounded()
    assert file.readable()
    assert file.seekable()
    assert (file.read(4), file.tell()) == (b"0123", 4)
    file.seek(-3, io.SEEK_END)
    assert (file.read(), file.read(1)) == (b"789", b"")


@pytest.mark.parametrize("size", [5, -1, None, 2**62])
def test_a_read_that_is_too_large_reads_nothing(size):
    file = bounded()
    with pytest.raises(ModelFormatError, match="a list has more than 4 bytes"):
        file.read(size)
    assert file.tell() == 0


def test_so_are_too_many_reads():
    file = bounded()
    file.read(4)
    file.read(4)
    with pytest.raises(ModelFormatError, match="8 bytes together"):
        file.read(1)


def test_a_budget_is_lifted():
    file = bounded()
    file.lift()
    assert file.read() == b"0123456789"
