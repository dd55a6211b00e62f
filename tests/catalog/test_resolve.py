from pathlib import Path

import pytest

from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.resolve import KNOWN_MODELS, built_in_models, resolve
from parakeet_streaming.errors import ModelNotFoundError, OptionError
from tests.catalog.graphs import TINY_EN


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """What the hub is asked for, instead of asking it."""
    calls = []

    def fetch(repo_id, **options):
        calls.append((repo_id, options))
        return Path("fetched")

    monkeypatch.setattr(hub, "fetch", fetch)
    return calls


def test_the_built_in_model_is_there():
    assert resolve("tiny-en") == TINY_EN == built_in_models()["tiny-en"]
    assert find_parts(resolve("tiny-en")).layout == "two-file"


def test_what_is_built_in_and_no_recognizer_is_no_model():
    assert (BUILT_IN_FOLDER / "silero-vad").is_dir()
    assert "silero-vad" not in built_in_models()


@pytest.mark.parametrize("kind", [str, Path])
def test_a_folder_is_itself(tmp_path, kind, asked):
    assert resolve(kind(tmp_path)) == tmp_path
    assert asked == []


def test_a_folder_wins_over_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tiny-en", "parakeet-tdt-0.6b-v3", "org/name"):
        (tmp_path / name).mkdir(parents=True)
        assert resolve(name) == Path(name)


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "model").mkdir()
    assert resolve("~/model") == tmp_path / "model"


def test_a_path_object_never_means_a_name(asked):
    assert resolve(Path("org/name")) == Path("org/name")
    assert asked == []


@pytest.mark.parametrize("name", KNOWN_MODELS)
def test_known_names_are_hub_ids(name, asked):
    assert resolve(name, precision="fp32") == Path("fetched")
    options = {"revision": None, "precision": "fp32", "update": False}
    assert asked == [(KNOWN_MODELS[name], options)]


@pytest.mark.parametrize(
    ("source", "revision"),
    [("org/na.me-1", None), ("org/na.me-1@v2", None), ("org/na.me-1", "v2")],
)
def test_hub_ids(source, revision, asked):
    assert resolve(source, revision=revision, update=True) == Path("fetched")
    ((repo_id, options),) = asked
    assert repo_id == "org/na.me-1"
    assert options["revision"] == ("v2" if "@" in source or revision else None)
    assert options["update"]


def test_a_known_name_with_a_revision(asked):
    resolve("parakeet-tdt-0.6b-v2@main")
    assert asked[0][0] == "istupakov/parakeet-tdt-0.6b-v2-onnx"
    assert asked[0][1]["revision"] == "main"


@pytest.mark.parametrize(
    ("source", "meant"), [("tiny_en", "tiny-en"), ("parakeet-tdt-0.6b", "parakeet-tdt-0.6b-v")]
)
def test_a_misspelt_name_is_guessed(source, meant, asked):
    with pytest.raises(ModelNotFoundError, match=f"did you mean {meant}.*there are tiny-en, par"):
        resolve(source)
    assert asked == []


@pytest.mark.parametrize("source", ["qwerty", "/no/such/folder", "./missing", "a/b/c", ""])
def test_what_is_nothing_is_refused_without_asking_the_hub(source, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError, match="no folder and no model") as caught:
        resolve(source)
    assert "did you mean" not in str(caught.value)
    assert asked == []


@pytest.mark.parametrize("source", ["tiny-en", str(TINY_EN), TINY_EN])
def test_a_revision_needs_the_hub(source):
    with pytest.raises(OptionError, match="has no revision"):
        resolve(source, revision="v1")


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["n" * 256, "n" * 5_000, "a/" * 3_000, "~nobody-at-all/model"])
def test_names_that_no_folder_can_have(name, kind, asked):
    """As text they may be names of models, as a path they are that of no folder."""
    if kind is Path:
        with pytest.raises(ModelNotFoundError, match="there is no folder"):
            find_parts(resolve(Path(name)))
    elif "nobody" in name:
        with pytest.raises(ModelNotFoundError, match="no folder and no model called"):
            resolve(name)
    else:
        with pytest.raises(ModelNotFoundError) as raised:
            resolve(name)
        assert len(str(raised.value)) < 400
