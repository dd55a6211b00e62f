"""A source and what is to be written in; text, files and a report, all of them whole, out."""

import json
import wave

import pytest

from parakeet_streaming import ContextConfig, formats
from parakeet_streaming.cli.outputs import Output
from parakeet_streaming.cli.transcription import OutputOptions, recording, show, transcribe_live
from parakeet_streaming.errors import DeviceError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.results import Final, Partial, Transcript
from parakeet_streaming.sources.live import BlockSource
from parakeet_streaming.testing import Cue, fake_recognizer, marked_audio

CONTEXT = ContextConfig(0.8, 0.4, 0.4)
OPTIONS = LiveOptions(DelayRange.fixed(CONTEXT), vad=None, endpoint=None)
EMPTY = Transcript("", (), (), (), 1.0)


class Written:
    """A transcription whose events and messages are written down."""

    received_s = 1.0
    processing_s = 0.25

    def __init__(self, *events, messages=()):
        self.script = events
        self.said = list(messages)

    def events(self):
        for number, event in enumerate(self.script):
            if number:
                self.said.append(f"after {number}")
            yield event

    def messages(self):
        while self.said:
            yield self.said.pop(0)

    def status(self):
        return "fine"

    def transcript(self):
        return EMPTY


class Seen:
    """A display that remembers."""

    def __init__(self):
        self.seen = []

    def show(self, event, status):
        self.seen.append((event, status))

    def say(self, message):
        self.seen.append(message)

    def __enter__(self):
        self.seen.append("begun")
        return self

    def __exit__(self, *_):
        self.seen.append("ended")


def recognizer():
    return fake_recognizer([Cue(1, 0), Cue(12, 1)], ["one", "two"])


def source(audio=None, *, can_wait=True, failure=None):
    def blocks():
        whole = marked_audio(25) if audio is None else audio
        for start in range(0, len(whole), 800):
            yield whole[start : start + 800]
        if failure is not None:
            raise failure

    return BlockSource(blocks(), 16_000, can_wait=can_wait)


def transcribed(capsys, wanted, **choices):
    """Whether it was interrupted, and what was written to both outputs."""
    given = choices.pop("given", None) or source()
    interrupted = transcribe_live(recognizer(), None, given, OPTIONS, wanted, **choices)
    return interrupted, *capsys.readouterr()


def test_a_recording_says_what_it_was_made_of():
    made = recording(Written(), recognizer(), CONTEXT, "a.wav")
    assert made == formats.Recording(
        transcript=EMPTY,
        model="fake",
        context=CONTEXT,
        latency_s=0.8,
        processing_s=0.25,
        source="a.wav",
    )
    offline = recording(Written(), recognizer(), None, "a.wav")
    assert (offline.context, offline.latency_s) == (None, None)


def test_events_are_written_and_shown_in_order_messages_before_them(tmp_path):
    events = Partial("one", (), "", (), 0.4, 0.8), None, Final(EMPTY)
    display = Seen()
    with Output("a", "jsonl", tmp_path / "a.jsonl") as output:
        show(Written(*events, messages=["hello"]), display, output)
    shown = [(event, "fine") for event in events]
    assert display.seen == [
        "begun", "hello", shown[0], "after 1", shown[1], "after 2", shown[2], "ended",
    ]  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert len(lines) == 2


def test_what_was_said_last_is_shown_too(tmp_path):
    display = Seen()

    class Late(Written):
        def events(self):
            yield None
            self.said.append("goodbye")

    with Output("a", "txt", tmp_path / "a.txt") as output:
        show(Late(), display, output)
    assert display.seen == ["begun", (None, "fine"), "goodbye", "ended"]


def test_text_is_written_and_a_summary_for_people(capsys):
    interrupted, out, err = transcribed(capsys, OutputOptions("sound"), greeting="hello there")
    assert interrupted is False
    assert out.split() == ["one", "two"]
    assert "parakeet: hello there" in err
    assert "2.0 s of audio" in err


def test_stats_are_printed_where_they_are_asked_for(capsys):
    _, out, err = transcribed(capsys, OutputOptions("sound", stats=True))
    assert out.split() == ["one", "two"]
    plain = transcribed(capsys, OutputOptions("sound"))[2]
    assert "p95" in err
    assert "p95" not in plain


def test_a_report_and_the_sound_are_files(capsys, tmp_path):
    wanted = OutputOptions(
        "sound",
        "json",
        tmp_path / "text.json",
        save=str(tmp_path / "sound.wav"),
        report=str(tmp_path / "report.json"),
    )
    _, out, _ = transcribed(capsys, wanted)
    assert out == ""
    written = json.loads((tmp_path / "text.json").read_text())
    assert (written["text"], written["model"]) == ("one two", "fake")
    with wave.open(str(tmp_path / "sound.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16_000, 32_000)
    report = json.loads((tmp_path / "report.json").read_text())
    about = {
        "source": "sound",
        "model": "fake",
        "context": "0.8-0.4-0.4",
        "longest_chunk_s": 0.4,
        "audio_s": 2.0,
    }
    assert report.items() >= about.items()
    assert report["processing_s"] >= 0


def test_what_broke_a_source_comes_after_all_that_it_gave(capsys, tmp_path):
    broken = source(failure=DeviceError("unplugged"))
    wanted = OutputOptions("sound", path=tmp_path / "text.txt")
    with pytest.raises(DeviceError, match="unplugged"):
        transcribed(capsys, wanted, given=broken)
    assert (tmp_path / "text.txt").read_text().split() == ["one", "two"]
    assert "2.0 s of audio" in capsys.readouterr().err


@pytest.mark.parametrize(("can_wait", "ring_s"), [(True, 2.8), (False, None)])
def test_a_source_that_can_wait_gets_little_ahead(can_wait, ring_s, capsys, monkeypatch):
    from parakeet_streaming.cli import transcription

    opened = []
    engine = transcription.LiveEngine

    class Watched(engine):
        def open(self, options, *rest, **choices):
            opened.append(options.most_ring_s)
            return super().open(options, *rest, **choices)

    monkeypatch.setattr(transcription, "LiveEngine", Watched)
    transcribed(capsys, OutputOptions("sound"), given=source(can_wait=can_wait))
    assert opened == [ring_s]


def test_text_may_follow_what_is_there(capsys, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("before\n")
    transcribed(capsys, OutputOptions("sound", path=path, append=True))
    assert path.read_text().split() == ["before", "one", "two"]
