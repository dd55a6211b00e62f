import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.error import Error
from wyoming.event import read_event
from wyoming.info import Info
from wyoming.ping import Pong

from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.server.protocols import wyoming
from parakeet_streaming.server.protocols.wyoming import AudioFormat, command_of
from parakeet_streaming.server.protocols.wyoming_frames import Frame
from parakeet_streaming.server.replies import CapacityError, WrongRequestError, answer_to

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
KINDS = ("describe", "ping", "transcribe", "audio-start", "audio-chunk", "audio-stop", "detect")
JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({})
)


def event(said):
    return read_event(io.BytesIO(said))


@pytest.mark.parametrize(
    ("frame", "command"),
    [
        (Frame("describe", {}, b""), wyoming.Describe()),
        (Frame("ping", {"text": None}, b""), wyoming.Ping(None)),
        (
            Frame("transcribe", {"name": "a", "language": "en"}, b""),
            wyoming.Transcribe("a", None, "en"),
        ),
        (Frame("audio-start", FORMAT, b""), wyoming.AudioStart(AudioFormat(16_000, 2, 1))),
        (
            Frame("audio-chunk", FORMAT, b"ab"),
            wyoming.AudioChunk(AudioFormat(16_000, 2, 1), b"ab"),
        ),
        (Frame("audio-chunk", {"timestamp": 3}, b"ab"), wyoming.AudioChunk(None, b"ab")),
        (Frame("audio-stop", {}, b""), wyoming.AudioStop()),
        (Frame("synthesize", {"text": "x"}, b""), None),
    ],
)
def test_what_a_client_asks_for(frame, command):
    assert command_of(frame) == command


def test_every_width_has_an_encoding_of_that_size():
    for width in (1, 2, 3, 4):
        assert ENCODINGS[AudioFormat(8_000, width, 1).encoding] == width


@pytest.mark.parametrize("missing", FORMAT)
def test_audio_must_be_described(missing):
    data = {name: value for name, value in FORMAT.items() if name != missing}
    with pytest.raises(WrongRequestError, match="needs rate, width, channels"):
        command_of(Frame("audio-start", data, b""))


@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(["rate", "width", "channels", "name", "text"]), JSON),
)
def test_whatever_stands_in_fields_is_taken_or_named(kind, data):
    command, wrong = None, None
    try:
        command = command_of(Frame(kind, data, b""))
    except WrongRequestError as error:
        wrong = error.field
    assert wrong is None or wrong in data or wrong == "rate"
    if isinstance(command, wyoming.AudioStart):
        assert 4_000 <= command.format.rate_hz <= 192_000
        assert command.format.encoding in ENCODINGS


def test_its_library_reads_what_is_said():
    (program,) = Info.from_event(event(wyoming.info("m", ("en", "de"), None))).asr
    assert (program.models[0].languages, program.installed) == (["en", "de"], True)
    assert Transcript.from_event(event(wyoming.transcript("näh"))).text == "näh"
    assert TranscriptChunk.from_event(event(wyoming.transcript_chunk(" a"))).text == " a"
    assert TranscriptStart.is_type(event(wyoming.transcript_start()).type)
    assert TranscriptStop.is_type(event(wyoming.transcript_stop()).type)
    assert Pong.from_event(event(wyoming.pong("x"))).text == "x"
    error = Error.from_event(event(wyoming.error(answer_to(CapacityError("full")))))
    assert (error.text, error.code) == ("full", "no_capacity")


def test_a_format_is_written_as_clients_call_its_parts():
    assert str(AudioFormat(16_000, 2, 1)) == "rate 16000, width 2, channels 1"
