"""Events and transcripts of a source, or of its channels, are written alike."""

from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.cli.written_transcription import as_written
from parakeet_streaming.engine.words import text_of
from parakeet_streaming.results import Final, Partial
from parakeet_streaming.writing.options import WritingOptions
from tests.writing.spelling import tokens_of, transcript_of

DIGITS = WritingOptions(numbers="digits")
FIRST, SECOND = tokens_of("twenty three", size=9), tokens_of("it is ten", size=9)


def partial(tokens):
    return Partial(text_of(tokens), tuple(tokens), "", (), 1.0, 1.0)


class Spoken:
    received_s, processing_s = 1.0, 0.5

    def __init__(self, events, transcript):
        self._events, self._transcript = events, transcript

    def events(self):
        yield from self._events

    def messages(self):
        return iter(["loud"])

    def status(self):
        return "half"

    def transcript(self):
        return self._transcript


def test_what_is_plain_stays():
    spoken = Spoken([], transcript_of(FIRST))
    assert as_written(spoken, WritingOptions()) is spoken


def test_one_stream():
    heard = transcript_of(FIRST)
    events = [None, partial(FIRST[:1]), partial(FIRST[1:]), Final(heard)]
    text = as_written(Spoken(events, heard), DIGITS)
    told = list(text.events())
    assert told[0] is None
    assert "".join(each.text for each in told if isinstance(each, Partial)) == "23"
    assert told[-1].transcript == text.transcript()
    assert text.transcript().text == "23"
    assert (text.received_s, text.processing_s, text.status()) == (1.0, 0.5, "half")
    assert list(text.messages()) == ["loud"]


def test_channels():
    heard = SeparateTranscript(
        (
            ChannelTranscript(transcript_of(FIRST), 0, "agent"),
            ChannelTranscript(transcript_of(SECOND), 1, "caller"),
        )
    )
    events = [
        ChannelEvent(0, partial(FIRST[:1])),
        ChannelEvent(1, partial(SECOND)),
        ChannelEvent(0, partial(FIRST[1:])),
        ChannelEvent(1, Final(transcript_of(SECOND))),
        ChannelEvent(0, Final(transcript_of(FIRST))),
    ]
    text = as_written(Spoken(events, heard), DIGITS)
    finals = {each.channel: each.event for each in text.events() if isinstance(each.event, Final)}
    assert finals[0].transcript.text == "23"
    assert finals[1].transcript.text == "it is 10"
    written = text.transcript()
    assert [each.transcript.text for each in written.channels] == ["23", "it is 10"]
    assert [each.label for each in written.channels] == ["agent", "caller"]
