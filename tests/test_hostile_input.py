"""A table of bad and odd input: each gives its own clear error, or the right text."""

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile
import soxr

import parakeet_streaming
from parakeet_streaming import ContextConfig, Recognizer, load
from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.errors import (
    AudioFormatError,
    AudioInputError,
    AudioNotFoundError,
    ContextError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    OptionError,
    ParakeetError,
    ProviderMissingError,
    StreamClosedError,
)

DIGITS = Path(__file__).parents[1] / "examples" / "recordings" / "digits.wav"
WORDS = "three one four one five nine two six"
TINY_EN = Path(parakeet_streaming.__file__).parent / "builtin" / "tiny-en"


@pytest.fixture(scope="module")
def tiny_en() -> Recognizer:
    return load("tiny-en", threads=1)


def speech() -> np.ndarray:
    samples, _ = soundfile.read(DIGITS, dtype="float32")
    return samples


def read_file(recognizer: Recognizer, path: Path) -> str:
    with open_audio(path) as audio:
        context = ContextConfig(10, 2, 2, sample_rate=audio.rate_hz)
        stream = recognizer.stream(context)
        for block in audio.blocks():
            stream.feed(block)
        stream.finish()
    return stream.transcript().text


# --- audio files that must be understood ------------------------------------------------------


def wav(rate_hz: int = 16_000, subtype: str = "PCM_16", channels: int = 1, suffix: str = ".wav"):
    def make(folder: Path) -> Path:
        samples = soxr.resample(speech(), 16_000, rate_hz)
        path = folder / f"speech{suffix}"
        both = np.stack([samples] * channels, axis=1)
        by_suffix = suffix in (".flac", ".ogg") or subtype.startswith("MPEG")
        container = None if by_suffix else "WAV"
        soundfile.write(path, both, rate_hz, subtype=subtype, format=container)
        return path

    return make


def cut(keep: Callable[[bytes], bytes]):
    def make(folder: Path) -> Path:
        path = folder / "cut.wav"
        path.write_bytes(keep(DIGITS.read_bytes()))
        return path

    return make


GOOD_FILES = {
    "int16": wav(),
    "int24": wav(subtype="PCM_24"),
    "int32": wav(subtype="PCM_32"),
    "uint8": wav(subtype="PCM_U8"),
    "float32": wav(subtype="FLOAT"),
    "float64": wav(subtype="DOUBLE"),
    "mu-law": wav(subtype="ULAW"),
    "stereo": wav(channels=2),
    "six channels": wav(channels=6),
    "8 kHz": wav(8_000),
    "11.025 kHz": wav(11_025),
    "22.05 kHz": wav(22_050),
    "44.1 kHz stereo": wav(44_100, channels=2),
    "48 kHz": wav(48_000),
    "96 kHz": wav(96_000),
    "192 kHz float": wav(192_000, subtype="FLOAT"),
    "flac": wav(suffix=".flac"),
    "ogg": wav(suffix=".ogg", subtype="VORBIS"),
    "opus": wav(48_000, suffix=".ogg", subtype="OPUS"),
    "mp3": wav(suffix=".mp3", subtype="MPEG_LAYER_III"),
    "a wav called .txt": wav(suffix=".txt"),
    "a wav called .mp3": wav(suffix=".mp3"),
    "a wav without a suffix": wav(suffix=""),
    "sizes of 0, as of a killed recorder": cut(
        lambda whole: whole[:4] + b"\x24\0\0\0" + whole[8:40] + b"\0\0\0\0" + whole[44:]
    ),
    "a data size beyond the end": cut(lambda whole: whole[:40] + b"\xf0\xff\xff\x7f" + whole[44:]),
    "an odd byte at the end": cut(lambda whole: whole + b"\x01"),
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_odd_files_give_the_right_text(name: str, tiny_en: Recognizer, tmp_path: Path) -> None:
    said = read_file(tiny_en, GOOD_FILES[name](tmp_path))
    heard = jiwer.process_words(WORDS, said)
    # Eight bits, telephone rates and lossy codecs may cost a digit; anything worse is a defect.
    assert heard.substitutions + heard.deletions + heard.insertions <= 1, said


def test_a_truncated_file_gives_what_is_there(tiny_en: Recognizer, tmp_path: Path) -> None:
    path = cut(lambda whole: whole[: len(whole) // 2])(tmp_path)
    with pytest.raises(AudioFormatError, match=r"is cut off after 2\.20 s"):
        read_file(tiny_en, path)
    stream = tiny_en.stream(ContextConfig(10, 2, 2))
    with contextlib.suppress(AudioFormatError), open_audio(path) as audio:
        for block in audio.blocks():
            stream.feed(block)
    stream.finish()
    assert WORDS.startswith(stream.transcript().text[:-4])


def test_no_samples_give_no_text(tiny_en: Recognizer, tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros(0, np.float32), 16_000)
    assert read_file(tiny_en, path) == ""


# --- audio files that must be refused ---------------------------------------------------------


def holding(content: bytes, name: str = "bad.wav"):
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def float_file(value: float):
    def make(folder: Path) -> Path:
        samples = speech()
        samples[20_000] = value
        soundfile.write(folder / "f.wav", samples, 16_000, subtype="FLOAT")
        return folder / "f.wav"

    return make


BAD_FILES: dict[str, tuple[Callable[[Path], Path], type[ParakeetError], str]] = {
    "missing": (lambda folder: folder / "no.wav", AudioNotFoundError, "check the path"),
    "a folder": (lambda folder: folder, AudioFormatError, "folder"),
    "zero bytes": (holding(b""), AudioFormatError, "empty"),
    "text": (holding(b"hello, this is no audio\n" * 50), AudioFormatError, "bad.wav"),
    "random bytes": (
        holding(np.random.default_rng(0).bytes(5000), "x.flac"),
        AudioFormatError,
        "x.flac",
    ),
    "half a header": (holding(DIGITS.read_bytes()[:20]), AudioFormatError, "bad.wav"),
    "a picture": (holding(b"\x89PNG\r\n\x1a\n" + bytes(200), "a.png"), AudioFormatError, "a.png"),
    "NaN": (float_file(float("nan")), AudioInputError, "20000"),
    "infinity": (float_file(float("inf")), AudioInputError, "20000"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused(name: str, tiny_en: Recognizer, tmp_path: Path) -> None:
    make, error, says = BAD_FILES[name]
    with pytest.raises(error, match=says):
        read_file(tiny_en, make(tmp_path))


# --- samples ----------------------------------------------------------------------------------

GOOD_SAMPLES = {
    "float32": speech(),
    "float64": speech().astype(np.float64),
    "float16": speech().astype(np.float16),
    "int16": (speech() * 32_767).astype(np.int16),
    "int32": (speech() * 2_147_483_000).astype(np.int32),
    "big endian": speech().astype(">f4"),
    "stereo int16": np.stack([(speech() * 32_767).astype(np.int16)] * 2, axis=1),
    "a list": speech().tolist(),
    "not contiguous": np.repeat(speech(), 2)[::2],
    "read-only": np.frombuffer(speech().tobytes(), dtype=np.float32),
    "ten times too loud": speech() * 10,
    "a hundred times too quiet": speech() / 100,
}


@pytest.mark.parametrize("name", GOOD_SAMPLES)
def test_odd_samples_give_the_right_text(name: str, tiny_en: Recognizer) -> None:
    assert tiny_en.transcribe(GOOD_SAMPLES[name]).text == WORDS


BAD_SAMPLES = {
    "NaN": ([0.0, float("nan")], "1"),
    "infinity": ([float("-inf")], "0"),
    "absurd": (np.array([0.0, 3e38], np.float32), "1"),
    "channels first": (np.zeros((2, 16_000), np.float32), "channels"),
    "three axes": (np.zeros((2, 3, 4), np.float32), "shape"),
    "bool": (np.ones(5, bool), "bool"),
    "complex": (np.ones(5, np.complex64), "complex"),
    "text": (np.array(["a"]), "type"),
    "objects": (np.array([None, 1.0], dtype=object), "object"),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_bad_samples_are_refused_and_the_stream_goes_on(name: str, tiny_en: Recognizer) -> None:
    samples, says = BAD_SAMPLES[name]
    stream = tiny_en.stream(ContextConfig(10, 2, 2))
    stream.feed(speech()[:30_000])
    with pytest.raises(AudioInputError, match=says):
        stream.feed(samples)
    stream.feed(speech()[30_000:])
    stream.finish()
    assert stream.transcript().text == WORDS


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.01, 0.1, 3.0])
@pytest.mark.parametrize("level", [0.0, 1e-30, 0.1])
def test_silence_and_a_constant_never_crash(
    tiny_en: Recognizer, seconds: float, level: float
) -> None:
    transcript = tiny_en.transcribe(np.full(round(seconds * 16_000), level, np.float32))
    assert all(np.isfinite(token.confidence) for token in transcript.tokens)


def test_a_closed_stream_refuses_more(tiny_en: Recognizer) -> None:
    stream = tiny_en.stream()
    stream.finish()
    with pytest.raises(StreamClosedError):
        stream.feed([0.0])
    with pytest.raises(StreamClosedError):
        stream.finish()


# --- contexts and options ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "10", "10-2", "10-2-2-2", "a-b-c", "-1-2-2", "10-0-2", "10-0.07-2", "1e9-1-1"]
)
def test_impossible_contexts_are_refused(text: str) -> None:
    with pytest.raises(ContextError):
        ContextConfig.parse(text)


@pytest.mark.parametrize(
    "options",
    [
        {"left": float("nan")},
        {"right": -0.1},
        {"chunk": 0.0},
        {"chunk": "2"},
        {"sample_rate": 0},
        {"sample_rate": 16_000.0},
        {"sample_rate": 10**9},
    ],
)
def test_impossible_numbers_are_refused(options: dict) -> None:
    with pytest.raises(ContextError):
        ContextConfig(**options)


def test_a_window_longer_than_the_model_is_refused(golden_recognizer: Recognizer) -> None:
    with pytest.raises(ContextError, match="400"):
        golden_recognizer.stream(ContextConfig(left=399, chunk=2, right=2))


# --- models -----------------------------------------------------------------------------------


def without(part: str):
    def make(folder: Path) -> Path:
        shutil.copytree(TINY_EN, folder / "model")
        next((folder / "model").glob(part)).unlink()
        return folder / "model"

    return make


def with_content(part: str, content: bytes):
    def make(folder: Path) -> Path:
        shutil.copytree(TINY_EN, folder / "model")
        next((folder / "model").glob(part)).write_bytes(content)
        return folder / "model"

    return make


def only(name: str, content: bytes = b""):
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder

    return make


BAD_MODELS: dict[str, tuple[Callable[[Path], Path], type[ParakeetError], str]] = {
    "no such folder": (lambda folder: folder / "no", ModelNotFoundError, "no"),
    "an empty folder": (lambda folder: folder, ModelPartMissingError, "encoder"),
    "no encoder": (without("encoder*"), ModelPartMissingError, "encoder"),
    "no decoder": (without("decoder*"), ModelPartMissingError, "decoder"),
    "no vocabulary": (without("vocab*"), ModelPartMissingError, "vocab"),
    "a broken encoder": (with_content("encoder*", b"\x08\x07garbage"), ModelFormatError, "encoder"),
    "an empty decoder": (with_content("decoder*", b""), ModelFormatError, "decoder"),
    "an unfetched file": (
        with_content("encoder*", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        ModelFormatError,
        "git lfs pull",
    ),
    "a broken vocabulary": (with_content("vocab*", b"a b c\n"), ModelFormatError, "vocab"),
    "half a vocabulary": (with_content("vocab*", b"<unk> 0\n<blk> 1\n"), ModelFormatError, "vocab"),
    "a broken config": (with_content("config*", b"{"), ModelFormatError, "config"),
    "a config of 80 mel bins": (
        with_content("config*", json.dumps({"features_size": 80}).encode()),
        ModelFormatError,
        "80",
    ),
    "a .nemo file": (only("model.nemo"), ModelFormatError, "nemo"),
    "safetensors": (only("model.safetensors"), ModelFormatError, "safetensors"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_models_are_refused(name: str, tmp_path: Path) -> None:
    make, error, says = BAD_MODELS[name]
    with pytest.raises(error, match=says):
        load(make(tmp_path))


def test_a_folder_without_config_loads(tmp_path: Path) -> None:
    assert load(without("config*")(tmp_path)).transcribe(speech()).text == WORDS


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"provider": "quantum"}, OptionError),
        ({"provider": "cuda"}, ProviderMissingError),
        ({"precision": "int3"}, OptionError),
        ({"precision": "fp32"}, ModelPartMissingError),
        ({"threads": 0}, OptionError),
    ],
)
def test_impossible_loading_is_refused(options: dict, error: type[ParakeetError]) -> None:
    with pytest.raises(error):
        load("tiny-en", **options)


def test_a_wav_of_random_headers_never_escapes_our_errors(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    whole = DIGITS.read_bytes()[:4000]
    for number in range(60):
        broken = bytearray(whole)
        for place in generator.integers(0, 60, size=6):
            broken[place] = int(generator.integers(0, 256))
        path = tmp_path / f"{number}.wav"
        path.write_bytes(broken)
        told = str(path)
        try:
            with open_audio(path) as audio:
                assert all(block.dtype == np.float32 for block in audio.blocks())
        except ParakeetError as error:
            told = str(error)
        assert str(path) in told


def test_bytes_in_memory_are_no_path() -> None:
    with pytest.raises(TypeError):
        open_audio(io.BytesIO(b""))  # type: ignore[arg-type]
