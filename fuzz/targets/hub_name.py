"""Names and revisions of models: nothing outside the hub's cache is found, and nothing is asked."""

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from unittest import mock

from huggingface_hub import constants

from fuzz.choices import Choices
from fuzz.scratch import scratch_folder
from fuzz.small_model import Sizes, write_model
from parakeet_streaming.catalog import hub as product
from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.catalog.resolve import resolve
from parakeet_streaming.errors import ParakeetError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def run(data: bytes) -> None:
    choices = Choices(data)
    name, pinned = choices.text(), choices.flag()
    revision = choices.text() if pinned else None
    hub = _cache()
    with (
        suppress(ParakeetError),
        mock.patch.object(constants, "HF_HUB_CACHE", str(hub)),
        mock.patch.object(product, "answer_or_unreachable", _refuse),
    ):
        if _names_a_path(name):
            return
        found = resolve(name, revision=revision).resolve()
        inside = found.is_relative_to(hub) or found.is_relative_to(BUILT_IN_FOLDER.resolve())
        assert inside, f"{name!r} at {revision!r} is {found}"


def _refuse(*_: object) -> None:
    """Stands for the network: thousands of inputs must not become as many look-ups."""
    raise ConnectionError("no network")


def _names_a_path(name: str) -> bool:
    """A path that exists is the user's own wish."""
    try:
        return not name or Path(name).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


@cache
def _cache() -> Path:
    """A cache with one model, and beside it a model and a file that names its folder."""
    hub = scratch_folder("hub").resolve()
    repository = hub / "models--acme--good"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    write_model(snapshot, Sizes(), {})
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    outside = scratch_folder("outside")
    write_model(outside, Sizes(), {})
    (outside / "ref").write_text("../../../outside")
    (outside / "config.json").write_text(json.dumps({}))
    return hub


def seeds() -> Iterator[bytes]:
    for name, revision in (
        ("acme/good", None),
        ("acme/good@main", None),
        (f"acme/good@{COMMIT}", None),
        ("acme/good", "../../../outside/ref"),
        ("acme/good@../../../outside/ref", None),
        ("acme/good", "refs/pr/1"),
        ("../outside", None),
        ("tiny-en", "main"),
        ("parakeet-tdt-0.6b-v3", None),
        ("~nobody/x", None),
    ):
        head = bytes([len(name)]) + name.encode()
        yield head + (b"\0" if revision is None else bytes((1, len(revision))) + revision.encode())
