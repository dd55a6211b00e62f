"""`parakeet export`: weights from NeMo, transformers or our training in; ONNX files out."""

from __future__ import annotations

import errno
import os
import shlex
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from parakeet_streaming.catalog.model_folder import ModelParts, find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.catalog.temporary import temporary_folder
from parakeet_streaming.cli.messages import answer, note
from parakeet_streaming.cli.rows import in_bytes
from parakeet_streaming.cli.written_files import is_folder, status_of, writing
from parakeet_streaming.errors import (
    ExtraMissingError,
    OptionError,
    ParakeetError,
    UnavailableError,
)
from parakeet_streaming.export.replacing import check_room, replacing

PRECISIONS: Final = ("fp32", "int8")
SCALES: Final = ("call", "row")
STREAMING: Final = ("window", "cached")

# Packages of the `export` extra, by the names that are imported.
_NEEDED: Final = ("torch", "sentencepiece", "yaml", "safetensors")
# Files of an earlier export, which would be loaded with the new ones.
_EARLIER: Final = (
    *("encoder-model*.onnx*", "encoder-cached-model*.onnx*", "decoder_joint-model*.onnx*"),
    *("vocab.txt", "tokens.txt", "pieces.json", "config.json"),
)
# Bytes a weight, at least: what is written, and what an int8 export writes before that in float32.
_TARGET_BYTES: Final = {"fp32": 4, "int8": 1}
_FLOAT_BYTES: Final = 4
# Weights beside their graph are gathered, and graphs are prepared: both in a second copy.
_COPIES: Final = 2


def export(
    source: Annotated[
        Path,
        typer.Argument(help="A .nemo file, a folder of transformers, or a checkpoint of training."),
    ],
    to: Annotated[Path, typer.Option("--to", help="The folder to write.")],
    precision: Annotated[
        str, typer.Option(help="fp32, or int8: a quarter of the size, and faster.")
    ] = "fp32",
    scale: Annotated[
        str,
        typer.Option(
            help="Of int8: call, fastest for one stream; row, many streams share each call."
        ),
    ] = "call",
    streaming: Annotated[
        str,
        typer.Option(
            help="window: the exact layout of the community; cached: an encoder that also runs "
            "`transcribe --cached`, where each frame is encoded once."
        ),
    ] = "window",
    force: Annotated[
        bool, typer.Option("--force", help="Replace the model in a folder that is not empty.")
    ] = False,
) -> None:
    r"""Turn the weights of a Parakeet TDT into ONNX files that every command here can load.

    Needs torch: pip install 'parakeet-streaming\[export]'.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"--precision {precision} does not exist; use {' or '.join(PRECISIONS)}")
    if streaming not in STREAMING:
        raise OptionError(f"--streaming {streaming} does not exist; use {' or '.join(STREAMING)}")
    if scale not in SCALES:
        raise OptionError(f"--scale {scale} does not exist; use {' or '.join(SCALES)}")
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"export needs {', '.join(missing)}; pip install 'parakeet-streaming[export]'"
        )
    _check_target(source, to, force=force)
    parts = _write(source, to, precision, scale, cached=streaming == "cached")
    size_bytes = sum(part.size_bytes for part in parts.onnx)
    answer(f"{source} is ready in {to} ({in_bytes(size_bytes)})")
    cached = " --cached" if streaming == "cached" else ""
    answer(f"try it: parakeet transcribe --model {shlex.quote(str(to))}{cached} speech.wav")


def _check_target(source: Path, target: Path, *, force: bool) -> None:
    """Refuses what is no folder to write in, and one in which an export could overwrite files."""
    with writing(target):
        with suppress(FileNotFoundError, NotADirectoryError):
            target.lstat()  # raises where no file can have such a name, or nobody may look
        there = next(each for each in (target, *target.absolute().parents) if os.path.lexists(each))
        if not is_folder(there):
            nowhere = there.is_symlink() and status_of(there) is None
            what = "a link that leads nowhere" if nowhere else "a file"
            raise OptionError(f"--to {target}: {there} is {what}; name a folder")
        if not os.access(there, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if is_folder(target) and is_folder(source) and target.samefile(source):
            raise OptionError(f"--to {target} is what is to be exported; name another folder")
        if is_folder(target) and any(target.iterdir()) and not force:
            raise OptionError(f"--to {target} is not empty; name another folder, or add --force")


def _write(source: Path, target: Path, precision: str, scale: str, *, cached: bool) -> ModelParts:
    from parakeet_streaming.export.onnx_files import write_model
    from parakeet_streaming.export.quantise import write_int8
    from parakeet_streaming.torch_model.sources import read_source

    temporary_folder()  # torch wants one too, and tells of none in another way
    _say(f"reading {source}")
    model, pieces = read_source(source)
    size = model.config.encoder
    _say(f"writing encoder ({size.layers} layers of width {size.width}) and decoder_joint")
    _check_room(sum(each.numel() for each in model.parameters()), target, precision)
    try:
        with replacing(target, _EARLIER) as folder:
            if precision == "fp32":
                write_model(model, pieces, folder, cached=cached)
            else:
                with tempfile.TemporaryDirectory(dir=temporary_folder()) as scratch:
                    write_model(model, pieces, Path(scratch), cached=cached)
                    del model
                    _say("quantising to int8")
                    write_int8(Path(scratch), folder, scale=scale)
            read_spec(find_parts(folder, precision))
    except ParakeetError:
        raise
    except OSError as error:
        raise UnavailableError(
            f"the model could not be written ({error}); {target} is as it was: make room there and "
            f"in {temporary_folder()}, then export again"
        ) from error
    return find_parts(target, precision)


def _check_room(weights: int, target: Path, precision: str) -> None:
    """Says what an int8 export needs while it runs, and refuses what surely has no room."""
    needed = [(target, _TARGET_BYTES[precision] * weights)]
    if precision != "fp32":
        scratch = temporary_folder()
        needed.append((scratch, _FLOAT_BYTES * weights))
        about = in_bytes(_COPIES * _FLOAT_BYTES * weights)
        _say(
            f"this needs about {about} in {scratch} until it is done (TMPDIR names another folder)"
        )
    check_room(needed, "make room, name another folder with --to, or set TMPDIR")


def _say(what: str) -> None:
    note(f"{what} ...")
