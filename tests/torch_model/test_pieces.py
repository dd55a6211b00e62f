import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.pieces import pieces_of
from tests.torch_model.foreign import PIECES, TOKENIZER


def test_pieces_by_id():
    assert pieces_of(TOKENIZER.read_bytes(), "tokenizer.model") == PIECES


@pytest.mark.parametrize("model", [b"", b"no model", TOKENIZER.read_bytes()[:100]])
def test_no_model_is_refused(model):
    with pytest.raises(ModelFormatError, match=r"tokenizer\.model is no sentencepiece model"):
        pieces_of(model, "tokenizer.model")
