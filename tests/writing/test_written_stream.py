"""Written text is append-only, the same however tokens come, and loses no word and no time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.words import group_words, text_of
from parakeet_streaming.results import Final, Partial, SpeechStarted
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import Replacement
from parakeet_streaming.writing.written_stream import WrittenStream, written
from parakeet_streaming.writing.written_tokens import letters
from tests.writing.spelling import tokens_of, transcript_of

DIGITS = WritingOptions(numbers="digits")
ALL = WritingOptions(
    numbers="digits",
    replacements=(
        Replacement("new york city", "NYC"),
        Replacement("new york", "New York"),
        Replacement(r"jay|jays", "J"),
        Replacement(r"ro?ute (\w+)", r"Route \1", is_expression=True),
    ),
    profanity="mask",
    masked=("darn", "holy cow"),
)
WORDS = st.sampled_from(
    [
        "twenty", "three", "one", "hundred", "and", "five", "million", "dollars", "point", "May",
        "fifth", "twenty,", "at", "in", "nineteen", "eighty", "four", "a", "percent", "p.m.", "new",
        "york", "city", "darn", "holy", "cow.", "route", "oh", "of", "the", "hello", "second.",
        "to", "twenty-one", "year-old", "—", "cents",
    ]
)  # fmt: skip


@st.composite
def streams(draw):
    """Tokens, where they are cut, and where utterances end: how many tokens each has."""
    tokens = tokens_of(" ".join(draw(st.lists(WORDS, max_size=40))), size=draw(st.integers(1, 9)))
    cuts = sorted(draw(st.sets(st.integers(0, len(tokens)), max_size=12)))
    return tokens, [0, *cuts, len(tokens)]


def partial(tokens, tentative=()):
    end_s = tokens[-1].end if tokens else 0.0
    return Partial(
        text_of(tokens), tuple(tokens), text_of(tentative), tuple(tentative), end_s, end_s
    )


@given(streams())
def test_the_text_is_that_of_the_whole_however_tokens_come(stream):
    tokens, cuts = stream
    text, said = WrittenStream(ALL), []
    for begin, end in pairwise(cuts):
        (event,) = text.take(partial(tokens[begin:end], tokens[end : end + 4]))
        said += event.tokens
        assert event.text == text_of(event.tokens)
        assert event.tentative_text == text_of(event.tentative)
        # Nothing is hidden: what is not sure is tentative.
        spoken = sum(letters(each.spoken or each.text) for each in (*said, *event.tentative))
        assert spoken == sum(letters(each.text) for each in tokens[: end + 4])
    heard = transcript_of(tokens)
    *before, final = text.take(Final(heard))
    said += [token for event in before for token in event.tokens]
    whole = written(heard, ALL)
    assert tuple(said) == final.transcript.tokens == whole.tokens
    assert final.transcript == whole == text.whole(heard)


@given(streams())
def test_times_stay_in_order_and_within_those_of_what_was_said(stream):
    tokens, _ = stream
    heard = transcript_of(tokens)
    whole = written(heard, ALL)
    assert text_of(whole.tokens).strip() == whole.text
    assert [word for segment in whole.segments for word in segment.words] == list(whole.words)
    assert " ".join(segment.text for segment in whole.segments) == " ".join(
        word.text for word in whole.words
    )
    at_s = 0.0
    for word in whole.words:
        assert at_s <= word.start <= word.end
        at_s = word.start
        assert 0 < word.confidence <= 1
    if heard.words:
        assert whole.words[0].start == heard.words[0].start
        assert whole.words[-1].end == heard.words[-1].end
    # What is not as it was said has what was said, and all of it together is all.
    spoken = "".join(token.spoken or token.text for token in whole.tokens)
    assert "".join(spoken.split()) == "".join(heard.text.split())


@given(streams(), st.data())
def test_utterances_take_what_was_said_in_them(stream, data):
    """Words that were committed early may belong to the next one; together they are all."""
    tokens, _ = stream
    starts = [at for at, token in enumerate(tokens) if at and token.text.startswith(" ")]
    ends = sorted(data.draw(st.sets(st.sampled_from(starts), max_size=3))) if starts else []
    text, said, finals, fed, before = WrittenStream(DIGITS), [], [], 0, 0
    for end in [*ends, len(tokens)]:
        # The engine may have committed more than the utterance has.
        ahead = data.draw(st.integers(max(end, fed), len(tokens)))
        (event,) = text.take(partial(tokens[fed:ahead]))
        said += event.tokens
        fed = ahead
        *more, final = text.take(Final(transcript_of(tokens[before:end])))
        said += [token for event in more for token in event.tokens]
        finals += final.transcript.tokens
        before = end
    assert finals == said
    assert sum(letters(each.spoken or each.text) for each in said) == sum(
        letters(each.text) for each in tokens
    )
    whole = text.whole(transcript_of(tokens))
    assert [token.text for token in whole.tokens] == [token.text for token in said]


def test_a_number_at_a_border_is_not_committed_by_half():
    tokens = tokens_of("it costs twenty three dollars now", size=9)
    text = WrittenStream(DIGITS)
    told = []
    for token in tokens:
        (event,) = text.take(partial([token]))
        told.append((event.text, event.tentative_text))
    assert told == [
        ("", "it"),
        ("it", " costs"),
        (" costs", " 20"),
        ("", " 23"),
        ("", " $23"),
        ("", " $23 now"),
    ]
    assert text.end(transcript_of(tokens))[1].text == "it costs $23 now"


def test_words_keep_times_and_the_lowest_confidence_of_what_they_were_made_of():
    tokens = tokens_of("so twenty three dollars.", size=9)
    said = written(transcript_of(tokens), DIGITS)
    so, word = said.words
    assert (so.text, so.spoken) == ("so", "")
    assert (word.text, word.spoken) == ("$23.", "twenty three dollars.")
    assert (word.start, word.end) == (0.4, 1.6)
    assert word.confidence == min(token.confidence for token in tokens[1:])
    (token,) = said.tokens[1:]
    assert (token.id, token.start_frame, token.duration_frames) == (tokens[1].id, 1, 4)


def test_nothing_joins_two_utterances():
    first, second = tokens_of("twenty", size=9), tokens_of("three people", size=9)
    text = WrittenStream(DIGITS)
    events = [*text.take(partial(first)), *text.take(Final(transcript_of(first)))]
    later = [*text.take(partial(second)), *text.take(Final(transcript_of(second)))]
    assert "".join(each.text for each in events if isinstance(each, Partial)) == "20"
    assert later[-1].transcript.text == "three people"
    both = transcript_of([*first, *tokens_of("x three people", size=9)[1:]])
    assert both.text == "twenty three people"
    assert text.whole(both).text == "20 three people"


@pytest.mark.parametrize("options", [WritingOptions(), DIGITS, ALL])
def test_what_no_rule_changes_is_what_it_was(options):
    heard = transcript_of(tokens_of("Hello, my name is Ann — and yours?"))
    assert written(heard, options) is heard
    assert WrittenStream(options).take(SpeechStarted(1.0)) == (SpeechStarted(1.0),)


def test_a_word_of_several_words_shares_its_time():
    options = WritingOptions(replacements=(Replacement("k8s", "Kubernetes cluster"),))
    said = written(transcript_of(tokens_of("my k8s works", size=9)), options)
    assert [(word.text, word.start, word.end) for word in said.words] == [
        ("my", 0.0, 0.4),
        ("Kubernetes", 0.4, 0.6),
        ("cluster", 0.6, 0.8),
        ("works", 0.8, 1.2),
    ]


def test_the_words_of_a_transcript_keep_its_own_measure_of_confidence():
    heard = transcript_of(tokens_of("hello twenty three"))
    mean = tuple(group_words(heard.tokens, "mean"))
    said = written(
        type(heard)(heard.text, heard.tokens, mean, heard.segments, heard.audio_s), DIGITS
    )
    assert said.words[0] == mean[0]
