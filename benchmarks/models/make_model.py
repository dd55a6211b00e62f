"""Writes a model of a real one's size with random weights: it knows no words, but costs as much.

python -m benchmarks.models.make_model --size 0.6b --to FOLDER                     2.5 GB
python -m benchmarks.models.make_model --size 0.6b --to FOLDER --streaming both    4.9 GB
python -m benchmarks.models.make_model --size 0.6b --to FOLDER --streaming both --int8    6.2 GB

The files are those of the community's exports, so other programs load them too. With `--streaming
both` the folder `cached` within holds the same weights with an encoder for cached streams; with
`--int8` each encoder stands there in int8 as well, scaled by the row. The joint emits 3 to 4 tokens
a second, with mixed durations. Needs torch: pip install 'parakeet-streaming[export]'.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks.models.sizes import FORMS, FULL, SIZES, WINDOW, Size
from benchmarks.report.tables import say
from benchmarks.speech.book import speech_of

_CALIBRATION_S = 15.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what the command line asks for."""
    asked = _parser().parse_args(arguments)
    if asked.to.exists() and (not asked.to.is_dir() or any(asked.to.iterdir())):
        raise SystemExit(f"--to {asked.to} is not empty; name another folder")
    size = SIZES[asked.size]
    if asked.layers is not None:
        size = replace(size, layers=asked.layers)
    make(asked.to, size, form=asked.streaming, int8=asked.int8, seed=asked.seed)
    size_gb = sum(path.stat().st_size for path in asked.to.rglob("*")) / 1e9
    say(f"{asked.to} is ready ({size_gb:.2f} GB)")


def make(
    folder: Path, size: Size, *, form: str = WINDOW, int8: bool = False, seed: int = 0
) -> None:
    """Writes a model whose joint is set on a book; ends the program where torch is not there."""
    if find_spec("torch") is None:
        raise SystemExit(
            "a model is made with torch, which is not installed; "
            "pip install 'parakeet-streaming[export]'"
        )
    from benchmarks.models.random_model import write_random_model

    speech = speech_of(_CALIBRATION_S)
    write_random_model(folder, size, speech, form=form, int8=int8, seed=seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="to write")
    parser.add_argument("--size", choices=SIZES, default=FULL, help="default: %(default)s")
    parser.add_argument("--layers", type=int, help="of the encoder (default: the size's own)")
    parser.add_argument(
        "--streaming",
        choices=FORMS,
        default=WINDOW,
        help="which encoders to write, as `parakeet export` has it (default: %(default)s)",
    )
    parser.add_argument("--int8", action="store_true", help="write int8 encoders beside")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main()
