"""What NVIDIA NeMo answers for 208 cases, against our API and our command line, token for token."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from parakeet_streaming import ContextConfig, Recognizer, Stream, Transcript, load
from parakeet_streaming.cli.app import app

GOLDEN = Path(__file__).parent / "golden"
AUDIO = GOLDEN / "audio"
CASES = json.loads((GOLDEN / "golden.json").read_text(encoding="utf-8"))["cases"]
WELL_POSED = [case for case in CASES if not case.get("ill_posed")]
ILL_POSED = [case for case in CASES if case.get("ill_posed")]
CONTEXTS = sorted({json.dumps(case["context"]) for case in CASES})
ONE_BY_ONE_SAMPLES = 5_119

Answer = tuple[list[int], list[int], list[int]]


def case_id(case: dict) -> str:
    context = case["context"]
    name = context if context == "offline" else "-".join(str(seconds) for seconds in context)
    return f"{case['audio']}-{name}"


def expected(case: dict) -> Answer:
    return case["tokens"], case["frames"], case["durations"]


def answer(transcript: Transcript) -> Answer:
    return (
        [token.id for token in transcript.tokens],
        [token.start_frame for token in transcript.tokens],
        [token.duration_frames for token in transcript.tokens],
    )


def samples_of(case: dict) -> np.ndarray:
    samples, rate_hz = soundfile.read(AUDIO / case["audio"], dtype="float32")
    assert rate_hz == 16_000
    assert samples.shape == (case["samples"],)
    return samples


def _context(recognizer: Recognizer, case: dict) -> ContextConfig:
    if case["context"] == "offline":
        return recognizer.offline_context(case["samples"] / 16_000)
    return ContextConfig(*case["context"])


def streamed(recognizer: Recognizer, case: dict, cuts: list[int]) -> Transcript:
    samples = samples_of(case)
    stream = recognizer.stream(_context(recognizer, case))
    for piece in np.split(samples, cuts):
        stream.feed(piece)
    stream.finish()
    return stream.transcript()


def test_every_case_is_here() -> None:
    assert len(CASES) == 208
    assert len(ILL_POSED) == 4


@pytest.mark.parametrize("case", WELL_POSED, ids=case_id)
def test_whole(golden_recognizer: Recognizer, case: dict) -> None:
    if case["context"] == "offline":
        assert answer(golden_recognizer.transcribe(samples_of(case))) == expected(case)
    assert answer(streamed(golden_recognizer, case, [])) == expected(case)


@pytest.mark.parametrize("case", WELL_POSED, ids=case_id)
def test_in_random_slices(golden_recognizer: Recognizer, case: dict) -> None:
    generator = np.random.default_rng(case["samples"])
    cuts = sorted(generator.integers(0, case["samples"] + 1, size=20).tolist())
    assert answer(streamed(golden_recognizer, case, cuts)) == expected(case)


@pytest.mark.parametrize(
    "case",
    [case for case in WELL_POSED if case["samples"] <= ONE_BY_ONE_SAMPLES],
    ids=case_id,
)
def test_one_sample_at_a_time(golden_recognizer: Recognizer, case: dict) -> None:
    cuts = list(range(1, case["samples"]))
    assert answer(streamed(golden_recognizer, case, cuts)) == expected(case)


@pytest.mark.parametrize("case", ILL_POSED, ids=case_id)
def test_ill_posed_cases_run(golden_recognizer: Recognizer, case: dict) -> None:
    transcript = streamed(golden_recognizer, case, [])
    assert transcript.audio_s == case["samples"] / 16_000
    assert all(np.isfinite(token.confidence) for token in transcript.tokens)


@pytest.mark.parametrize("context", CONTEXTS)
def test_command_line(context: str, golden_folder: Path, tmp_path: Path) -> None:
    cases = [case for case in WELL_POSED if json.dumps(case["context"]) == context]
    wanted = json.loads(context)
    how = "--offline" if wanted == "offline" else f"--context={'-'.join(map(str, wanted))}"
    files = [str(AUDIO / case["audio"]) for case in cases]
    result = CliRunner().invoke(
        app,
        [
            "transcribe",
            *files,
            how,
            f"--model={golden_folder / 'tdt-tiny-onnx'}",
            "--format=json",
            f"--output={tmp_path}/",
        ],
    )
    assert result.exit_code == 0, result.output
    for case in cases:
        path = (tmp_path / case["audio"]).with_suffix(".json")
        written = json.loads(path.read_text("utf-8"))
        tokens = written["tokens"]
        assert (
            [token["id"] for token in tokens],
            [token["start_frame"] for token in tokens],
            [token["duration_frames"] for token in tokens],
        ) == expected(case), case_id(case)


@pytest.mark.parametrize("case", WELL_POSED[::7], ids=case_id)
def test_text_is_nemos_without_spaces_before_punctuation(
    golden_recognizer: Recognizer, case: dict
) -> None:
    def bare(text: str) -> str:
        return text.replace(" ", "")

    assert bare(streamed(golden_recognizer, case, []).text) == bare(case["text"])


@pytest.fixture(scope="module", params=["onnxruntime", "openvino"])
def each_runtime(request: pytest.FixtureRequest, golden_folder: Path) -> Recognizer:
    """The golden model in float32, computed by one runtime and then by the other."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="the openvino extra")
    return load(golden_folder / "tdt-tiny-onnx", runtime=request.param, threads=1)


@pytest.mark.parametrize("part", range(12))
def test_in_batches_with_random_joins(each_runtime: Recognizer, part: int) -> None:
    """Every case once, beside others of any context and age; it leaves when it has ended."""
    check_in_mixed_batches(each_runtime, part, parts=12)


def check_in_mixed_batches(recognizer: Recognizer, part: int, parts: int) -> None:
    """One part of all cases, each beside others of any context and age."""
    order = np.random.default_rng(1).permutation(len(WELL_POSED))
    cases = [WELL_POSED[at] for at in order[part::parts]]
    generator = np.random.default_rng(part)
    waiting = [(case, _opened(recognizer, case)) for case in cases]
    inside: list[tuple[dict, Stream]] = []
    while waiting or inside:
        coming = int(generator.integers(1, 5))
        inside += waiting[-coming:]
        del waiting[-coming:]
        recognizer.step([stream for _, stream in inside])
        for case, stream in inside:
            if stream.closed:
                assert answer(stream.transcript()) == expected(case), case_id(case)
        inside = [(case, stream) for case, stream in inside if not stream.closed]


@pytest.mark.parametrize("case", WELL_POSED[::5], ids=case_id)
def test_alone_with_openvino(case: dict, golden_folder: Path) -> None:
    pytest.importorskip("openvino", reason="the openvino extra")
    recognizer = load(golden_folder / "tdt-tiny-onnx", runtime="openvino", threads=1)
    assert answer(streamed(recognizer, case, [])) == expected(case)


def _opened(recognizer: Recognizer, case: dict) -> Stream:
    stream = recognizer.stream(_context(recognizer, case))
    stream.push(samples_of(case))
    stream.end()
    return stream
