"""A hub id in; a folder of this machine with the files out. The only file that uses the hub.

Rules of this file:

1. Files in the cache need no network: the hub is asked only for missing files, or on `update`.
2. Only the files of one precision are fetched. On `auto` that is int8 where there is a choice: a
   quarter of the bytes (0.65 GB instead of 2.5 GB for a Parakeet of 0.6 billion weights).
3. A hub that cannot be reached is told at once; its client by itself tries for half a minute.
4. A graph names the files that hold its weights; these names are not guessed.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from parakeet_streaming.catalog.folder_errors import EXPORT_ADVICE
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.model_folder import CONFIG_NAME, VOCABULARY_NAMES, find_parts
from parakeet_streaming.catalog.precision import check_precision, named_precision
from parakeet_streaming.catalog.reachable import answer_or_unreachable
from parakeet_streaming.catalog.vocabulary import PIECES_NAME
from parakeet_streaming.errors import (
    DownloadError,
    MissingError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    OptionError,
    ParakeetError,
)

_ORDER: Final = ("int8", "fp32", "fp16", "int4")


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
        OptionError: no such precision, or two different revisions.
        ModelNotFoundError: no such model or revision, or one that asks for a login.
        ModelPartMissingError: the model has no encoder of that precision.
        ModelFormatError: the model has no ONNX files.
        DownloadError: the hub cannot be reached, or offline mode is on, and the cache lacks a file.
    """
    check_precision(precision)
    name, revision = split_revision(repo_id, revision)
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


def _fetched(name: str, revision: str | None, precision: str) -> Path:
    try:
        return _download(name, revision, precision)
    except ParakeetError:
        raise
    except Exception as error:  # the hub's client lets errors of its HTTP library through
        raise _translated(error, name, revision) from error


def split_revision(repo_id: str, revision: str | None = None) -> tuple[str, str | None]:
    """Takes `org/name@revision` apart.

    Raises:
        OptionError: `revision` says something else.
    """
    name, _, pinned = repo_id.partition("@")
    if pinned and revision and pinned != revision:
        raise OptionError(f"{repo_id} names another revision than {revision}; give only one")
    return name, pinned or revision or None


def cached_models() -> tuple[CachedModel, ...]:
    """Models in the hub's cache, by name: those that are whole, and those that are broken.

    A broken one has its fault. What lacks a file, or has no vocabulary of ours, is none of them.
    """
    import huggingface_hub

    if not cache_folder().is_dir():
        return ()
    models = []
    for repo in huggingface_hub.scan_cache_dir(cache_folder()).repos:
        found: list[CachedModel] = []
        for revision in sorted(repo.revisions, key=lambda each: each.last_modified, reverse=True):
            names = {file.file_name for file in revision.files}
            folder = revision.snapshot_path
            if not any(name.endswith(".onnx") for name in names):
                continue
            fault = _fault(folder)
            if fault is None:
                found.insert(0, CachedModel(repo.repo_id, folder, revision.size_on_disk))
                break
            if not isinstance(fault, MissingError) and names.intersection(VOCABULARY_NAMES):
                found.append(CachedModel(repo.repo_id, folder, revision.size_on_disk, str(fault)))
        models += found[:1]
    return tuple(sorted(models, key=lambda model: model.repo_id))


def cache_folder() -> Path:
    """Where the hub's client keeps downloaded models."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _fault(folder: Path, precision: str = "auto") -> ParakeetError | None:
    """Why the model in a folder cannot be loaded, as far as its files tell."""
    try:
        find_parts(folder, precision)
    except ParakeetError as error:
        return error
    return None


def _cached(name: str, revision: str | None) -> Path | None:
    """The model's folder in the cache, whole or not; None where there is none."""
    import huggingface_hub

    try:
        return Path(
            huggingface_hub.snapshot_download(
                name,
                revision=revision,
                local_files_only=True,
                allow_patterns=[f"*{each}" for each in VOCABULARY_NAMES],
            )
        )
    except (OSError, ValueError):  # nothing cached, or no id at all: the hub's answer says which
        return None


def _download(name: str, revision: str | None, precision: str) -> Path:
    import huggingface_hub

    names = answer_or_unreachable(
        lambda: list(huggingface_hub.list_repo_files(name, revision=revision)),
        huggingface_hub.constants.ENDPOINT,
        huggingface_hub.__name__,
    )
    chosen = _choose(name, names, precision)

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


def _choose(name: str, names: Sequence[str], precision: str) -> tuple[str, ...]:
    """The .onnx files of one precision, and the small files, among those of a repository."""
    graphs = [path for path in map(PurePosixPath, names) if _may_be_part(path)]
    encoders = [path for path in graphs if "encoder" in path.name.lower()]
    if not encoders:
        raise ModelFormatError(f"{name} has no ONNX encoder; {EXPORT_ADVICE}")
    encoder = _first(encoders, _ORDER if precision == "auto" else (precision,))
    if encoder is None:
        there = ", ".join(sorted({_precision(path) for path in encoders}))
        raise ModelPartMissingError(
            f"{name} has no {precision} encoder; there is {there}: ask for that precision"
        )
    order = sorted(_ORDER, key=lambda each: each != _precision(encoder))
    decoders = [path for path in graphs if "decoder" in path.name.lower()]
    fused = _first([path for path in decoders if "joint" in path.name.lower()], order)
    joiners = [path for path in graphs if "join" in path.name.lower() and path not in decoders]
    halves = [_first(decoders, order), _first(joiners, order)]
    parts = [encoder, *([fused] if fused else filter(None, halves))]
    wanted = {CONFIG_NAME, PIECES_NAME, *VOCABULARY_NAMES}
    texts = [path for path in names if PurePosixPath(path).name in wanted and path.count("/") <= 1]
    return tuple(str(path) for path in (*parts, *texts))


def _may_be_part(path: PurePosixPath) -> bool:
    """Whether a repository's file lies where `find_parts` looks for .onnx files."""
    *folders, _ = path.parts
    place = len(folders) == 1 and (folders == ["onnx"] or named_precision(path.parent / "x"))
    return path.suffix == ".onnx" and (not folders or bool(place))


def _first(paths: Iterable[PurePosixPath], order: Iterable[str]) -> PurePosixPath | None:
    by_precision = {_precision(path): path for path in paths}
    return next((by_precision[each] for each in order if each in by_precision), None)


def _precision(path: PurePosixPath) -> str:
    return named_precision(path) or "fp32"


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
    reason = (str(error) or type(error).__name__).splitlines()[0]
    offline = isinstance(error, errors.OfflineModeIsEnabled)
    reason = (
        "offline mode is on (HF_HUB_OFFLINE)" if offline else f"no answer from the hub ({reason})"
    )
    return DownloadError(
        f"{name} was not fetched: {reason}; what is whole in the cache {cache_folder()} works "
        "without a network, so download it once with one, or give a folder that holds it"
    )
