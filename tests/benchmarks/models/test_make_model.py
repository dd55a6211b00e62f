import numpy as np
import onnx
import onnx_asr
import pytest

from parakeet_streaming import load

SECONDS = 20


@pytest.fixture(scope="module")
def forms(program, random_folder):
    """The model's window form and its cached form."""
    opening = program("opening")
    return [opening.open_model(str(random_folder), opening.Choice(cached=each, threads=1))
            for each in (False, True)]  # fmt: skip


@pytest.fixture(scope="module")
def book(program):
    return program("speech").speech_of(SECONDS)


def test_tokens_come_as_often_as_in_speech_and_last_differently(random_folder, book):
    tokens = load(random_folder, threads=1).transcribe(book).tokens
    assert 2.5 < len(tokens) / SECONDS < 4.5
    assert len({token.duration_frames for token in tokens}) >= 3
    assert len({token.id for token in tokens}) > 10


def test_both_forms_give_one_answer_for_a_whole_window(forms, book):
    heard = [opened.recognizer().transcribe(book).tokens for opened in forms]
    assert [token.id for token in heard[0]] == [token.id for token in heard[1]]
    frames = [opened.encoder.encode([book])[0] for opened in forms]
    np.testing.assert_allclose(*frames, atol=1e-3)


def test_a_cached_stream_runs_on_the_cached_form(forms, book):
    stream = forms[1].recognizer().stream(cached=True)
    stream.feed(book[:48_000])
    assert stream.finish()[-1].transcript.tokens


def test_in_int8_tokens_come_as_often(run, book, tmp_path):
    pytest.importorskip("torch", reason="the export extra")
    done = run("models.make_model", "--size", "tiny", "--to", tmp_path / "model", "--int8")
    assert done.returncode == 0, done.stderr
    recognizer = load(tmp_path / "model", precision="int8", runtime="onnxruntime", threads=1)
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
