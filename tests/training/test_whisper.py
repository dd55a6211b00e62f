import numpy as np
import pytest

ctranslate2 = pytest.importorskip("ctranslate2", reason="the training group")
tokenizers = pytest.importorskip("tokenizers", reason="the training group")

from ctranslate2.specs import whisper_spec

from parakeet_streaming.errors import ModelFormatError, ModelPartMissingError
from training.teacher import VECTOR_SAMPLES, WINDOW_VECTORS
from training.whisper import whisper_encoder

WIDTH = 16
WORDS = 60
BANDS = 80


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Whisper of one layer with random weights, as CTranslate2 keeps it."""
    folder = tmp_path_factory.mktemp("whisper")
    spec = whisper_spec.WhisperSpec(1, 2, 1, 2)
    random = np.random.default_rng(0)

    def filled(layer, rows, columns, *more):
        scale = 0.5 / np.sqrt(columns)
        layer.weight = random.normal(0, scale, (rows, columns, *more)).astype(np.float32)
        layer.bias = np.zeros(rows, np.float32)

    def normed(layer):
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def transformed(layer, attentions):
        for attention, sizes in attentions:
            normed(attention.layer_norm)
            for linear, rows in zip(attention.linear, sizes, strict=True):
                filled(linear, rows, WIDTH)
        normed(layer.ffn.layer_norm)
        filled(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
        filled(layer.ffn.linear_1, WIDTH, 4 * WIDTH)

    alone, across = (3 * WIDTH, WIDTH), (WIDTH, 2 * WIDTH, WIDTH)
    encoder, decoder = spec.encoder, spec.decoder
    filled(encoder.conv1, WIDTH, BANDS, 3)
    filled(encoder.conv2, WIDTH, WIDTH, 3)
    encoder.position_encodings.encodings = np.zeros((1500, WIDTH), np.float32)
    normed(encoder.layer_norm)
    transformed(encoder.layer[0], [(encoder.layer[0].self_attention, alone)])
    layer = decoder.layer[0]
    transformed(layer, [(layer.self_attention, alone), (layer.attention, across)])
    decoder.embeddings.weight = random.normal(0, 1, (WORDS, WIDTH)).astype(np.float32)
    decoder.position_encodings.encodings = np.zeros((448, WIDTH), np.float32)
    decoder.scale_embeddings = False
    filled(decoder.projection, WORDS, WIDTH)
    normed(decoder.layer_norm)
    words = [f"w{index}" for index in range(WORDS)]
    spec.register_vocabulary(words)
    spec.validate()
    spec.save(str(folder))
    vocabulary = {word: index for index, word in enumerate(words)}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="w0")
    tokenizers.Tokenizer(model).save(str(folder / "tokenizer.json"))
    return folder


def test_a_window_gives_25_vectors_a_second_where_its_sounds_are(tiny):
    encode = whisper_encoder(tiny, threads=1)
    quiet = np.random.default_rng(1).normal(0, 0.01, WINDOW_VECTORS * VECTOR_SAMPLES)
    quiet = quiet.astype(np.float32)
    still = encode(quiet)
    assert still.shape == (WINDOW_VECTORS, WIDTH)
    assert still.dtype == np.float32
    for at in (0, 100, WINDOW_VECTORS - 2):
        loud = quiet.copy()
        loud[at * VECTOR_SAMPLES : (at + 1) * VECTOR_SAMPLES] *= 20
        changed = np.square(encode(loud) - still).sum(axis=1)
        assert abs(int(changed.argmax()) - at) <= 1


def test_a_folder_without_whisper_is_refused(tiny, tmp_path):
    with pytest.raises(ModelPartMissingError, match=r"model\.bin"):
        whisper_encoder(tmp_path, threads=1)
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    (tmp_path / "model.bin").write_bytes(b"no model at all")
    with pytest.raises(ModelFormatError, match="Whisper"):
        whisper_encoder(tmp_path, threads=1)
