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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from parakeet_streaming.catalog.folder_errors import EXPORT_ADVICE
from parakeet_streaming.catalog.graph import read_graph
from parakeet_streaming.catalog.hub_cache import (
    cached_snapshots,
    check_ref,
    check_snapshot,
    snapshot_bytes,
)
from parakeet_streaming.catalog.hub_ids import is_hub_name, split_revision
from parakeet_streaming.catalog.model_folder import CONFIG_NAME, VOCABULARY_NAMES, find_parts
from parakeet_streaming.catalog.pinned import PINS, Pin, check_digests
from parakeet_streaming.catalog.precision import check_precision, named_precision
from parakeet_streaming.catalog.reachable import answer_or_unreachable
from parakeet_streaming.catalog.vocabulary import PIECES_NAME
from parakeet_streaming.errors import (
    DownloadError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    ParakeetError,
)

_ORDER: Final = ("int8", "fp32", "fp16", "int4")
_MAIN: Final = "main"
_BESIDE: Final = (CONFIG_NAME, PIECES_NAME)


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A model in the hub's cache that can be loaded without a network."""

    repo_id: str
    folder: Path
    size_bytes: int


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
    cached = None if update else _cached(name, revision, precision)
    return cached or _fetched(name, revision, precision)


def _pinned(name: str, pin: Pin, precision: str, *, update: bool) -> Path:
    """A known model; of another version in the cache, if its files are the same."""
    cached = None if update else _cached(name, pin.commit, precision)
    if cached is None and not update:
        other = _cached(name, None, precision)
        if other is not None and _is_of(other, pin, precision):
            return other
    folder = cached or _fetched(name, pin.commit, precision)
    check_digests(pin, _used(folder, precision))
    return folder


def _is_of(folder: Path, pin: Pin, precision: str) -> bool:
    try:
        check_digests(pin, _used(folder, precision))
    except ModelFormatError:
        return False
    return True


def _used(folder: Path, precision: str) -> Iterator[Path]:
    """Every file of a model that is read."""
    parts = find_parts(folder, precision)
    yield parts.vocabulary
    for place in {folder, parts.encoder.path.parent, parts.vocabulary.parent}:
        yield from (place / name for name in _BESIDE if (place / name).is_file())
    for part in parts.onnx:
        yield from part.files


def cached_models() -> tuple[CachedModel, ...]:
    """Models in the hub's cache that are whole, by name."""
    models = []
    for name, snapshots in cached_snapshots(cache_folder()):
        whole = next((folder for folder in snapshots if _is_whole(folder)), None)
        if whole is not None:
            models.append(CachedModel(name, whole, snapshot_bytes(whole)))
    return tuple(sorted(models, key=lambda model: model.repo_id))


def cache_folder() -> Path:
    """Where the hub's client keeps downloaded models."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _is_whole(folder: Path, precision: str = "auto") -> bool:
    try:
        find_parts(folder, precision)
    except Exception:  # whatever is wrong with files of others, they are no whole model
        return False
    return True


def _cached(name: str, revision: str | None, precision: str) -> Path | None:
    """The model's folder in the cache if it is whole in that precision.

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
    return folder if _is_whole(folder, precision) else None


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
