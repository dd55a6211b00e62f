"""Inputs and `--output`, `--report`, `--save` in; where each result goes out, or a refusal.

Rules of this file:

1. Without `--output`, and with `-`, results go to standard output.
2. An existing folder, or a name ending in a separator, is a folder: one file per input, named after
   it. Anything else is a file and holds the result of one input.
3. Where no format was asked for, the name's ending decides; an ending that is no format means text.
4. Two inputs never share a file, on disks that ignore case, too: where names would clash, the
   input's suffix stays in the name; inputs whose names clash even so are refused by name.
5. Nothing is written over an input, over a file of the model, over audio, or over another result.
   All that is refused is refused before anything is computed.
"""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

from parakeet_streaming import formats
from parakeet_streaming.audio.containers import sniff
from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.cli.standard_streams import check_stdout
from parakeet_streaming.cli.written_files import (
    check_folder_of,
    is_folder,
    is_regular,
    status_of,
)
from parakeet_streaming.errors import ExtraMissingError, OptionError, ParakeetError

STDIN: Final = "-"
STDOUT: Final = "-"

APPENDABLE: Final = ("txt", "jsonl")
"""Formats of which one result may follow another in one file."""

_RECORDINGS: Final = frozenset(
    f".{ending}"
    for ending in (
        *("3gp", "aac", "aif", "aiff", "alaw", "amr", "au", "avi", "caf", "flac", "flv", "gsm"),
        *("m4a", "m4b", "mka", "mkv", "mov", "mp2", "mp3", "mp4", "mpeg", "mpg", "mulaw", "oga"),
        *("ogg", "opus", "pcm", "raw", "snd", "spx", "ts", "ulaw", "voc", "w64", "wav", "weba"),
        *("webm", "wma", "wmv"),
    )
)
"""Endings that people give to sound, also to sound that no first byte tells from text."""
_HEAD_BYTES: Final = 8192

_Identity = tuple[int, int]


def chosen_format(format: str | None, output: str | None, *, append: bool = False) -> str:
    """The format that was asked for, or that the ending of `output` means.

    Raises:
        OptionError: no such format, or one that cannot be appended to.
    """
    ending = Path(output or "").suffix.lower().removeprefix(".")
    by_name = ending if ending in formats.FORMATS else "txt"
    chosen = by_name if format is None else format.strip().lower()
    if chosen not in formats.FORMATS:
        raise OptionError(f"--format {format} does not exist; use {', '.join(formats.FORMATS)}")
    if append and chosen not in APPENDABLE:
        raise OptionError(
            f"--append does not go with {chosen}, which is one whole; use {' or '.join(APPENDABLE)}"
        )
    return chosen


def output_paths(inputs: Sequence[str], output: str | None, suffix: str) -> dict[str, Path | None]:
    """The output of each input; None is standard output.

    Raises:
        OptionError: inputs that would share a file, or a folder that is missing or cannot be made.
    """
    if output is None or output == STDOUT:
        return dict.fromkeys(inputs)
    if not output:
        raise OptionError("--output is empty; name a file or a folder")
    if not (is_folder(Path(output)) or output.endswith(("/", os.sep))):
        if len(set(inputs)) > 1:
            raise OptionError(f"{output} is one file for {len(inputs)} inputs; name a folder")
        check_folder_of(Path(output))
        return {inputs[0]: Path(output)}
    folder = Path(output)
    names = _names(list(dict.fromkeys(inputs)), folder, suffix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"cannot make the folder {folder}: {reason}") from error
    return {each: folder / name for each, name in names.items()}


def partial_path(path: Path) -> Path:
    """Where the result for `path` is until it is whole."""
    return path.with_name(f"{path.name}.part")


def check_overwriting(
    read: Iterable[str], written: Mapping[str, Path | None], *, saved: Path | None = None
) -> None:
    """Refuses to write over what is read, over audio, and twice into one file.

    Args:
        read: everything that is read: files, folders with a model, and `-` for standard input.
        written: files that are written by a word for each, such as its option; None is standard
            output.
        saved: file of sound that is written as well.

    Raises:
        OptionError: what would be destroyed, by name.
    """
    inputs = dict(_identities(read))
    for option, path in written.items():
        if path is None:
            check_stdout()
            _check_stdout_is_no(inputs)
            continue
        for each in (path, partial_path(path)):
            _check_target(option, each, inputs)
    _check_shared({**written, "--save": saved})


def _names(inputs: Sequence[str], folder: Path, suffix: str) -> dict[str, str]:
    """A name for each input; as short as names do not clash."""
    names = {each: f"{_stem(each)}.{suffix}" for each in inputs}
    for _ in range(2):  # a name that keeps its suffix may clash with one that did not have to
        for clashing in _clashes(names):
            for each in clashing:
                names[each] = f"{_name(each)}.{suffix}"
    for clashing in _clashes(names):
        raise OptionError(
            f"{' and '.join(clashing)} would both be {folder / names[clashing[0]]}; transcribe "
            "them one by one, or into different folders"
        )
    return names


def _clashes(names: Mapping[str, str]) -> list[list[str]]:
    """Inputs with one name, on disks that ignore case and accents' spelling, too."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for each, name in names.items():
        sharing[_key(name)].append(each)
    return [group for group in sharing.values() if len(group) > 1]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _name(source: str) -> str:
    return "stdin" if source == STDIN else Path(source).name


def _stem(source: str) -> str:
    return "stdin" if source == STDIN else Path(source).stem


def _identities(read: Iterable[str]) -> Iterable[tuple[_Identity, str]]:
    """What can be read of each input, by what the system knows it by, whatever its name."""
    for each in read:
        if each == STDIN:
            identity = _identity_of(sys.stdin)
            if identity is not None:
                yield identity, "standard input"
            continue
        for file in _files_of(Path(each)):
            found = status_of(file)
            if found is not None and stat.S_ISREG(found.st_mode):
                yield (found.st_dev, found.st_ino), str(file)


def _files_of(path: Path) -> list[Path]:
    """A folder's files, or the path itself; whoever reads it says what is wrong with it."""
    try:
        return list(path.iterdir()) if is_folder(path) else [path]
    except OSError:
        return []


def _identity_of(stream: TextIO | None) -> _Identity | None:
    """Which regular file is behind a standard stream."""
    try:
        found = os.fstat(stream.fileno()) if stream is not None else None
    except (OSError, ValueError, AttributeError):
        return None
    if found is None or not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino


def _check_stdout_is_no(inputs: Mapping[_Identity, str]) -> None:
    identity = _identity_of(sys.stdout)
    if identity is not None and identity in inputs:
        raise OptionError(
            f"standard output is {inputs[identity]}, which is read; send it to another file"
        )


def _check_target(option: str, path: Path, inputs: Mapping[_Identity, str]) -> None:
    advice = "name another file"
    if str(path) == STDOUT:
        raise OptionError(f"{option} is -, but only results go to standard output; {advice}")
    if path.suffix.lower() in _RECORDINGS:
        raise OptionError(f"{path} ({option}) is named as a recording is; {advice}")
    found = status_of(path)
    if found is None:
        return  # nothing to lose, or whoever opens it says what is wrong
    if stat.S_ISDIR(found.st_mode):
        raise OptionError(f"{path} ({option}) is a folder; {advice}")
    if not stat.S_ISREG(found.st_mode):
        return
    identity = (found.st_dev, found.st_ino)
    if identity in inputs:
        raise OptionError(f"{path} ({option}) is an input and would be written over; {advice}")
    if found.st_size and _is_audio(path):
        raise OptionError(f"{path} ({option}) is audio, which is never written over; {advice}")


def _check_shared(written: Mapping[str, Path | None]) -> None:
    taken: dict[str, str] = {}
    for option, path in written.items():
        if path is None or (status_of(path) is not None and not is_regular(path)):
            continue  # a device or a pipe takes any number
        key = _key(os.path.realpath(path))
        if key in taken:
            raise OptionError(f"{taken[key]} and {option} are both {path}; name two files")
        taken[key] = option


def _is_audio(path: Path) -> bool:
    try:
        open_audio(path).close()
    except ExtraMissingError:
        return True
    except ParakeetError:
        pass
    else:
        return True
    try:
        with path.open("rb") as file:
            return sniff(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False
