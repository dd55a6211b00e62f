"""Texts of a file, as they come and at the end, are written the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.channels import ChannelTranscript
from parakeet_streaming.engine.words import text_of
from parakeet_streaming.results import Transcript
from parakeet_streaming.server.recordings import FileBegun, FileText
from parakeet_streaming.server.written_files import WrittenFile, written_channels
from parakeet_streaming.writing.options import WritingOptions
from tests.writing.spelling import tokens_of, transcript_of

DIGITS = WritingOptions(numbers="digits")
WORDS = "twenty three hundred and five it costs dollars."
SAID = st.lists(st.sampled_from(WORDS.split()))


def told(file, channel, tokens, cuts):
    for begin, end in pairwise([0, *sorted(cuts), len(tokens)]):
        part = tuple(tokens[begin:end])
        yield from file.take(FileText(channel, text_of(part), part))


@given(SAID, SAID, st.sets(st.integers(0, 6), max_size=3))
def test_deltas_are_the_text_of_the_end(first, second, cuts):
    file = WrittenFile(DIGITS)
    assert list(file.take(FileBegun(0))) == [FileBegun(0)]
    for channel, words in enumerate((first, second)):
        tokens = tokens_of(" ".join(words), size=9)
        heard = ChannelTranscript(transcript_of(tokens), channel, f"c{channel}")
        events = [
            *told(file, channel, tokens, {cut for cut in cuts if cut <= len(tokens)}),
            *file.take(heard),
        ]
        *texts, last = events
        assert all(each.channel == channel and each.text for each in texts)
        assert "".join(each.text for each in texts) == last.transcript.text
        assert (last.channel, last.label) == (channel, f"c{channel}")
        assert written_channels([heard], DIGITS) == [last]


def test_the_average_of_all_channels():
    tokens = tokens_of("twenty three", size=9)
    heard = transcript_of(tokens)
    file = WrittenFile(DIGITS)
    (text, whole) = [*told(file, None, tokens, set()), *file.take(heard)]
    assert (text.channel, text.text) == (None, "23")
    assert isinstance(whole, Transcript)
    assert written_channels([heard], DIGITS) == [whole]


def test_without_wishes_nothing_changes():
    heard = transcript_of(tokens_of("twenty three"))
    assert list(WrittenFile(WritingOptions()).take(heard)) == [heard]
    assert written_channels([heard], WritingOptions()) == [heard]
