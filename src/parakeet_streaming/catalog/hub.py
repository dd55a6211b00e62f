"""A hub id in; a folder of this machine with the files out. The only file that uses the hub.

Rules of this file:

1. Files in the cache need no network: the hub is asked only for missing files, or on `update`.
2. Only the files of one precision are fetched. On `auto` that is int8 where there is a choice: a
   quarter of the bytes (0.65 GB instead of 2.5 GB for a Parakeet of 0.6 billion weights).
3. A hub that cannot be reached is told at once; its client by itself tries for half a minute.
4. A graph names the files that hold its weights; these names are not guessed.
5. A known model is one commit, and its files have the digests of `pinned.py`; where a revision is
   given, that one is taken as it is.
"""

from __future__ import annotations

import glob
import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.hub_cache import (
    cached_snapshots,
    check_ref,
    check_snapshot,
    snapshot_bytes,
)
from parakeet_streaming.catalog.hub_files import files_of_precision
from parakeet_streaming.catalog.hub_ids import is_hub_name, split_revision
from parakeet_streaming.catalog.model_folder import CONFIG_NAME, VOCABULARY_NAMES, find_parts
from parakeet_streaming.catalog.pinned import PINS, Pin, check_digests
from parakeet_streaming.catalog.precision import check_precision
from parakeet_streaming.catalog.reachable import answer_or_unreachable
from parakeet_streaming.catalog.vocabulary import PIECES_NAME
from parakeet_streaming.errors import (
    DownloadError,
    MissingError,
    ModelFormatError,
    ModelNotFoundError,
    OptionError,
    ParakeetError,
)

_MAIN: Final = "main"
_BESIDE: Final = (CONFIG_NAME, PIECES_NAME)


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model in the hub's cache that can be loaded without a network, unless it is broken."""

    repo_id: str
    folder: Path
    size_bytes: int
    fault: str | None = None
    """Why it cannot be loaded although no file is missing; None where it can."""


def fetch(
    repo_id: str, *, revision: str | None = None, precision: str = "auto", update: bool = False
) -> Path:
    """The folder of a hub model, downloaded if the cache does not have it.

    Args:
        repo_id: `org/name`, or `org/name@revision`.
        revision: branch, tag or commit; None for the main branch.
        precision: of the encoder, see `find_parts`; `auto` takes int8 if there is a choice.
        update: asks the hub for a newer version even if the cache has one.

    Raises:
        OptionError: no such precision, no such kind of revision, or two different ones.
        ModelNotFoundError: no such model or revision, or one that asks for a login.
        ModelPartMissingError: the model has no encoder of that precision.
        ModelFormatError: the model has no ONNX files, or a known one has others than it should; or
            what the cache has is no commit, or leads out of the cache.
        DownloadError: the hub cannot be reached, or offline mode is on, and the cache lacks a file.
    """
    check_precision(precision)
    name, revision = split_revision(repo_id, revision)
    if not is_hub_name(name):
        raise ModelNotFoundError(f"{name!r} is no name on the hub; those are owner/name")
    pin = PINS.get(name) if revision is None else None
    if pin is not None:
        return _pinned(name, pin, precision, update=update)
    return _cached_or_fetched(name, revision, precision, update=update)


def _pinned(name: str, pin: Pin, precision: str, *, update: bool) -> Path:
    """A known model; of another version in the cache, if its files are the same."""
    if not update and not _is_whole(_cached(name, pin.commit), precision):
        other = _cached(name, None)
        if other is not None and _is_whole(other, precision) and _is_of(other, pin, precision):
            return other
    folder = _cached_or_fetched(name, pin.commit, precision, update=update)
    check_digests(pin, _used(folder, precision))
    return folder


def _cached_or_fetched(name: str, revision: str | None, precision: str, *, update: bool) -> Path:
    folder = None if update else _cached(name, revision)
    fault = None if folder is None else _fault(folder, precision)
    if folder is not None and fault is None:
        return folder
    try:
        return _fetched(name, revision, precision)
    except DownloadError as error:
        if fault is None or isinstance(fault, MissingError):
            raise
        raise DownloadError(f"what the cache has is broken: {fault}; and {error}") from error


def _is_of(folder: Path, pin: Pin, precision: str) -> bool:
    with suppress(ModelFormatError):
        check_digests(pin, _used(folder, precision))
        return True
    return False


def _used(folder: Path, precision: str) -> Iterator[Path]:
    """Every file of a model that is read."""
    parts = find_parts(folder, precision)
    yield parts.vocabulary
    for place in {folder, parts.encoder.path.parent, parts.vocabulary.parent}:
        yield from (place / name for name in _BESIDE if (place / name).is_file())
    for part in parts.onnx:
        yield from part.files


def cached_models() -> tuple[CachedModel, ...]:
    """Models in the hub's cache, by name: those that are whole, and those that are broken.

    A broken one has its fault. What lacks a file, or has no vocabulary of ours, is none of them.
    """
    models = []
    for name, snapshots in cached_snapshots(cache_folder()):
        found: list[CachedModel] = []
        for folder in snapshots:
            fault = _fault(folder)
            if fault is None:
                found.insert(0, CachedModel(name, folder, snapshot_bytes(folder)))
                break
            if not isinstance(fault, MissingError) and _has_vocabulary(folder):
                found.append(CachedModel(name, folder, snapshot_bytes(folder), str(fault)))
        models += found[:1]
    return tuple(sorted(models, key=lambda model: model.repo_id))


def cache_folder() -> Path:
    """Where the hub's client keeps downloaded models."""
    _check_environment()
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _check_environment() -> None:
    """Refuses variables that keep the hub's client from being loaded.

    Raises:
        OptionError: there is one.
    """
    try:
        importlib.import_module("huggingface_hub.constants")
    except ValueError as error:
        raise OptionError(
            f"the hub's client refuses a variable of the environment ({error}); mend or unset "
            "those that begin with HF_"
        ) from error


def _fault(folder: Path, precision: str = "auto") -> ParakeetError | None:
    """Why the model in a folder cannot be loaded, as far as its files tell."""
    try:
        find_parts(folder, precision)
    except ParakeetError as error:
        return error
    except Exception as error:  # whatever is wrong with files of others, they are no whole model
        return ModelFormatError(f"{folder} cannot be read ({error!r}); fetch it again")
    return None


def _is_whole(folder: Path | None, precision: str) -> bool:
    return folder is not None and _fault(folder, precision) is None


def _has_vocabulary(folder: Path) -> bool:
    return any(set(VOCABULARY_NAMES).intersection(names) for _, _, names in os.walk(folder))


def _cached(name: str, revision: str | None) -> Path | None:
    """The model's folder in the cache, whole or not; None where there is none.

    Raises:
        ModelFormatError: the cache leads elsewhere.
    """
    import huggingface_hub

    check_ref(cache_folder(), name, revision or _MAIN)
    try:
        folder = Path(
            huggingface_hub.snapshot_download(
                name,
                revision=revision,
                local_files_only=True,
                allow_patterns=[f"*{each}" for each in VOCABULARY_NAMES],
            )
        )
    except (OSError, ValueError):  # nothing cached, or no id at all: the hub's answer says which
        return None
    check_snapshot(cache_folder(), name, folder)
    return folder


def _fetched(name: str, revision: str | None, precision: str) -> Path:
    try:
        folder = _download(name, revision, precision)
    except ParakeetError:
        raise
    except Exception as error:  # the hub's client lets errors of its HTTP library through
        raise _translated(error, name, revision) from error
    check_snapshot(cache_folder(), name, folder)
    return folder


def _download(name: str, revision: str | None, precision: str) -> Path:
    _check_environment()
    import huggingface_hub

    names = answer_or_unreachable(
        lambda: list(huggingface_hub.list_repo_files(name, revision=revision)),
        huggingface_hub.constants.ENDPOINT,
        huggingface_hub.__name__,
    )
    chosen = files_of_precision(name, names, precision)

    def download(files: Iterable[str]) -> Path:
        patterns = [glob.escape(file) for file in files]
        return Path(
            huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=patterns)
        )

    folder = download(chosen)
    weights = [
        str(PurePosixPath(file).parent / location)
        for file in chosen
        if file.endswith(".onnx")
        for location in read_graph(folder / file).external_files
    ]
    return download([*chosen, *weights]) if weights else folder


def _translated(error: Exception, name: str, revision: str | None) -> ParakeetError:
    """Our error for one of the hub's client."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return ModelNotFoundError(
            f"{name} is given out only after its terms are accepted: accept them on "
            f"https://huggingface.co/{name}, then run `hf auth login`"
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return ModelNotFoundError(
            f"there is no folder {name}, and the hub has no such model, or only for those logged "
            "in; check the spelling, or run `hf auth login`"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFoundError(
            f"{name} has no revision {revision}; see https://huggingface.co/{name}/commits/main"
        )
    said = (str(error) or type(error).__name__).splitlines()[0]
    offline = isinstance(error, errors.OfflineModeIsEnabled)
    reason = (
        "offline mode is on (HF_HUB_OFFLINE)" if offline else f"no answer from the hub ({said})"
    )
    return DownloadError(
        f"{name} was not fetched: {reason}; what is whole in the cache {cache_folder()} works "
        "without a network, so download it once with one, or give a folder that holds it"
    )
