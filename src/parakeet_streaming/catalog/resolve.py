"""A user's name of a model in; the folder with its files out.

The name is the path of a folder, the name of a built-in model, the short name of a known one, or an
id on the hub.
"""

from __future__ import annotations

import difflib
import os
from os import PathLike
from pathlib import Path
from typing import Final

from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.catalog.file_reading import exists
from parakeet_streaming.catalog.hub_ids import is_hub_name, split_revision
from parakeet_streaming.catalog.model_folder import VOCABULARY_NAMES
from parakeet_streaming.errors import ModelNotFoundError, OptionError
from parakeet_streaming.plain_text import shown

KNOWN_MODELS: Final[dict[str, str]] = {
    "parakeet-tdt-0.6b-v2": "istupakov/parakeet-tdt-0.6b-v2-onnx",
    "parakeet-tdt-0.6b-v3": "istupakov/parakeet-tdt-0.6b-v3-onnx",
}
"""Short name → hub id of an ONNX export."""


def built_in_models() -> dict[str, Path]:
    """Name → folder of the models that ship with the package."""
    vocabularies = (path for name in VOCABULARY_NAMES for path in BUILT_IN_FOLDER.glob(f"*/{name}"))
    return {path.parent.name: path.parent for path in sorted(vocabularies)}


def resolve(
    source: str | PathLike[str],
    *,
    precision: str = "auto",
    revision: str | None = None,
    update: bool = False,
) -> Path:
    """The folder of a model, downloaded if need be. A path that exists wins over every name.

    Args:
        source: folder, built-in name, known name or hub id, the last two also with `@revision`.
        precision: see `hub.fetch`; used only where something is downloaded.
        revision: branch, tag or commit of a hub model.
        update: see `hub.fetch`.

    Raises:
        ModelNotFoundError: no model has that name.
        OptionError: a revision that is none, or of something that is not on the hub, or see
            `hub.fetch`.
        ModelPartMissingError, ModelFormatError, DownloadError: see `hub.fetch`.
        FileAccessError: a folder on the way may not be searched.
    """
    path = user_path(source)
    built_in = built_in_models()
    if isinstance(source, str) and not (source and exists(path)) and source not in built_in:
        return _downloaded(source, revision, precision=precision, update=update)
    if revision is not None:
        raise OptionError(f"{source} is not on the hub, so it has no revision; leave it out")
    return path if exists(path) else built_in.get(str(source), path)


def user_path(source: str | PathLike[str]) -> Path:
    """A path, with the folder in place of `~` or `~user`; no user has a name that is no text."""
    try:
        return Path(os.path.expanduser(source))  # noqa: PTH111  Path's raises where there is no home
    except ValueError:
        return Path(source)


def _downloaded(source: str, revision: str | None, *, precision: str, update: bool) -> Path:
    name, revision = split_revision(source, revision)
    repo_id = KNOWN_MODELS.get(name, name)
    if not is_hub_name(repo_id):
        raise ModelNotFoundError(_unknown(source))
    return hub.fetch(repo_id, revision=revision, precision=precision, update=update)


def _unknown(source: str) -> str:
    names = [*built_in_models(), *KNOWN_MODELS]
    close = difflib.get_close_matches(source, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return (
        f"there is no folder and no model called {shown(source)}; {hint}there are "
        f"{', '.join(names)}, folders, and hub ids such as istupakov/parakeet-tdt-0.6b-v3-onnx"
    )
