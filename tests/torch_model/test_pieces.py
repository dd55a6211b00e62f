"""Pieces with their types give the text that the tokenizer itself writes."""

import io
import json
import re
from contextlib import suppress
from random import Random

import pytest

sentencepiece = pytest.importorskip("sentencepiece", reason="the export extra")

from parakeet_streaming.errors import ModelFormatError
from parakeet_streaming.torch_model.pieces import pieces_of, pieces_of_json
from parakeet_streaming.torch_model.settings import Settings
from tests.torch_model.foreign import PIECES, TOKENIZER

TEXTS = ("naïve café 5 €", "one two", "the <blk> is blank", "two\nlines", "☃ is snow", "Ω")


def text(pieces, ids):
    """What a reader makes of the pieces: runs of bytes are UTF-8, "▁" is a space."""
    written, run = "", b""
    for index in [*ids, None]:
        if index in pieces.bytes_:
            run += bytes(int(each, 16) for each in re.findall("<0x(..)>", pieces[index]))
            continue
        written, run = written + run.decode("utf-8", "replace"), b""
        if index is None or index in pieces.control:
            continue
        unknown = index in pieces.unknown
        written += pieces.unknown_text if unknown else pieces[index].replace("▁", " ")
    return written.strip()


@pytest.fixture(scope="module", params=["bpe", "unigram"])
def trained(request):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["one two three four five six seven eight nine zero"] * 9),
        model_writer=model,
        model_type=request.param,
        vocab_size=320,
        byte_fallback=True,
        hard_vocab_limit=False,
        unk_surface=" ?? ",
        user_defined_symbols=["<blk>", "\n", "<pad>", "of▁", "a▁b"],
        control_symbols=["<|en|>", "<quiet>"],
        minloglevel=2,
    )
    return model.getvalue()


def test_texts_are_those_of_sentencepiece(trained):
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=trained)
    pieces = pieces_of(trained, "tokenizer.model")
    for each in (*TEXTS, "<pad> of a b"):
        ids = tokenizer.encode(each)
        assert text(pieces, ids) == tokenizer.decode(ids).strip() == each.strip()


def test_types_are_those_of_sentencepiece(trained):
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=trained)
    pieces = pieces_of(trained, "tokenizer.model")
    assert pieces.control == {tokenizer[name] for name in ("<s>", "</s>", "<|en|>", "<quiet>")}
    assert pieces.unknown == {tokenizer.unk_id()}
    assert len(pieces.bytes_) == 256
    ids = [tokenizer["▁"], *pieces.unknown, *pieces.control, tokenizer["<blk>"]]
    assert pieces.unknown_text == " ?? "
    assert text(pieces, ids) == tokenizer.decode(ids).strip() == "?? <blk>"


def test_pieces_by_id():
    pieces = pieces_of(TOKENIZER.read_bytes(), "tokenizer.model")
    assert pieces == PIECES
    assert pieces.control == {1}
    assert pieces.unknown_text == " \u2047 "


@pytest.mark.parametrize("model", [b"", b"no model", TOKENIZER.read_bytes()[:100]])
def test_no_model_is_refused(model):
    with pytest.raises(ModelFormatError, match=r"tokenizer\.model is no sentencepiece model"):
        pieces_of(model, "tokenizer.model")


SPACES = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
UNDERLINES = {**SPACES, "replacement": "_"}
FALLBACK = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0},
    ],
}
LETTERS = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}

# Pieces, their decoder, tokens that are written.
JSON = {
    "spaces anywhere": (["▁a", "b▁", "c▁d"], SPACES, [0, 1, 2, 0]),
    "bytes that stay names": (["▁a", "<0xC3>", "<0xA9>"], SPACES, [0, 1, 2]),
    "bytes": (["▁a", "<0xC3>", "<0xA9>", "<0x41>"], FALLBACK, [0, 1, 2, 3, 0, 1, 2]),
    "another sign for spaces": (["_a", "b▁", "_c"], UNDERLINES, [0, 1, 2]),
    "letters that are bytes": (
        ["caf", "Ã©", "ĠâĤ", "¬", "Ġb", "Ċ"],
        LETTERS,
        [0, 1, 2, 3, 4, 5, 4],
    ),
    "a sign in letters": (["Ġa", "âĸģ", "b"], LETTERS, [0, 1, 2]),
    "special and unknown": (["<unk>", "▁a", "<s>", "<|x|>"], SPACES, [1, 2, 0, 3, 1]),
}


@pytest.mark.parametrize("kind", ["BPE", "Unigram", "WordLevel"])
@pytest.mark.parametrize(("named", "decoder", "ids"), JSON.values(), ids=JSON)
def test_texts_are_those_of_tokenizers(named, decoder, ids, kind):
    tokenizers = pytest.importorskip("tokenizers", reason="what transformers uses")
    vocabulary = {piece: index for index, piece in enumerate(named)}
    unknown = "<unk>" if "<unk>" in named else None
    models = {
        "BPE": {"type": kind, "vocab": vocabulary, "merges": [], "unk_token": unknown},
        "WordLevel": {"type": kind, "vocab": vocabulary, "unk_token": "<unk>"},
        "Unigram": {
            "type": kind,
            "vocab": [[piece, -1.0] for piece in named],
            "unk_id": None if unknown is None else 0,
            "byte_fallback": False,
        },
    }
    told = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                **{"id": vocabulary["<s>"], "content": "<s>", "special": True},
                **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
            }
        ]
        if "<s>" in named
        else [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": decoder,
        "model": models[kind],
    }
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(told))
    pieces = pieces_of_json(Settings(told, "tokenizer.json"), len(named))
    assert text(pieces, ids) == tokenizer.decode(ids, skip_special_tokens=True).strip()


@pytest.mark.parametrize("kind", ["WordPiece", "CTC", "BPEDecoder"])
def test_another_way_to_text_is_refused(kind):
    told = {"model": {"vocab": {"a": 0}}, "decoder": {"type": kind}}
    for decoder in (told["decoder"], {"type": "Sequence", "decoders": [told["decoder"]]}):
        with pytest.raises(ModelFormatError, match=f"a decoder '{kind}' makes text of pieces"):
            pieces_of_json(Settings({**told, "decoder": decoder}, "tokenizer.json"), 1)


def test_special_tokens_behind_the_blank_are_no_pieces():
    told = {
        "model": {"vocab": {"a": 0, "b": 1}},
        "added_tokens": [{"id": 2, "content": "<pad>", "special": True}, {"id": 1}, 3],
    }
    pieces = pieces_of_json(Settings(told, "tokenizer.json"), 2)
    assert pieces == ("a", "b")
    assert not pieces.control


def test_pieces_that_are_no_utf_8_are_refused():
    model = TOKENIZER.read_bytes()
    piece = PIECES[10].encode()
    broken = model.replace(piece, b"\xff" * len(piece))
    assert broken != model
    with pytest.raises(ModelFormatError, match="no sentencepiece model"):
        pieces_of(broken, "a.model")


@pytest.mark.parametrize("seed", range(300))
def test_a_broken_model_is_one_error(seed):
    random = Random(seed)
    model = bytearray(TOKENIZER.read_bytes())
    for _ in range(random.randint(1, 8)):
        model[random.randrange(len(model))] = random.randrange(256)
    with suppress(ModelFormatError):
        pieces_of(bytes(model[: random.randint(1, len(model) * 2)]), "a.model")


@pytest.mark.parametrize("piece", ["\ud800", "a\udfffb"])
def test_half_a_character_is_no_piece(piece):
    told = {"model": {"vocab": {"a": 0, piece: 1}}}
    with pytest.raises(ModelFormatError, match="half a character") as raised:
        pieces_of_json(Settings(told, "tokenizer.json"), 2)
    str(raised.value).encode()


@pytest.mark.parametrize(
    "kind", ["x" * 10**6, ["a"] * 10**5, "\x1b]0;T\x07", 10**9000], ids=range(4)
)
def test_a_decoder_of_any_name_is_few_words(kind):
    told = {"model": {"vocab": {"a": 0}}, "decoder": {"type": kind}}
    with pytest.raises(ModelFormatError, match="makes text of pieces") as raised:
        pieces_of_json(Settings(told, "tokenizer.json"), 1)
    assert len(str(raised.value)) < 600
