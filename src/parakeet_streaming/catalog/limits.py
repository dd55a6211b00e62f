"""What the files of a model may say at most: every bound on a number that is read from them.

A file comes from outside. Without bounds one number in it would ask for more memory or time than
there is. Each bound is far above what real models have, which its comment says.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.errors import ModelFormatError

MOST_MEL_BINS: Final = 512
"""F is 80 or 128; a spectrum of 512 samples has 257 bins to make them of."""
MOST_WIDTH: Final = 16_384
"""Of the encoder and of the prediction network: 512, 640 or 1024."""
MOST_LSTM_LAYERS: Final = 16
"""1 or 2."""
MOST_ENCODER_LAYERS: Final = 128
"""Of a cached encoder, which keeps something of each: 17, 24 or 42."""
MOST_REACH: Final = 128
"""Frames that a convolution of a cached encoder reaches back to: 4."""
MOST_PAST_VALUES: Final = 2**24
"""Numbers that a cached encoder keeps for its convolutions, in all layers: 24 · 4 · 1024."""
MOST_TOKENS_A_FRAME: Final = 100
"""`max_tokens_per_step`, tokens in 80 ms: 10."""
MOST_PIECES: Final = 2**20
"""Of a vocabulary, and ids in it: 1,025 or 8,193; the largest vocabularies of language models have
256,000."""
MOST_PIECE_CHARACTERS: Final = 4_096
"""Of one piece, and of what is written for an unknown one: some 16."""

MOST_TEXT_BYTES: Final = 32 * 2**20
"""Of a vocabulary, a `config.json` or a `pieces.json`: a few hundred KB."""
MOST_GRAPH_BYTES: Final = 2**31
"""Of one .onnx file: protobuf reads no larger message. Larger weights lie in files beside it."""
MOST_DECODER_BYTES: Final = 2**31
"""Of a decoder and a joiner with their weights, which are read whole: 70 MB in fp32."""
MOST_ENCODER_BYTES: Final = 2**36
"""Of an encoder with its weights, 64 GiB: 2.5 GB with 0.6 billion weights in fp32."""
MOST_SKELETON_BYTES: Final = 64 * 2**20
"""Of an .onnx file without its weights, all of which is parsed: a few MB."""
MOST_SKELETON_FIELDS: Final = 1_000_000
"""Fields of an .onnx file that are looked at one by one, two seconds of work: some 20,000."""
MOST_NESTING: Final = 100
"""Messages inside of messages: protobuf reads no deeper ones."""
MOST_TENSORS: Final = 1_000
"""Inputs and outputs of a graph: three to ten."""
MOST_RANK: Final = 16
"""Dimensions of an input or output: four."""
MOST_NAME_CHARACTERS: Final = 1_024
"""Of the name of an input, an output, an operator or a dimension."""
MOST_GRAPHS: Final = 1_000
"""Files .onnx in a model's folder: two or three for each precision."""


_TOO_LARGE: Final = 10**20
"""What stands for every number that is larger; no bound is near it."""


def whole_number(digits: str) -> int:
    """The number that decimal digits mean. Thousands of them are not converted."""
    return int(digits) if len(digits) <= len(str(_TOO_LARGE)) else 10 * _TOO_LARGE


def refuse_beyond(what: str, value: int, most: int, *, least: int = 1) -> None:
    """Refuses a number of a file that no model has.

    Args:
        what: the file, and what the number is there.
        value: the number.
        most: one of the bounds above.
        least: the smallest that makes sense.

    Raises:
        ModelFormatError: it lies outside.
    """
    if not least <= value <= most:
        found = f"{value}" if abs(value) <= _TOO_LARGE else "a number of many digits"
        raise ModelFormatError(
            f"{what} is {found}; {least} to {most} is possible: use a Parakeet export"
        )
