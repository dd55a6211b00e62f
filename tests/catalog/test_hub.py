import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import onnx
import pytest
from huggingface_hub import constants, errors
from onnx import helper

from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.pinned import Pin
from parakeet_streaming.errors import (
    DownloadError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    OptionError,
)
from tests.catalog.graphs import (
    decoder,
    decoder_joint,
    encoder,
    external,
    folder,
    joiner,
    two_file_folder,
)

REPO = "someone/parakeet-onnx"


class FakeHub:
    """One repository and a cache, on this disk; counts how often it is asked over the network."""

    def __init__(self, root: Path) -> None:
        self.repository = root / "repository"
        self.cache = root / "cache"
        self.asked: list[str] = []
        self.error: Exception | None = None

    def list_repo_files(self, repo_id, *, revision=None):
        self._ask(f"list {repo_id}@{revision}")
        files = (path for path in self.repository.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.repository).as_posix() for path in files)

    def snapshot_download(
        self, repo_id, *, revision=None, allow_patterns=None, local_files_only=False
    ):
        target = self.cache / f"models--{repo_id.replace('/', '--')}/snapshots/{revision or 'main'}"
        if local_files_only:
            if not target.exists():
                raise errors.LocalEntryNotFoundError("not cached")
            return str(target)
        self._ask(f"download {repo_id}@{revision}")
        for path in self.repository.rglob("*"):
            name = path.relative_to(self.repository).as_posix()
            if path.is_file() and any(fnmatch.fnmatch(name, each) for each in allow_patterns):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / name)
        return str(target)

    def _ask(self, question):
        if self.error is not None:
            raise self.error
        self.asked.append(question)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    fake = FakeHub(tmp_path)
    fake.repository.mkdir()
    fake.cache.mkdir()
    monkeypatch.setattr(huggingface_hub, "list_repo_files", fake.list_repo_files)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(fake.cache))
    monkeypatch.setattr(hub, "answer_or_unreachable", lambda call, *_: call())
    return fake


def both_precisions(fake):
    folder(
        fake.repository,
        config={"features_size": 128},
        encoder_int8=encoder(),
        decoder_joint_int8=decoder_joint(),
        decoder_joint=decoder_joint(),
        nemo128=encoder(),
    )
    whole = encoder()
    whole.graph.initializer.append(external("w", "weights.0", 40))
    whole.graph.initializer.append(external("v", "weights.1", 40))
    onnx.save_model(whole, fake.repository / "encoder.onnx")
    for name in ("weights.0", "weights.1", "weights.2", "README.md", "clip.wav"):
        (fake.repository / name).write_bytes(bytes(40))


def test_auto_fetches_int8_and_nothing_else(fake):
    both_precisions(fake)
    got = hub.fetch(REPO)
    assert sorted(path.name for path in got.iterdir()) == [
        "config.json",
        "decoder_joint.int8.onnx",
        "encoder.int8.onnx",
        "vocab.txt",
    ]
    assert find_parts(got).encoder.precision == "int8"


def test_types_of_pieces_are_fetched(fake):
    both_precisions(fake)
    (fake.repository / "pieces.json").write_text("{}")
    assert (hub._download(REPO, None, "auto") / "pieces.json").is_file()


def test_fp32_brings_the_weights_that_its_graph_names(fake):
    both_precisions(fake)
    got = hub.fetch(REPO, precision="fp32")
    assert sorted(path.name for path in got.iterdir()) == [
        "config.json",
        "decoder_joint.onnx",
        "encoder.onnx",
        "vocab.txt",
        "weights.0",
        "weights.1",
    ]
    assert find_parts(got, "fp32").encoder.size_bytes > 80


def test_auto_takes_what_there_is(fake):
    folder(fake.repository, encoder=encoder(), decoder_joint=decoder_joint())
    assert find_parts(hub.fetch(REPO)).encoder.precision == "fp32"


def test_a_three_file_repository(fake):
    folder(
        fake.repository,
        encoder_int8=encoder(),
        decoder_int8=decoder(),
        joiner_int8=joiner(),
    )
    (fake.repository / "vocab.txt").rename(fake.repository / "tokens.txt")
    (fake.repository / "test_wavs").mkdir()
    (fake.repository / "test_wavs/0.wav").write_bytes(b"x")
    parts = find_parts(hub.fetch(REPO))
    assert (parts.layout, parts.vocabulary.name) == ("three-file", "tokens.txt")
    assert not (parts.folder / "test_wavs").exists()


def test_files_in_folders_by_precision(fake):
    folder(fake.repository / "int8", encoder=encoder(), decoder_joint=decoder_joint())
    folder(fake.repository / "fp16", encoder=encoder(), decoder_joint=decoder_joint())
    folder(fake.repository / "old/deep", encoder_int8=encoder())
    got = hub.fetch(REPO, precision="fp16")
    assert find_parts(got, "fp16").encoder.path == got / "fp16/encoder.onnx"
    assert not (got / "int8/encoder.onnx").exists()
    assert not (got / "old").exists()


def test_what_is_cached_needs_no_network(fake):
    both_precisions(fake)
    first = hub.fetch(REPO)
    fake.error = errors.OfflineModeIsEnabled("offline")
    assert hub.fetch(REPO) == hub.fetch(REPO, precision="int8") == first
    with pytest.raises(DownloadError, match=r"offline mode is on \(HF_HUB_OFFLINE\).*folder"):
        hub.fetch(REPO, precision="fp32")


def test_a_cache_without_all_weights_is_completed(fake):
    both_precisions(fake)
    got = hub.fetch(REPO, precision="fp32")
    (got / "weights.1").unlink()
    assert (hub.fetch(REPO, precision="fp32") / "weights.1").exists()


def test_update_asks_again(fake):
    both_precisions(fake)
    hub.fetch(REPO)
    fake.asked.clear()
    hub.fetch(REPO)
    assert fake.asked == []
    hub.fetch(REPO, update=True)
    assert fake.asked == [f"list {REPO}@None", f"download {REPO}@None"]


@pytest.mark.parametrize(
    ("repo_id", "revision"), [(f"{REPO}@v1", None), (REPO, "v1"), (f"{REPO}@v1", "v1")]
)
def test_a_revision_can_be_pinned(fake, repo_id, revision):
    both_precisions(fake)
    assert hub.fetch(repo_id, revision=revision).name == "v1"
    assert set(fake.asked) == {f"list {REPO}@v1", f"download {REPO}@v1"}


def test_two_revisions_are_refused():
    with pytest.raises(OptionError, match="another revision"):
        hub.fetch(f"{REPO}@v1", revision="v2")


def test_a_precision_that_is_not_offered(fake):
    both_precisions(fake)
    with pytest.raises(ModelPartMissingError, match="no fp16 encoder; there is fp32, int8"):
        hub.fetch(REPO, precision="fp16")
    with pytest.raises(OptionError):
        hub.fetch(REPO, precision="bf16")


def test_a_repository_without_onnx(fake):
    (fake.repository / "parakeet-tdt-0.6b-v3.nemo").write_bytes(b"x")
    with pytest.raises(ModelFormatError, match=r"no ONNX encoder; .*parakeet export.*istupakov"):
        hub.fetch(REPO)


def answer(status):
    return SimpleNamespace(
        headers={}, request=SimpleNamespace(url="u", method="GET"), status_code=status
    )


@pytest.mark.parametrize(
    ("error", "ours", "said"),
    [
        (errors.GatedRepoError("no", response=answer(403)), ModelNotFoundError, "terms"),
        (errors.RepositoryNotFoundError("no", response=answer(404)), ModelNotFoundError, "no such"),
        (errors.RevisionNotFoundError("no", response=answer(404)), ModelNotFoundError, "commits"),
        (errors.HFValidationError("odd"), ModelNotFoundError, "check the spelling"),
        (errors.HfHubHTTPError("500 Server", response=answer(500)), DownloadError, "500 Server"),
        (errors.LocalEntryNotFoundError("nothing"), DownloadError, "no answer from the hub"),
        (ConnectionError("refused\nmore"), DownloadError, r"\(refused\)"),
        (TimeoutError(), DownloadError, "TimeoutError"),
        (RuntimeError("of a HTTP library"), DownloadError, "of a HTTP library"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors_of_the_hub_become_ours(fake, error, ours, said):
    fake.error = error
    with pytest.raises(ours, match=said) as caught:
        hub.fetch(REPO)
    assert caught.value.__cause__ is error


def test_a_broken_download_is_told_as_such(fake):
    both_precisions(fake)
    (fake.repository / "encoder.int8.onnx").write_bytes(b"junk")
    with pytest.raises(ModelFormatError, match="no whole ONNX"):
        hub.fetch(REPO)


def cached(cache, repo_id, *snapshots):
    """Folders as snapshots of a repository, the latest first."""
    home = cache / f"models--{repo_id.replace('/', '--')}/snapshots"
    found = []
    for age, path in enumerate(snapshots):
        shutil.copytree(path, home / (str(age) * 40))
        os.utime(home / (str(age) * 40), (1e9 - age, 1e9 - age))
        found.append(home / (str(age) * 40))
    return found


def test_cached_models_are_those_that_are_whole(fake, tmp_path):
    whole = folder(tmp_path / "a", encoder=encoder(), decoder_joint=decoder_joint())
    partial = folder(tmp_path / "c", encoder=encoder())
    text = folder(tmp_path / "d")
    latest, _ = cached(fake.cache, "z/whole", whole, whole)
    _, older = cached(fake.cache, "a/fallen-back", partial, whole)
    cached(fake.cache, "b/partial", partial)
    cached(fake.cache, "c/text", text)
    models = hub.cached_models()
    assert [(model.repo_id, model.folder) for model in models] == [
        ("a/fallen-back", older),
        ("z/whole", latest),
    ]
    assert models[0].size_bytes == sum(path.stat().st_size for path in whole.iterdir())


@pytest.mark.parametrize("error", [IndexError("x"), PermissionError("x"), RecursionError("x")])
def test_a_model_that_cannot_be_read_is_no_end_of_the_list(fake, tmp_path, monkeypatch, error):
    whole = folder(tmp_path / "a", encoder=encoder(), decoder_joint=decoder_joint())
    cached(fake.cache, "a/odd", whole)
    cached(fake.cache, "b/whole", whole)

    def find(path, precision):
        if "a--odd" in str(path):
            raise error
        return find_parts(path, precision)

    monkeypatch.setattr(hub, "find_parts", find)
    odd, sound = hub.cached_models()
    assert (odd.repo_id, sound.repo_id, sound.fault) == ("a/odd", "b/whole", None)
    assert "cannot be read" in odd.fault


def test_a_cache_as_the_real_client_lays_it_out(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    commit = "9" * 40
    root = tmp_path / "models--someone--parakeet-onnx"
    for name in ("refs", "blobs", f"snapshots/{commit}"):
        (root / name).mkdir(parents=True)
    (root / "refs/main").write_text(commit)
    two_file_folder(root / "blobs")
    snapshot = root / "snapshots" / commit
    for path in (root / "blobs").iterdir():
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    assert hub.fetch(REPO) == hub.fetch(f"{REPO}@{commit}") == snapshot
    (model,) = hub.cached_models()
    assert (model.repo_id, model.folder) == (REPO, snapshot)


@pytest.fixture
def real(tmp_path, monkeypatch):
    """A cache as the real client lays it out, with a model in it and one beside it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "answer_or_unreachable", lambda call, *_: call())
    home = tmp_path / "hub/models--acme--good"
    two_file_folder(home / "snapshots" / ("9" * 40))
    two_file_folder(tmp_path / "elsewhere")
    (home / "refs").mkdir()
    (home / "refs/main").write_text("9" * 40)
    (tmp_path / "hub/way").write_text("../../../elsewhere")
    return home


@pytest.mark.parametrize(
    "revision", ["../../way", "../../../hub/way", "../refs/main", "/etc/hostname", ".", "a/../main"]
)
def test_a_revision_is_no_way_to_another_folder(real, revision):
    for call in (
        lambda: hub.fetch(f"acme/good@{revision}"),
        lambda: hub.fetch("acme/good", revision=revision),
    ):
        with pytest.raises(OptionError, match="is no revision"):
            call()


def test_a_ref_is_no_way_to_another_folder(real):
    assert hub.fetch("acme/good").name == "9" * 40
    (real / "refs/main").write_text("../../../elsewhere")
    with pytest.raises(ModelFormatError, match="names no commit"):
        hub.fetch("acme/good")


def test_a_snapshot_that_is_a_link_is_no_way_to_another_folder(real, tmp_path):
    shutil.rmtree(real / "snapshots" / ("9" * 40))
    (real / "snapshots" / ("9" * 40)).symlink_to(tmp_path / "elsewhere")
    for revision in (None, "9" * 40):
        with pytest.raises(ModelFormatError, match="does not lie in the hub's cache"):
            hub.fetch("acme/good", revision=revision)
    assert hub.cached_models() == ()


@pytest.mark.parametrize("name", ["../x", "a/../../b", "a", "a/b/c", "a/b\n"])
def test_a_name_is_no_way_to_another_folder(real, name):
    with pytest.raises(ModelNotFoundError, match="is no name on the hub"):
        hub.fetch(name)


@pytest.fixture
def pinned(fake, monkeypatch):
    """The repository as a known model, in int8."""
    both_precisions(fake)
    files = [path for path in fake.repository.iterdir() if path.suffix in (".txt", ".json")]
    files += fake.repository.glob("*.int8.onnx")
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    monkeypatch.setattr(hub, "PINS", {REPO: Pin("7" * 40, digests)})
    return fake


def test_a_known_model_is_fetched_at_its_commit(pinned):
    assert hub.fetch(REPO).name == "7" * 40
    assert set(pinned.asked) == {f"{each} {REPO}@{'7' * 40}" for each in ("list", "download")}
    pinned.asked.clear()
    assert hub.fetch(REPO).name == "7" * 40
    assert not pinned.asked


@pytest.mark.parametrize(
    "name", ["vocab.txt", "config.json", "encoder.int8.onnx", "decoder_joint.int8.onnx"]
)
@pytest.mark.parametrize("when", ["on the hub", "in the cache"])
def test_other_files_of_a_known_model_are_refused(pinned, name, when):
    if when == "in the cache":
        hub.fetch(REPO)
        place = pinned.cache / f"models--{REPO.replace('/', '--')}/snapshots" / ("7" * 40)
    else:
        place = pinned.repository
    if name.endswith(".onnx"):
        model = onnx.load(place / name)
        model.doc_string = "other"
        onnx.save_model(model, place / name)
    else:
        text = (place / name).read_text()
        (place / name).write_text(text.replace("p0", "q0").replace("{", "{ "))
    for update in (False, True):
        if update and when == "in the cache":
            continue
        with pytest.raises(ModelFormatError, match=f"{name} is not the file that version 77777777"):
            hub.fetch(REPO, update=update)


def test_a_file_that_was_added_to_a_known_model_is_refused(pinned):
    (pinned.repository / "pieces.json").write_text("{}")
    with pytest.raises(ModelFormatError, match=r"pieces\.json is not the file"):
        hub.fetch(REPO)


def test_a_revision_that_is_given_is_not_checked(pinned):
    text = (pinned.repository / "vocab.txt").read_text()
    (pinned.repository / "vocab.txt").write_text(text.replace("p0", "q0"))
    assert hub.fetch(f"{REPO}@main").name == "main"


def test_another_commit_with_the_same_files_is_taken_from_the_cache(pinned):
    first = hub.fetch(f"{REPO}@main")
    pinned.error = errors.OfflineModeIsEnabled("offline")
    assert hub.fetch(REPO) == first
    (first / "config.json").write_text('{"features_size":  128}')
    with pytest.raises(DownloadError, match="offline"):
        hub.fetch(REPO)


def test_without_a_cache_nothing_is_cached(fake):
    shutil.rmtree(fake.cache)
    assert hub.cache_folder() == fake.cache
    assert hub.cached_models() == ()


BROKEN = {
    "nodes in a circle": "in a circle",
    "half a file": "no whole ONNX file",
    "zeros": "no whole ONNX file",
    "a node without an output": "lacks an input or an output",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_model_is_told_and_hides_no_other(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name in ("bad", "good"):
        root = tmp_path / f"models--someone--{name}"
        snapshot = two_file_folder(root / "snapshots" / ("9" * 40))
        (root / "refs").mkdir()
        (root / "refs/main").write_text("9" * 40)
        if name == "bad":
            break_encoder(snapshot / "encoder.onnx", kind)
    bad, good = hub.cached_models()
    assert (bad.repo_id, good.repo_id, good.fault) == ("someone/bad", "someone/good", None)
    assert BROKEN[kind] in bad.fault


def break_encoder(path, kind):
    model = onnx.load(path)
    if kind == "half a file":
        path.write_bytes(path.read_bytes()[:-9])
    elif kind == "zeros":
        path.write_bytes(bytes(100_000))
    elif kind == "nodes in a circle":
        model.graph.node.append(helper.make_node("Identity", ["q"], ["q"]))
        model.graph.node.append(helper.make_node("Slice", ["q"], ["r"]))
        onnx.save_model(model, path)
    else:
        model.graph.node.append(helper.make_node("Cast", ["q"], []))
        onnx.save_model(model, path)


def test_what_is_no_model_of_ours_is_not_told(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--someone--whisper-onnx" / "snapshots" / ("9" * 40)
    snapshot.mkdir(parents=True)
    break_encoder(two_file_folder(snapshot) / "encoder.onnx", "zeros")
    (snapshot / "vocab.txt").rename(snapshot / "vocab.json")
    assert hub.cached_models() == ()


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_model_that_cannot_be_fetched_anew_is_told_as_broken(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    root = tmp_path / "models--someone--bad"
    snapshot = two_file_folder(root / "snapshots" / ("9" * 40))
    (root / "refs").mkdir()
    (root / "refs/main").write_text("9" * 40)
    break_encoder(snapshot / "encoder.onnx", kind)
    with pytest.raises(DownloadError, match=f"is broken: .*{BROKEN[kind]}.* was not fetched"):
        hub.fetch("someone/bad")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HF_ENDPOINT", "http://["),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "x"),
        ("HF_HUB_ETAG_TIMEOUT", "9" * 5_000),
        ("HF_HUB_ETAG_TIMEOUT", "\x1b[2J"),
    ],
)
@pytest.mark.parametrize("call", ["cache_folder()", "fetch('a/b')", "fetch('a/b', update=True)"])
def test_a_variable_that_the_client_refuses_is_one_error(variable, value, call):
    """In a process of its own: the client is loaded once."""
    program = (
        "from parakeet_streaming import OptionError; from parakeet_streaming.catalog import hub\n"
        f"try: hub.{call}\nexcept OptionError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_HUB_OFFLINE": "1", variable: value},
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.startswith("the hub's client refuses a variable of the environment (")
    assert "HF_" in done.stdout
