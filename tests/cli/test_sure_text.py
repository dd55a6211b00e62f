"""Text comes as soon as it is sure, and once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.cli import sure_text
from parakeet_streaming.cli.sure_text import SureText
from parakeet_streaming.engine.words import group_segments, group_words, text_of
from parakeet_streaming.results import Final, Gap, Partial, Token, Transcript
from parakeet_streaming.subtitles.cues import CueBuilder
from parakeet_streaming.subtitles.units import MOST_IN_A_UNIT, units_of


def tokens_of(*texts):
    return tuple(
        Token(0, text, at, 1, at * 0.3, at * 0.3 + 0.3, 0.9) for at, text in enumerate(texts)
    )


def partial(*tokens):
    return Partial(text_of(tokens), tokens, "", (), 0.0, 0.0)


def final(tokens, audio_s=None):
    words = group_words(tokens)
    end_s = tokens[-1].end if tokens and audio_s is None else audio_s or 0.0
    text = text_of(tokens).strip()
    return Final(Transcript(text, tuple(tokens), words, group_segments(words), end_s))


def texts(units):
    return [unit.text for unit in units]


def test_a_word_is_sure_when_the_next_one_begins():
    sure = SureText()
    one, two, mark, three = tokens_of("one", " tw", "o", " three")
    assert texts(sure.feed(partial(one))) == []
    assert texts(sure.feed(partial(two))) == ["one"]
    assert texts(sure.feed(partial(mark, three))) == ["two"]
    assert texts(sure.feed(Gap(0.0, 1.0))) == []
    (last,) = sure.feed(final([one, two, mark, three]))
    assert (last.text, last.ends_segment) == ("three", True)


def test_a_sentence_ends_its_segment():
    sure = SureText()
    said = tokens_of("one", ".", " two", " three")
    units = sure.feed(partial(*said))
    assert [(unit.text, unit.ends_segment) for unit in units] == [("one.", True), ("two", False)]


def test_a_script_without_spaces_does_not_wait_for_the_end():
    sure = SureText()
    said = tokens_of(" 你好", "，", "今天", "天气", "很", "好", "。")
    given = [texts(sure.feed(partial(token))) for token in said]
    assert given == [[], [], ["你好，"], ["今天"], ["天气"], ["很"], []]
    assert texts(sure.feed(final(said))) == ["好。"]


def test_what_an_utterance_leaves_belongs_to_the_next_one():
    sure = SureText()
    said = tokens_of("one", " two", " three", " four")
    assert texts(sure.feed(partial(*said))) == ["one", "two", "three"]
    assert texts(sure.feed(final(said[:2]))) == []
    assert texts(sure.feed(final(said[2:]))) == ["four"]


def test_an_utterance_may_tell_more_than_its_steps_did():
    sure = SureText()
    said = tokens_of("one", " two", " three")
    assert texts(sure.feed(partial(said[0]))) == []
    assert texts(sure.feed(final(said))) == ["one", "two", "three"]
    assert texts(sure.feed(final(()))) == []


PIECES = st.sampled_from(
    [" one", " two", "s", ".", " ?", "-", " 你好", "吗", "。", "「", "ab", " ", " กิน", "ิ", "x" * 30]
)


@given(
    pieces=st.lists(PIECES, max_size=60),
    steps=st.lists(st.integers(0, 7), min_size=1, max_size=20),
    utterances=st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_all_of_it_comes_once_however_it_is_cut(pieces, steps, utterances):
    said, sure, builder, given, made = list(tokens_of(*pieces)), SureText(), CueBuilder(), [], []
    wanted, expected = CueBuilder(), []
    at = told = 0
    for number, step in enumerate([*steps, 100]):
        units = sure.feed(partial(*said[at : at + step]))
        at = min(at + step, len(said))
        ends = number == len(steps) or number % utterances[number % len(utterances)] == 0
        if ends:
            event = final(said[told:at])
            units += sure.feed(event)
            whole = list(units_of(event.transcript.segments, event.transcript.tokens))
            told = at
        given += units
        for unit in units:
            made += builder.add(unit)
        if ends:
            made += builder.end(event.transcript.audio_s)
            for unit in whole:
                expected += wanted.add(unit)
            expected += wanted.end(event.transcript.audio_s)
    squeezed = "".join("".join(unit.text for unit in given).split())
    assert squeezed == "".join(text_of(said).split())
    assert made == expected


@pytest.mark.parametrize(
    "text",
    [" ", "\u0301", "\u200d", "a", "。", "-", "x\u0301\u0302", "ab" * 20, "。" * 41, "ab" * 50],
)
@pytest.mark.parametrize("first", ["", "。", "a", "a" * 43])
def test_the_work_for_a_token_does_not_grow_with_the_tokens_before(text, first, monkeypatch):
    """However many a decoder gives that end no word, such as spaces and marks without a width."""
    seen = []

    def counted(tokens):
        seen.append(len(tokens))
        return group_words(tokens)

    monkeypatch.setattr(sure_text, "group_words", counted)
    sure = SureText()
    for token in tokens_of(first, *[text] * 1_000):
        sure.feed(partial(token))
    assert max(seen) <= MOST_IN_A_UNIT + 2
