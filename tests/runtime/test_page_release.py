"""Pages of mapped files are released, and keep their content."""

import ctypes
import mmap

import pytest

from parakeet_streaming.runtime.page_release import MAPPINGS, release_pages, releasing_pages

SIZE = 8 * 2**20

linux_only = pytest.mark.skipif(not MAPPINGS.is_file(), reason="only Linux lists mappings")


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "weights.data"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        yield path, mapped


def resident_bytes(path):
    """How much of a mapped file this process holds."""
    lines = (MAPPINGS.parent / "smaps").read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.endswith(str(path)))
    told = next(line for line in lines[start:] if line.startswith("Rss:"))
    return 1024 * int(told.split()[1])


def resident_heap_bytes():
    """How much of what is in no file this process holds."""
    lines = (MAPPINGS.parent / "status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon:")).split()[1])


@linux_only
def test_pages_are_released_and_read_again(mapping):
    path, mapped = mapping
    with releasing_pages([path]):
        assert mapped[:].count(7) == SIZE // 256
    assert resident_bytes(path) == 0
    assert mapped[:].count(7) == SIZE // 256
    assert resident_bytes(path) == SIZE


@linux_only
def test_a_file_of_another_place_is_left_alone(mapping, tmp_path):
    path, mapped = mapping
    mapped[:].count(7)
    before = resident_bytes(path)
    assert release_pages([tmp_path, tmp_path / "weights", tmp_path / "other"]) == 0
    assert resident_bytes(path) == before
    assert release_pages([path]) == SIZE


@linux_only
def test_what_can_be_written_to_is_left_alone(tmp_path):
    path = tmp_path / "written.data"
    path.write_bytes(bytes(SIZE))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[5] = 9
        assert release_pages([path]) == 0
        assert mapped[5] == 9


@linux_only
def test_what_was_changed_in_memory_alone_is_left_alone(tmp_path):
    """As the linker does with the pages of a library that hold addresses."""
    path = tmp_path / "library.so"
    path.write_bytes(bytes(SIZE))
    c_library = ctypes.CDLL(None)
    with path.open("rb") as file:
        rights = mmap.PROT_READ | mmap.PROT_WRITE
        mapped = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=rights)
        mapped[5] = 9
        start = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(mapped)))
        assert c_library.mprotect(start, ctypes.c_size_t(SIZE), mmap.PROT_READ) == 0
    assert release_pages([path]) == 0
    assert mapped[5] == 9


@linux_only
@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED])
def test_what_can_be_executed_is_left_alone(tmp_path, flags):
    path = tmp_path / "library.so"
    path.write_bytes(bytes(SIZE))
    with path.open("rb") as file:
        rights = mmap.PROT_READ | mmap.PROT_EXEC
        with mmap.mmap(file.fileno(), 0, flags=flags, prot=rights):
            assert release_pages([path]) == 0


@linux_only
@pytest.mark.parametrize(
    "name", ["a line\nand another", "two  blanks ", "é\t", "weights (deleted)"]
)
def test_a_file_of_an_odd_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bytes(SIZE))
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped,
    ):
        assert not mapped[7]
        assert release_pages([path]) == SIZE


@linux_only
def test_free_pages_of_the_heap_are_released(tmp_path):
    c_library = ctypes.CDLL(None)
    if not hasattr(c_library, "malloc_trim"):
        pytest.skip("glibc alone gives back")
    c_library.malloc.restype = ctypes.c_void_p
    c_library.free.argtypes = (ctypes.c_void_p,)
    size, each = 64 * 2**20, 8 * 2**10
    blocks = [c_library.malloc(each) for _ in range(size // each)]
    for block in blocks:
        ctypes.memset(block, 1, each)
    # The last one stays, so that the heap cannot shrink.
    for block in blocks[:-1]:
        c_library.free(block)
    before = resident_heap_bytes()
    with releasing_pages([tmp_path]):
        pass
    assert resident_heap_bytes() < before - size // 2
    c_library.free(blocks[-1])


def test_a_system_without_a_list_of_mappings_does_nothing(tmp_path):
    with releasing_pages([tmp_path], tmp_path / "maps"):
        pass


def test_an_error_within_comes_out(tmp_path):
    with pytest.raises(KeyError), releasing_pages([tmp_path]):
        raise KeyError
