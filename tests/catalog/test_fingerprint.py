"""Equal files have equal fingerprints, whatever they are called; others have others."""

import shutil

import pytest

from parakeet_streaming.catalog.fingerprint import fingerprint
from parakeet_streaming.catalog.model_folder import find_parts
from tests.catalog.graphs import GOLDEN, TINY_EN


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(GOLDEN, tmp_path / "other-name")


def test_a_copy_under_another_name_is_the_same(folder):
    assert fingerprint(find_parts(folder)) == fingerprint(find_parts(GOLDEN))
    assert len(fingerprint(find_parts(GOLDEN))) == 32


def test_another_model_is_another():
    assert fingerprint(find_parts(TINY_EN)) != fingerprint(find_parts(GOLDEN))


@pytest.mark.parametrize("part", ["encoder", "decoder", "vocabulary"])
def test_a_part_with_other_weights_makes_another(folder, part):
    before = fingerprint(find_parts(folder))
    parts = find_parts(folder)
    path = parts.vocabulary if part == "vocabulary" else getattr(parts, part).path
    size = path.stat().st_size
    with path.open("r+b") as file:
        # Of a large file samples count, so most of it is written over, as other weights would.
        start = size // 2 if part != "vocabulary" else 0
        file.seek(start)
        data = file.read()
        file.seek(start)
        file.write(bytes(byte ^ 1 for byte in data))
    assert fingerprint(parts) != before


def test_one_byte_of_a_small_file_counts(folder):
    parts = find_parts(folder)
    before = fingerprint(parts)
    with parts.vocabulary.open("r+b") as file:
        file.seek(-2, 2)
        byte = file.read(1)
        file.seek(-2, 2)
        file.write(bytes([byte[0] ^ 1]))
    assert fingerprint(parts) != before


def test_types_of_pieces_make_another(folder):
    before = fingerprint(find_parts(folder))
    (folder / "pieces.json").write_text("{}")
    assert fingerprint(find_parts(folder)) != before
