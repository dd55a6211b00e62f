"""`parakeet transcribe`, in process: formats, outputs, contexts, several files, standard input."""

import io
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import parakeet_streaming
from parakeet_streaming.cli.app import app, main
from parakeet_streaming.cli.transcribe import transcribe
from parakeet_streaming.errors import OptionError
from tests.catalog.graphs import GOLDEN

RECORDINGS = Path(__file__).parents[2] / "examples" / "recordings"
DIGITS = str(RECORDINGS / "digits.wav")
PHONE = str(RECORDINGS / "phone.wav")
LONG_S = 60.0
SAID = "three one four one five nine two six"
DIALLED = "zero eight zero zero five five seven two three four"


def parakeet(*arguments: str, piped: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["transcribe", *arguments], input=piped)


def test_clean_text_when_piped() -> None:
    result = parakeet(DIGITS)
    assert result.exit_code == 0
    assert result.stdout == f"{SAID}\n"
    assert result.stderr == ""


@pytest.mark.parametrize(
    "how", [("--offline",), ("--preset=balanced",), ("--context=10-1-1",), ("--context=balanced",)]
)
def test_contexts(how: tuple[str, ...]) -> None:
    assert parakeet(DIGITS, *how).stdout == f"{SAID}\n"


def test_cached_wants_a_model_that_was_exported_for_it() -> None:
    result = parakeet(DIGITS, "--cached", f"--model={GOLDEN}")
    assert result.exit_code == 1
    assert "--streaming cached" in result.stderr


def test_cached_works_with_the_built_in_model() -> None:
    for context in ("balanced", "10-2-2"):
        assert parakeet(DIGITS, "--cached", f"--context={context}").stdout == f"{SAID}\n"


def test_the_runtime_can_be_chosen() -> None:
    pytest.importorskip("openvino", reason="the openvino extra")
    assert parakeet(DIGITS, "--runtime=openvino").stdout == f"{SAID}\n"


def test_json_is_one_object_with_every_field() -> None:
    written = json.loads(parakeet(DIGITS, "--format=json", "--preset=low_latency").stdout)
    assert written["source"] == DIGITS
    assert written["model"] == "tiny-en"
    assert written["context"] == {
        "asked": {"left": 2.0, "chunk": 0.25, "right": 0.25},
        "effective": {"left": 2.0, "chunk": 0.24, "right": 0.24},
    }
    assert written["latency_s"] == 0.48
    assert written["audio_s"] == pytest.approx(4.394, abs=1e-3)
    assert written["processing_s"] > 0
    assert "".join(token["text"] for token in written["tokens"]) == written["text"]
    for token in written["tokens"]:
        assert set(token) == {
            *("id", "text", "start", "end", "duration_frames", "start_frame", "confidence"),
        }
        assert token["start"] == pytest.approx(token["start_frame"] * 0.08)
    assert [word["text"] for word in written["words"]] == written["text"].split()
    assert written["segments"][0]["text"] == written["text"]


def test_json_of_offline_has_no_latency() -> None:
    written = json.loads(parakeet(DIGITS, "--format=json", "--offline").stdout)
    assert written["context"] is None
    assert written["latency_s"] is None
    assert written["text"] == SAID


def test_jsonl_is_a_line_per_step_and_the_whole() -> None:
    lines = parakeet(DIGITS, "--format=jsonl", "--context=5-1-1").stdout.splitlines()
    *partials, utterance, final = [json.loads(line) for line in lines]
    assert {partial["type"] for partial in partials} == {"partial"}
    assert (utterance["type"], utterance["text"]) == ("final", SAID)
    assert "".join(partial["text"] for partial in partials) == SAID
    assert any(partial["tentative_text"] for partial in partials)
    assert partials[-1]["tentative_text"] == ""
    assert final["type"] == "transcript"
    assert final["text"] == SAID


def test_subtitles() -> None:
    srt = parakeet(DIGITS, "--format=srt").stdout
    assert srt.startswith("1\n00:00:00,")
    assert SAID in srt
    assert parakeet(DIGITS, "--format=vtt").stdout.startswith("WEBVTT\n\n00:00:00.")


def test_subtitles_of_several_recordings_have_one_header_and_one_numbering() -> None:
    vtt = parakeet(DIGITS, PHONE, "--format=vtt").stdout
    assert vtt.count("WEBVTT") == 1
    assert f"\nNOTE {PHONE}\n" in vtt
    srt = parakeet(DIGITS, PHONE, "--format=srt").stdout.split("\n\n")
    assert [cue.split("\n")[0] for cue in srt] == [str(at + 1) for at in range(len(srt))]


def test_one_failing_file_does_not_stop_the_others(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    result = parakeet(DIGITS, str(broken), "no-such.wav", PHONE)
    assert result.exit_code == 1
    assert SAID in result.stdout
    assert DIALLED in result.stdout
    assert f"==> {PHONE} <==" in result.stdout
    assert str(broken) in result.stderr
    assert "no-such.wav" in result.stderr


def test_what_was_read_of_a_broken_file_is_kept(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(DIGITS, dtype="float32")
    samples = np.concatenate([samples, [np.nan]])
    broken = tmp_path / "broken.wav"
    soundfile.write(broken, samples, rate_hz, subtype="FLOAT")
    result = parakeet(str(broken), PHONE, f"--output={tmp_path}")
    assert result.exit_code == 1
    assert "broken.wav" in result.stderr
    assert (tmp_path / "broken.txt").read_text().startswith("three one four one five nine two")
    assert (tmp_path / "phone.txt").read_text() == f"{DIALLED}\n"


def test_output_file_and_folder(tmp_path: Path) -> None:
    assert parakeet(DIGITS, f"--output={tmp_path / 'said.srt'}", "--format=srt").stdout == ""
    assert SAID in (tmp_path / "said.srt").read_text()
    assert parakeet(DIGITS, PHONE, f"--output={tmp_path}/new/").exit_code == 0
    assert (tmp_path / "new" / "digits.txt").read_text() == f"{SAID}\n"
    assert (tmp_path / "new" / "phone.txt").read_text() == f"{DIALLED}\n"


def test_names_that_would_clash_keep_their_suffix(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(DIGITS)
    soundfile.write(tmp_path / "a.wav", samples, rate_hz)
    soundfile.write(tmp_path / "a.flac", samples, rate_hz)
    inputs = [str(tmp_path / "a.wav"), str(tmp_path / "a.flac")]
    assert parakeet(*inputs, f"--output={tmp_path}/out/").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.flac.txt",
        "a.wav.txt",
    ]


def nothing_is_loaded(*_: object, **__: object) -> None:
    raise AssertionError("refused too late")


@pytest.mark.parametrize(
    "written", ["--output=talk.wav", "--output=TALK.srt", "--realtime --report=talk.wav"]
)
def test_a_recording_is_not_written_over(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("parakeet_streaming.cli.transcribe.load", nothing_is_loaded)
    shutil.copy(DIGITS, "talk.wav")
    os.link("talk.wav", "TALK.srt")
    result = parakeet("talk.wav", *written.split())
    assert isinstance(result.exception, OptionError)
    assert Path("talk.wav").read_bytes() == Path(DIGITS).read_bytes()


def test_a_recording_that_is_called_as_its_text_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parakeet_streaming.cli.transcribe.load", nothing_is_loaded)
    shutil.copy(DIGITS, tmp_path / "rec.txt")
    result = parakeet(str(tmp_path / "rec.txt"), f"--output={tmp_path}")
    assert "is an input" in str(result.exception)
    assert (tmp_path / "rec.txt").read_bytes() == Path(DIGITS).read_bytes()


def test_files_are_looked_at_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parakeet_streaming.cli.transcribe.load", nothing_is_loaded)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    (tmp_path / "empty.flac").write_bytes(b"")
    names = ["no-such.wav", *(str(tmp_path / name) for name in ("broken.wav", "empty.flac"))]
    result = parakeet(*names, str(tmp_path), "--model=parakeet-tdt-0.6b-v3")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 4
    assert all(name in line for name, line in zip(names, lines, strict=False))


def test_a_recording_without_sound_leaves_the_older_result(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.int16), 16_000)
    (tmp_path / "empty.txt").write_text("old")
    result = parakeet(str(tmp_path / "empty.wav"), f"--output={tmp_path}")
    assert result.exit_code == 1
    assert (tmp_path / "empty.txt").read_text() == "old"


def stereo(left: float, right: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    samples, _ = soundfile.read(DIGITS, dtype="float32")
    return np.stack([left * samples, right * samples], axis=1)


def test_channels_that_cancel_each_other_are_told_and_one_can_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "film.flac"
    soundfile.write(path, stereo(0.9, -0.9), 16_000)
    result = parakeet(str(path))
    assert "--channels left or right" in result.stderr
    for side in ("left", "RIGHT"):
        result = parakeet(str(path), f"--channels={side}")
        assert (result.stdout, result.stderr) == (f"{SAID}\n", "")
    soundfile.write(path, stereo(0.9, 0.0), 16_000)
    assert parakeet(str(path)).stderr == ""
    assert parakeet(str(path), "--channels=right").stdout == ""
    result = parakeet("-", "--channels=left", "--encoding=f32le", piped=stereo(1, -1).tobytes())
    assert result.stdout == f"{SAID}\n"
    assert parakeet(DIGITS, "--channels=right").stdout == f"{SAID}\n"
    assert "use a number, left, right or separate" in parakeet(DIGITS, "--channels=middle").stderr


def test_raw_samples_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "line.raw"
    path.write_bytes(raw(PHONE))
    result = parakeet(str(path))
    assert result.exit_code == 1
    assert "--encoding s16le --rate 16000" in result.stderr
    rate = f"--rate={soundfile.info(PHONE).samplerate}"
    for how in ((rate,), (rate, "--encoding=S16LE"), (rate, "--channels=1")):
        assert parakeet(str(path), *how).stdout == f"{DIALLED}\n"
    samples, _ = soundfile.read(DIGITS, dtype="float32")
    path.write_bytes(np.repeat(samples, 4).astype("<f8").tobytes())
    how = ("--rate=32000", "--encoding=f64le", "--channels=2")
    assert parakeet(str(path), DIGITS, *how).stdout.count(SAID) == 2


def test_recordings_of_one_name_are_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parakeet_streaming.cli.transcribe.load", nothing_is_loaded)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        shutil.copy(DIGITS, tmp_path / folder / "talk.wav")
    both = [str(tmp_path / folder / "talk.wav") for folder in ("x", "y")]
    result = parakeet(*both, f"--output={tmp_path}/out/")
    assert isinstance(result.exception, OptionError)
    assert all(each in str(result.exception) for each in both)
    assert not (tmp_path / "out").exists()


def test_a_dash_and_an_ending_mean_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parakeet(DIGITS, "--output=-").stdout == f"{SAID}\n"
    assert parakeet(DIGITS, "--output=talk.srt").exit_code == 0
    assert Path("talk.srt").read_text().startswith("1\n00:00:00,")
    assert parakeet(DIGITS, "--format=SRT", "--preset=Balanced").stdout.startswith("1\n00:00:00,")
    assert [each.name for each in tmp_path.iterdir()] == ["talk.srt"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((DIGITS, "--format=doc"), "use txt, srt"),
        ((DIGITS, "--preset=fastest"), "use one of ultra_low_latency"),
        ((DIGITS, "--preset=balanced", "--offline"), "give one"),
        ((DIGITS, "--context=1-0-1"), "at least 0.08 s"),
        ((DIGITS, PHONE, "--output=one.txt"), "name a folder"),
        ((DIGITS, "--output=no/such/folder/x.txt"), "make it first"),
        ((DIGITS, "--stats"), "add --realtime"),
        ((DIGITS, PHONE, "--realtime", "--report=x.json"), "one file"),
        ((DIGITS, "--realtime", "--report=no/such/x.json"), "make it first"),
        ((DIGITS, "--realtime", "--stall-guard"), "leave it out"),
        ((DIGITS, "--context=5-1-1", "--preset=balanced"), "give one"),
        ((DIGITS, "--precision=int7"), "int7"),
        ((DIGITS, "--provider=abacus"), "abacus"),
    ],
)
def test_wrong_usage_is_reported_before_anything_runs(
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["parakeet", "transcribe", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith("parakeet: ")
    assert printed.err.count("\n") == 1
    assert says in printed.err


def test_wrong_raw_options_are_reported() -> None:
    result = parakeet("-", "--encoding=s17le", piped=b"\0\0")
    assert result.exit_code == 1
    assert "s17le" in result.stderr


def raw(path: str) -> bytes:
    samples, _ = soundfile.read(path, dtype="int16")
    return samples.tobytes()


def test_raw_samples_on_standard_input() -> None:
    assert parakeet("-", piped=raw(DIGITS)).stdout == f"{SAID}\n"


def test_wav_on_standard_input() -> None:
    assert parakeet("-", piped=Path(DIGITS).read_bytes()).stdout == f"{SAID}\n"


def test_raw_samples_of_another_rate_and_two_channels() -> None:
    samples, _ = soundfile.read(DIGITS, dtype="float32")
    slow = np.stack([samples, samples], axis=1).repeat(2, axis=0).astype("<f4")
    result = parakeet("-", "--rate=32000", "--encoding=f32le", "--channels=2", piped=slow.tobytes())
    assert result.stdout == f"{SAID}\n"


def test_nothing_on_standard_input() -> None:
    result = parakeet("-", piped=b"")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "standard input is empty" in result.stderr


def test_realtime_takes_as_long_as_the_audio_and_tells_its_latency(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(DIGITS)
    short = tmp_path / "short.wav"
    soundfile.write(short, samples[: rate_hz * 3 // 2], rate_hz)
    result = parakeet(str(short), "--realtime")
    assert result.stdout.startswith("three one")
    assert "latency 0.96 s" in result.stderr
    assert "after it was spoken" in result.stderr


class InterruptedAfter(io.RawIOBase):
    """Raw samples, and Ctrl-C when they are used up; then it waits like a pipe."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.over = threading.Event()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._content:
            os.kill(os.getpid(), signal.SIGINT)
            self.over.wait(LONG_S)
        taken, self._content = self._content[:size], self._content[size:]
        return taken


def test_interrupting_prints_what_was_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stdin:
        buffer = InterruptedAfter(raw(DIGITS))

        @staticmethod
        def isatty() -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", Stdin())
    monkeypatch.setattr(sys, "argv", ["parakeet", "transcribe", "-"])
    with pytest.raises(SystemExit) as stopped:
        main()
    Stdin.buffer.over.set()
    assert stopped.value.code == 130
    assert capsys.readouterr().out == f"{SAID}\n"


def test_the_keyboard_is_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keyboard(io.BytesIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard())
    with pytest.raises(OptionError, match="pipe a file"):
        transcribe(files=["-"])


def test_a_report_of_live_speech(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(DIGITS)
    short = tmp_path / "short.wav"
    soundfile.write(short, samples[: rate_hz * 3 // 2], rate_hz)
    path = tmp_path / "report.json"
    result = parakeet(str(short), "--realtime", "--stats", f"--report={path}")
    assert result.exit_code == 0
    assert "end of a word to its text" in result.stderr
    report = json.loads(path.read_text())
    assert report["model"] == "tiny-en"
    assert report["context"] == "5-0.5-0.5"
    delays = report["metrics"]["histograms"]["emission_delay_seconds"]
    assert delays["count"] >= 2
    # The end of the file hurries its last words; those before waited for the right context.
    assert 0 < delays["p50"] <= delays["p99"]
    assert delays["p99"] > 0.4
    assert [step["committed_s"] for step in report["steps"]][:2] == [0.48, 0.96]
    assert all(step["lag_s"] >= 0 for step in report["steps"])


def test_model_folder_and_stall_guard(tmp_path: Path) -> None:
    source = Path(parakeet_streaming.__file__).parent / "builtin" / "tiny-en"
    shutil.copytree(source, tmp_path / "mine")
    result = parakeet(DIGITS, f"--model={tmp_path / 'mine'}", "--stall-guard", "--threads=1")
    assert result.stdout == f"{SAID}\n"


SEPARATE = ("--channels=separate", "--channel-names=agent,caller")
CALL = f"agent: {SAID}\ncaller: {DIALLED}\n"


def call(tmp_path: Path) -> str:
    """One says the digits; the other begins later, and speaks over the last of them."""
    first, second = (soundfile.read(each, dtype="int16")[0] for each in (DIGITS, PHONE))
    later = len(first) - 16_000
    frames = np.zeros((later + len(second), 2), np.int16)
    frames[: len(first), 0], frames[later:, 1] = first, second
    soundfile.write(tmp_path / "call.wav", frames, 16_000)
    return str(tmp_path / "call.wav")


@pytest.mark.parametrize("how", [(), ("--offline",), ("--preset=balanced",), ("--realtime",)])
def test_channels_apart(tmp_path: Path, how: tuple[str, ...]) -> None:
    result = parakeet(call(tmp_path), *SEPARATE, *how)
    assert (result.exit_code, result.stdout) == (0, CALL)


def test_channels_apart_in_every_format(tmp_path: Path) -> None:
    path = call(tmp_path)
    assert "\nagent: three one" in parakeet(path, *SEPARATE, "--format=srt").stdout
    assert "\n<v caller>zero eight" in parakeet(path, *SEPARATE, "--format=vtt").stdout
    written = json.loads(parakeet(path, *SEPARATE, "--format=json").stdout)
    assert written["text"] == CALL.strip()
    assert [each["text"] for each in written["channels"]] == [SAID, DIALLED]
    lines = [json.loads(each) for each in parakeet(path, *SEPARATE, "-fjsonl").stdout.splitlines()]
    texts = [each["text"] for each in lines if each.get("speaker") == "agent" and "text" in each]
    assert "".join(texts[:-1]) == SAID
    assert lines[-1]["type"] == "transcript"
    result = parakeet(path, *SEPARATE, f"--output={tmp_path / 'call.txt'}")
    assert (result.stdout, (tmp_path / "call.txt").read_text()) == ("", CALL)


def test_channels_apart_of_a_pipe(tmp_path: Path) -> None:
    path = call(tmp_path)
    assert parakeet("-", *SEPARATE, piped=Path(path).read_bytes()).stdout == CALL
    raw = soundfile.read(path, dtype="int16")[0].tobytes()
    assert parakeet("-", *SEPARATE, piped=raw).stdout == CALL
    numbered = parakeet("-", "--channels=separate", piped=raw).stdout
    assert numbered.splitlines()[0] == f"channel 0: {SAID}"


def test_one_channel_apart_is_one() -> None:
    assert parakeet(DIGITS, "--channels=separate").stdout == f"channel 0: {SAID}\n"


def test_channels_that_cannot_be_apart(tmp_path: Path) -> None:
    path = call(tmp_path)
    assert "2 channel names" in parakeet(DIGITS, *SEPARATE).stderr
    result = parakeet(path, "--channels=separate", "--channel-names=agent")
    assert f"{path}: 1 channel name ('agent') for 2 channels" in result.stderr
    assert "goes with --channels separate" in str(parakeet(path, "--channel-names=a,b").stderr)
    soundfile.write(tmp_path / "many.wav", np.zeros((160, 9), np.int16), 16_000)
    result = parakeet(str(tmp_path / "many.wav"), "--channels=separate")
    assert "9 channels cannot be transcribed each for itself; 8 can" in result.stderr
    report = ("--realtime", f"--report={tmp_path / 'r.json'}")
    assert "--report is about one stream" in str(parakeet(path, *SEPARATE, *report).exception)


def test_a_language() -> None:
    assert parakeet(DIGITS, "--language=en,de-AT").stdout == f"{SAID}\n"
    assert parakeet("-", "--language=en", piped=Path(DIGITS).read_bytes()).stdout == f"{SAID}\n"
    for how, says in (("klingon", "no language that is known"), ("ru", "writes no ru")):
        result = parakeet(DIGITS, f"--language={how}")
        assert isinstance(result.exception, OptionError)
        assert says in str(result.exception)
