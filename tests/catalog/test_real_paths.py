"""Links lead to files of the model, or to blobs of the hub's cache."""

from pathlib import Path

import pytest

from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.real_paths import real_path, refuse_outside
from parakeet_streaming.errors import ModelFormatError
from tests.catalog.graphs import folder, in_cache_of_links, two_file_folder, weights_beside

SHARED = "ab" + "c" * 62


@pytest.fixture
def model(tmp_path):
    return two_file_folder(tmp_path / "model", config={"features_size": 128})


@pytest.fixture
def snapshot(tmp_path):
    return in_cache_of_links(weights_beside(tmp_path / "plain"), tmp_path / "hub")


def share(blob, cache, name=SHARED):
    """Moves a blob into the store that repositories share."""
    target = cache / "blobs" / name[:2] / name
    target.parent.mkdir(parents=True)
    blob.rename(target)
    blob.symlink_to(Path("../../blobs") / name[:2] / name)


@pytest.mark.parametrize("name", ["vocab.txt", "config.json", "pieces.json"])
def test_a_small_file_that_is_a_link_out_of_the_folder_is_refused(model, tmp_path, name):
    (tmp_path / "secret").write_text("hush")
    (model / name).unlink(missing_ok=True)
    (model / name).symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFormatError, match=f"{name} is a link that leads outside") as caught:
        find_parts(model)
    assert "hush" not in str(caught.value)


def test_a_link_over_a_link_and_a_folder_is_followed_to_its_end(model, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/vocab.txt").write_text("hush")
    (model / "sub").symlink_to(tmp_path / "secrets")
    (model / "vocab.txt").unlink()
    (model / "vocab.txt").symlink_to("sub/vocab.txt")
    with pytest.raises(ModelFormatError, match="leads outside"):
        find_parts(model)


def test_links_inside_the_folder_are_followed(model):
    (model / "texts").mkdir()
    for name in ("vocab.txt", "config.json"):
        (model / name).rename(model / "texts" / name)
        (model / name).symlink_to(Path("texts") / name)
    assert find_parts(model).config["features_size"] == 128


def test_a_folder_of_a_precision_may_use_what_lies_above(tmp_path):
    model = two_file_folder(tmp_path / "model")
    (model / "int8").mkdir()
    for path in model.glob("*.onnx"):
        path.rename(model / "int8" / path.name)
    (model / "int8/vocab.txt").symlink_to("../vocab.txt")
    assert find_parts(model).vocabulary == model / "vocab.txt"


def test_weights_may_be_blobs_that_repositories_share(snapshot):
    blobs = snapshot.parents[1] / "blobs"
    data = (snapshot / "encoder-model.onnx.data").resolve()
    share(data, blobs.parents[1])
    assert find_parts(snapshot).encoder.size_bytes > 4000
    shared = blobs.parents[1] / "blobs" / SHARED[:2] / SHARED
    assert real_path(snapshot / "encoder-model.onnx.data", ()) == shared


@pytest.mark.parametrize("place", ["blobs/secret", "blobs/ab/secret", "other/secret", "secret"])
def test_what_lies_beside_the_blobs_is_no_blob(snapshot, place):
    cache = snapshot.parents[2]
    (cache / place).parent.mkdir(parents=True, exist_ok=True)
    (cache / place).write_text("hush")
    link = snapshot / "link.txt"
    link.symlink_to(cache / place)
    with pytest.raises(ModelFormatError, match="leads outside"):
        refuse_outside(link, (snapshot,))


def test_another_repository_s_blobs_are_not_this_one_s(snapshot, tmp_path):
    other = snapshot.parents[2] / "models--other--model/blobs"
    folder(other)
    link = snapshot / "link.txt"
    link.symlink_to(other / "vocab.txt")
    assert real_path(link, (snapshot,)) is None


def test_blobs_that_are_a_link_are_no_blobs(snapshot, tmp_path):
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    assert real_path(snapshot / "vocab.txt", (snapshot,)) is None
