"""A hub id, with or without a revision, in; both, checked, out.

Both become names of folders in the hub's cache, so one rule holds for both: what could lead to
another folder is refused before anything is looked up.
"""

from __future__ import annotations

import re
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import shown

MOST_CHARACTERS: Final = 96
"""Of a name, as on the hub; of a revision."""

_NAME: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_REVISION: Final = re.compile(r"[^\W_][^\x00-\x20\x7f~^:?*\[\\]*")
_UPWARDS: Final = ("..", "//", "/.", "/-", "./", "@{", ".lock/")
_ENDS: Final = ("/", ".", ".lock")


def is_hub_name(text: str) -> bool:
    """Whether a text can be `owner/name` on the hub."""
    return bool(_NAME.fullmatch(text)) and len(text) <= MOST_CHARACTERS and ".." not in text


def split_revision(repo_id: str, revision: str | None = None) -> tuple[str, str | None]:
    """Takes `owner/name@revision` apart.

    Raises:
        OptionError: `revision` says something else, or it is none.
    """
    name, _, pinned = repo_id.partition("@")
    if pinned and revision and pinned != revision:
        raise OptionError(f"{repo_id} names another revision than {revision}; give only one")
    found = pinned or revision or None
    if found is not None and not _is_revision(found):
        raise OptionError(
            f"{shown(found)} is no revision; give a branch, a tag or a commit of {name}"
        )
    return name, found


def _is_revision(text: str) -> bool:
    """Whether a text can be a branch, tag or commit: git's rules, and 96 characters at most."""
    return (
        bool(_REVISION.fullmatch(text))
        and len(text) <= MOST_CHARACTERS
        and text.isprintable()
        and not any(part in text for part in _UPWARDS)
        and not text.endswith(_ENDS)
    )
