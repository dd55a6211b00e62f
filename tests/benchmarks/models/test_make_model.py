import numpy as np
import onnx
import onnx_asr
import pytest

from benchmarks.models.runtimes import form_of, keeps_past, open_model, parts_of
from benchmarks.speech.book import speech_of
from parakeet_streaming import load

SECONDS = 20


@pytest.fixture(scope="module")
def forms(random_folder):
    """Recognizers of the model's window form and of its cached form."""
    return [
        open_model(str(random_folder), "onnxruntime", cached=cached, threads=1)
        for cached in (False, True)
    ]


@pytest.fixture(scope="module")
def book():
    return speech_of(SECONDS)


def test_tokens_come_as_often_as_in_speech_and_last_differently(random_folder, book):
    tokens = load(random_folder, threads=1).transcribe(book).tokens
    assert 2.5 < len(tokens) / SECONDS < 4.5
    assert len({token.duration_frames for token in tokens}) >= 3
    assert len({token.id for token in tokens}) > 10


def test_both_forms_give_one_answer_for_a_whole_window(forms, random_folder, book):
    from benchmarks.models.random_model import encoder_frames_of

    tokens = [recognizer.transcribe(book).tokens for recognizer in forms]
    assert [token.id for token in tokens[0]] == [token.id for token in tokens[1]]
    frames = [
        encoder_frames_of(folder, book) for folder in (random_folder, random_folder / "cached")
    ]
    np.testing.assert_allclose(*frames, atol=1e-3)


def test_each_form_stands_in_its_folder(random_folder, golden_folder):
    model = str(random_folder)
    assert form_of(model, cached=False) == model
    assert form_of(model, cached=True) == str(random_folder / "cached")
    assert keeps_past(model)
    assert parts_of(model, "onnxruntime").encoder.path.parent == random_folder
    plain = str(golden_folder / "tdt-tiny-onnx")
    assert form_of(plain, cached=True) == plain
    assert not keeps_past(plain)


def test_a_cached_stream_runs_on_the_cached_form(forms, book):
    stream = forms[1].stream(cached=True)
    stream.feed(book[:48_000])
    assert stream.finish()[-1].transcript.tokens


def test_in_int8_tokens_come_as_often(run, book, tmp_path):
    pytest.importorskip("torch", reason="the export extra")
    folder = tmp_path / "model"
    done = run(
        "models.make_model", "--size", "tiny", "--to", folder, "--int8", "--streaming", "both"
    )
    assert done.returncode == 0, done.stderr
    for form in (folder, folder / "cached"):
        recognizer = load(form, precision="int8", runtime="onnxruntime", threads=1)
        assert 2 < len(recognizer.transcribe(book).tokens) / SECONDS < 5


def test_layers_have_weights_of_their_own(random_folder):
    graph = onnx.load(random_folder / "encoder-model.onnx").graph
    weights = [each.raw_data for each in graph.initializer if len(each.dims) == 2]
    assert len(weights) > 10
    assert len(set(weights)) == len(weights)


def test_a_peer_reads_the_same_folder(random_folder, book):
    theirs = onnx_asr.load_model("nemo-conformer-tdt", random_folder).with_timestamps()
    ours = load(random_folder, threads=1).transcribe(book)
    assert len(theirs.recognize(book).tokens) == pytest.approx(len(ours.tokens), abs=2)


def test_a_folder_with_something_in_it_is_left_alone(run, random_folder):
    done = run("models.make_model", "--size", "tiny", "--to", random_folder)
    assert done.returncode == 1
    assert "is not empty" in done.stderr
