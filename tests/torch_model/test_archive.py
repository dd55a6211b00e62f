import errno
import gzip
import io
import tarfile

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError, UnavailableError
from parakeet_streaming.torch_model import archive as archive_module
from parakeet_streaming.torch_model.archive import is_archive, open_archive
from tests.torch_model.foreign import write_tar


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_members_by_name(tmp_path, mode):
    path = write_tar(tmp_path / "a.nemo", {"./a.yaml": b"one", "b": b"twothree"}, mode)
    with open_archive(path) as archive:
        assert archive.read("a.yaml") == b"one"
        with archive.open("b") as file:
            file.seek(3)
            assert file.read() == b"three"


def test_a_member_that_is_not_there(tmp_path):
    path = write_tar(tmp_path / "a.nemo", {"b": b""})
    with (
        open_archive(path) as archive,
        pytest.raises(ModelPartMissingError, match=r"lacks a\.yaml; it holds b"),
    ):
        archive.read("a.yaml")


@pytest.mark.parametrize("name", ["/etc/passwd", "../model_config.yaml", "a/../../b"])
def test_a_name_that_leaves_the_archive_is_refused(tmp_path, name):
    path = write_tar(tmp_path / "a.nemo", {"a": b"", name: b"x"})
    with pytest.raises(ModelFormatError, match="outside of itself"), open_archive(path):
        pass


def test_links_are_not_followed(tmp_path):
    path = tmp_path / "a.nemo"
    (tmp_path / "secret").write_text("secret")
    with tarfile.open(path, "w") as tar:
        for name, kind in (("hard", tarfile.LNKTYPE), ("soft", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / "secret")
            tar.addfile(member)
    with open_archive(path) as archive:
        for name in ("hard", "soft"):
            with pytest.raises(ModelPartMissingError, match="it holds no files"):
                archive.read(name)


def test_a_config_that_unpacks_to_far_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "_MOST_BYTES", 1000)
    path = write_tar(tmp_path / "a.nemo", {"a": bytes(1001), "b": bytes(1000)}, "w:gz")
    with open_archive(path) as archive:
        assert len(archive.read("b")) == 1000
        with pytest.raises(ModelFormatError, match="1001 bytes"):
            archive.read("a")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_archive_is_refused(tmp_path, mode, keep):
    content = bytes(range(256)) * 400
    path = write_tar(tmp_path / "a.nemo", {"a": content, "b": content}, mode)
    whole = path.read_bytes()
    end = len(whole) if mode == "w:gz" else 2 * (len(content) + 512)
    path.write_bytes(whole[: int(keep * end)])
    with pytest.raises(ModelFormatError, match="no whole NeMo archive"), open_archive(path) as it:
        it.read("b")


def header(name="a", kind=tarfile.REGTYPE, size=0):
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def refused(path, match):
    with pytest.raises(ModelFormatError, match=match), open_archive(path):
        pass


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_of_gigabytes_is_not_read(tmp_path, kind, packed):
    path = tmp_path / "a.nemo"
    content = header(kind=kind, size=2**31) + bytes(10_000)
    path.write_bytes(gzip.compress(content) if packed else content)
    refused(path, f"a header has more than {archive_module.MOST_HEADER_BYTES} bytes")


def test_a_few_megabytes_do_not_unpack_to_gigabytes(tmp_path):
    """It held 3.4 GB once; here the process may have little more than it has."""
    path = tmp_path / "a.nemo"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header("model_weights.ckpt", size=2**30))
        for _ in range(2**10):
            file.write(bytes(2**20))
    resource = pytest.importorskip("resource", reason="not on Windows")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(path, "unpacks to more than")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_many_members_end_within_the_budget(tmp_path):
    path = tmp_path / "a.nemo"
    path.write_bytes(b"".join(header(f"m{at}") for at in range(5000)))
    refused(path, "more than 1000 members")


def test_many_names_are_few_in_the_message(tmp_path):
    path = write_tar(tmp_path / "a.nemo", {f"{'m' * 50}{at}\x1b": b"" for at in range(900)})
    with open_archive(path) as archive, pytest.raises(ModelPartMissingError) as raised:
        archive.read("a.yaml")
    assert len(str(raised.value)) < 1200
    assert "and 890 more" in str(raised.value)
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        header(size=2**35 - 1),
        header(kind=tarfile.XHDTYPE, size=512) * 3000,
        (header(kind=tarfile.XHDTYPE, size=512) + b"9 a=aaaa\n".ljust(512, b"\x00")) * 1500,
        header(kind=tarfile.GNUTYPE_SPARSE, size=1024)[:482] + b"\x01" + bytes(29),
        header(kind=tarfile.XHDTYPE, size=4096) + b"9" * 4096,
        header(kind=tarfile.XHDTYPE, size=512) + b"0 a=\n".ljust(512, b"\x00"),
        header()[:124] + b"\x80" + b"\xff" * 11 + header()[136:],
    ],
    ids=["size", "headers", "nested headers", "sparse", "digits", "no length", "2 ** 88"],
)
def test_broken_headers_are_one_error(tmp_path, content):
    path = tmp_path / "a.nemo"
    path.write_bytes(content)
    with pytest.raises((ModelFormatError, ModelPartMissingError)), open_archive(path) as archive:
        archive.read("model_config.yaml")


def test_sizes_below_zero_do_not_go_back_for_ever(tmp_path):
    block = bytearray(header("a"))
    block[124:136] = (-1024).to_bytes(12, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\x00 ".encode()
    path = tmp_path / "a.nemo"
    path.write_bytes(header("b") * 2 + bytes(block) + bytes(1024))
    with pytest.raises((ModelFormatError, ModelPartMissingError)), open_archive(path) as archive:
        archive.read("model_config.yaml")


def test_what_is_unpacked_needs_room(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "a.nemo", {"a": b"one"}, "w:gz")
    monkeypatch.setattr(archive_module.tempfile, "TemporaryFile", Full)
    with pytest.raises(UnavailableError, match="TMPDIR"), open_archive(path):
        pass


def test_where_there_is_no_temporary_folder_it_is_told(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "a.nemo", {"a": b"one"}, "w:gz")
    monkeypatch.setattr(archive_module.tempfile, "tempdir", None)
    monkeypatch.setattr(archive_module.tempfile, "_candidate_tempdir_list", lambda: ["/dev/null"])
    with pytest.raises(UnavailableError, match="let TMPDIR name one"), open_archive(path):
        pass


class Full(io.BytesIO):
    def __init__(self, dir):
        super().__init__()

    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_is_known_by_its_first_header(tmp_path, mode):
    path = write_tar(tmp_path / "a.nemo", {"a": b"one"}, mode)
    assert is_archive(path)
    for content in (b"", b"PK\x03\x04", bytes(100), b"\x1f\x8bxx", gzip.compress(b"no tar")):
        path.write_bytes(content)
        assert not is_archive(path)
    path.write_bytes(bytes(1024))
    assert is_archive(path)
