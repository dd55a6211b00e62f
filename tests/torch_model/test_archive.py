import tarfile

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from parakeet_streaming.torch_model import archive as archive_module
from parakeet_streaming.torch_model.archive import open_archive
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
