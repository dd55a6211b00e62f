"""A folder and a model's name, revision and precision in; the model's files below the folder out.

A built-in model is in the package already, so nothing is copied for it. Others are fetched from the
hub, checked, run once, and lie in FOLDER/NAME, where the server finds them by their name.
"""

import shutil
import sys
from pathlib import Path

from parakeet_streaming.catalog.resolve import built_in_models, resolve
from parakeet_streaming.dry_run import dry_run


def bake(folder: Path, name: str, revision: str | None, precision: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = resolve(name, revision=revision, precision=precision)
    if name in built_in_models():
        return
    # The hub's cache has links to files with other names; the image gets the files.
    shutil.copytree(found, folder / name)
    dry_run(folder / name, precision=precision)


if __name__ == "__main__":
    _, target, model, commit, wanted = sys.argv
    bake(Path(target), model, commit or None, wanted)
