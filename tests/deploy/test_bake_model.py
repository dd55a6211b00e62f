"""The step of the image that puts a model into it."""

import importlib.util
import shutil

import pytest

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.errors import ModelNotFoundError
from parakeet_streaming.load import load
from tests.deploy.deployed import DEPLOY


@pytest.fixture(scope="module")
def bake():
    made = importlib.util.spec_from_file_location("bake_model", DEPLOY / "bake_model.py")
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module.bake


def test_the_built_in_one_is_there_already(bake, tmp_path):
    bake(tmp_path / "models", "tiny-en", None, "auto")
    assert list((tmp_path / "models").iterdir()) == []


def test_another_one_is_found_by_its_name(bake, tmp_path, monkeypatch):
    """As in the hub's cache, its files are links."""
    cache = tmp_path / "cache"
    (cache / "org" / "mine").mkdir(parents=True)
    blobs = shutil.copytree(BUILT_IN_FOLDER / "tiny-en", tmp_path / "blobs")
    for path in blobs.iterdir():
        (cache / "org" / "mine" / path.name).symlink_to(path)
    monkeypatch.chdir(cache)
    bake(tmp_path / "models", "org/mine", None, "auto")
    shutil.rmtree(cache)
    shutil.rmtree(blobs)
    monkeypatch.chdir(tmp_path / "models")
    assert load("org/mine") is not None


def test_one_that_is_not_there_makes_no_image(bake, tmp_path):
    with pytest.raises(ModelNotFoundError):
        bake(tmp_path / "models", "no model", None, "auto")
