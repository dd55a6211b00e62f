"""What graphs declare and their metadata say: sizes of axes, numbers, texts."""

from collections.abc import Iterator
from contextlib import suppress

from fuzz.choices import Choices
from fuzz.scratch import scratch_folder
from fuzz.small_model import Size, Sizes, write_model
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec
from parakeet_streaming.errors import ParakeetError

KEYS = ("feat_dim", "vocab_size", "pred_rnn_layers", "pred_hidden", "subsampling_factor")
USUAL = Sizes()


def run(data: bytes) -> None:
    choices = Choices(data)
    folder = scratch_folder("numbers")
    sizes = Sizes(
        _size(choices, USUAL.mel_bins),
        _size(choices, USUAL.encoder_width),
        _size(choices, USUAL.layers),
        _size(choices, USUAL.predictor_width),
        _size(choices, USUAL.scores),
    )
    table_rows = choices.number(0, 2**31) if choices.flag() else 0
    metadata = {choices.one_of(KEYS): choices.plain_text() for _ in choices.times(4)}
    write_model(folder, sizes, metadata, table_rows)
    with suppress(ParakeetError):
        spec = read_spec(find_parts(folder))
        declared = (spec.encoder_width, spec.predictor_layers, spec.predictor_width)
        assert min(*declared, spec.mel_bins, spec.max_symbols) > 0, f"a size of 0: {spec}"


def _size(choices: Choices, usual: Size) -> Size:
    kind = choices.number(0, 3)
    if kind == 0:
        return usual
    return "open" if kind == 1 else choices.number(-(2**63), 2**63 - 1)


def seeds() -> Iterator[bytes]:
    yield b""
    yield bytes((0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 3)) + b"128"
    yield bytes((2, 128)) + bytes(7) + bytes((0, 0, 0, 0, 0, 1, 1)) + b"5"
