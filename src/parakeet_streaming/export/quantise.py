"""A folder with float32 graphs in; the same model with int8 weights out, in any folder.

In an encoder, matrix products are quantised: weights to int8 with one scale per column, activations
when they are computed, with one scale per call or per row. With one scale per call a model is
fastest for one stream, but streams cannot share its calls, because they would change each other's
text. With one scale per row, streams share calls; small layers take a sixth longer, wide ones do
not. Convolutions stay in float32: they have few weights, and int8 makes them slower.

The decoder_joint has a scale per block (`block_scales.py`): its rows, each a frame of a stream,
must not depend on each other.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Final

from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic

from parakeet_streaming.catalog.temporary import temporary_folder
from parakeet_streaming.errors import ModelPartMissingError, OptionError
from parakeet_streaming.export.block_scales import scale_blocks
from parakeet_streaming.export.external_weights import data_file
from parakeet_streaming.export.onnx_files import CACHED_ENCODER_FILE, DECODER_FILE, ENCODER_FILE
from parakeet_streaming.export.row_scales import scale_rows
from parakeet_streaming.export.vocabulary_files import PIECES_NAME, VOCABULARY_NAME

SCALES: Final = ("call", "row")
"""What shares one scale of activations."""


def write_int8(source: Path, folder: Path, *, scale: str = "call", seven_bits: bool = True) -> None:
    """Writes an int8 form of the model in `source` into `folder`, with all that `load()` needs.

    Args:
        source: a folder that `write_model` wrote.
        folder: where the int8 form goes; may be `source`.
        scale: one of `SCALES`.
        seven_bits: keep weights within seven bits. Processors without VNNI add pairs of products
            in 16 bits, which eight-bit weights overflow.

    Raises:
        OptionError: no such scale.
        ModelPartMissingError: no float32 encoder in `source`.
    """
    if scale not in SCALES:
        raise OptionError(f"{scale!r} is no scale; use {' or '.join(SCALES)}")
    encoders = [source / name for name in (ENCODER_FILE, CACHED_ENCODER_FILE)]
    encoders = [encoder for encoder in encoders if encoder.is_file()]
    if not encoders:
        raise ModelPartMissingError(
            f"{source / ENCODER_FILE} is missing; export the model in float32 first"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for encoder in encoders:
        target = folder / f"{encoder.stem}.int8.onnx"
        if scale == "row":
            scale_rows(encoder, target, top=63 if seven_bits else 127)
        else:
            _scale_calls(encoder, target, seven_bits)
    decoder = source / DECODER_FILE
    scale_blocks(decoder, folder / f"{decoder.stem}.int8.onnx", top=63 if seven_bits else 127)
    if folder.resolve() != source.resolve():
        (folder / PIECES_NAME).unlink(missing_ok=True)
        names = [PIECES_NAME] if (source / PIECES_NAME).is_file() else []
        for name in (*names, VOCABULARY_NAME, "config.json"):
            shutil.copyfile(source / name, folder / name)


def _scale_calls(encoder: Path, target: Path, seven_bits: bool) -> None:
    beside = data_file(encoder).is_file()
    with tempfile.TemporaryDirectory(dir=temporary_folder()) as scratch:
        prepared = Path(scratch) / encoder.name
        quant_pre_process(
            str(encoder),
            str(prepared),
            skip_symbolic_shape=True,
            save_as_external_data=beside,
            all_tensors_to_one_file=True,
            external_data_location=data_file(prepared).name,
        )
        _quantise(prepared, target, seven_bits, beside)


def _quantise(source: Path, target: Path, seven_bits: bool, beside: bool) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            source,
            target,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=seven_bits,
            weight_type=QuantType.QInt8,
            use_external_data_format=beside,
        )
    finally:
        root.setLevel(level)
