"""Words become cues that every player shows, in every script, one by one as in one go."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.formats import cues, to_srt, to_vtt
from parakeet_streaming.results import Token, Transcript, Word
from parakeet_streaming.subtitles.cues import CueBuilder
from parakeet_streaming.subtitles.options import LEAST_CUE_S, TRADE
from parakeet_streaming.subtitles.units import Unit, columns, is_divided, units_of

CHINESE = "今天天气很好，我们一起去公园散步。路上人很多，可是大家都很高兴！你也想去吗？" * 6
JAPANESE = "きょうはとてもいいてんきですね。「こうえん」へいっしょにいきましょう！" * 6
THAI = "วันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะกันเถอะ" * 5


def transcript(*spoken, audio_s=None, tokens=()):
    words = tuple(Word(text, start, end, 0.9) for text, start, end in spoken)
    text = " ".join(word.text for word in words)
    end = words[-1].end if audio_s is None else audio_s
    return Transcript(text, tuple(tokens), words, group_segments(words), end)


def pieces(text, size, second_s=35.0):
    """A word of one sentence after another, and its tokens of `size` characters."""
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    each_s = second_s / len(cut)
    return [
        Token(0, part, 0, 0, round(at * each_s, 3), round((at + 1) * each_s, 3), 0.9)
        for at, part in enumerate(cut)
    ]


def is_valid(made, audio_s):
    for cue in made:
        assert cue.end > cue.start
        assert cue.end - cue.start <= TRADE.longest_s + 1e-9
        lines = cue.text.splitlines()
        assert 1 <= len(lines) <= TRADE.lines
        assert all(0 < columns(line) <= TRADE.line_characters for line in lines)
    assert all(before.end <= after.start for before, after in pairwise(made))
    assert made[-1].end <= audio_s + 1e-9


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI], ids=["zh", "ja", "th"])
def test_scripts_without_spaces_are_cut_where_they_are_spoken(text, size):
    tokens = pieces(text, size) if size else []
    heard = transcript((text, 0.0, 35.0), tokens=tokens)
    made = list(cues(heard))
    is_valid(made, 35.0)
    assert len(made) >= 5
    assert "".join(cue.text.replace("\n", "") for cue in made) == text
    for cue in made:
        # A cue begins when its first character is spoken.
        spoken_s = 35.0 * text.find(cue.text.replace("\n", "")) / len(text)
        assert cue.start % (35.0 / (text.count(text[:20]) or 1)) >= spoken_s - 1.0
        for line in cue.text.splitlines():
            assert line[0] not in "，。！？」、"
            assert line[-1] != "「"
            assert not re.match("[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]", line)


def test_a_sentence_of_a_script_without_spaces_is_a_cue():
    heard = transcript(("你好吗？我很好。", 0.0, 4.0))
    assert [cue.text for cue in cues(heard)] == ["你好吗？", "我很好。"]


def test_words_of_other_scripts_within_stay_whole():
    text = "我们用Parakeet模型" * 9
    for cue in cues(transcript((text, 0.0, 30.0))):
        assert all(line.count("Parakeet") * 8 == len(re.sub("[^A-Za-z]", "", line))
                   for line in cue.text.splitlines())  # fmt: skip


def test_a_word_that_fits_in_no_cue_is_cut():
    heard = transcript(("a" * 500, 0.0, 30.0), ("b", 30.0, 30.5))
    is_valid(list(cues(heard)), 30.5)
    assert is_divided("a" * 500)
    assert not is_divided("Donaudampfschifffahrtsgesellschaftskapitänsmütze")
    assert not is_divided("안녕하세요")


@pytest.mark.parametrize(
    "text",
    [
        "あ" + "。" * 400,
        "「" * 300,
        "」" * 200 + "あ" * 200,
        "a" * 80 + "," * 90,
        "中" * 20 + "…" * 50 + "中" * 20,
        "ア" + "ー" * 500,
        "ก" + "\N{THAI CHARACTER SARA AM}\N{THAI CHARACTER MAIYAMOK}" * 100,
        "क" + "\N{DEVANAGARI SIGN VISARGA}" * 200,
    ],
)
@pytest.mark.parametrize("size", [0, 1, 7, 1000])
def test_marks_that_belong_to_what_is_before_them_make_no_line_too_wide(text, size):
    heard = transcript((text, 0.0, 30.0), tokens=pieces(text, size, 30.0) if size else [])
    made = list(cues(heard))
    is_valid(made, 30.0)
    assert "".join(cue.text.replace("\n", "") for cue in made) == text


@pytest.mark.parametrize(
    ("spoken", "audio_s"),
    [
        ([("One.", 0.0, 0.4), ("Two.", 0.4, 0.4), ("Three.", 0.4, 0.4)], 3.0),
        ([("One.", 0.0, 0.4), ("Two.", 4.0, 4.0)], 4.0),
        ([("One.", 0.0, 0.4), ("Two.", 3.95, 4.0), ("Three.", 4.0, 4.0)], 4.0),
        ([("One", 4.0, 4.0)], 4.0),
        ([("One.", 0.0, 3.99), ("Two.", 3.9999, 4.0)], 4.0),
        ([("One", 1.00001, 1.00002), ("two", 9.0, 9.0)], 9.0),
    ],
)
def test_no_cue_ends_when_it_starts(spoken, audio_s):
    heard = transcript(*spoken, audio_s=audio_s)
    made = list(cues(heard))
    is_valid(made, audio_s)
    assert all(cue.end - cue.start > LEAST_CUE_S - 1e-9 for cue in made)
    assert " ".join(cue.text.replace("\n", " ") for cue in made) == heard.text
    for text in (to_srt(heard), to_vtt(heard)):
        times = re.findall(r"(\S+) --> (\S+)", text)
        assert times
        assert all(start < end for start, end in times)


words = st.text("abc 漢字。、「」กิ😀-.", min_size=1, max_size=60).filter(lambda text: text.strip())


@given(
    spoken=st.lists(st.tuples(words, st.floats(0, 2), st.floats(0, 4)), min_size=1, max_size=20),
    ends=st.lists(st.booleans(), min_size=20, max_size=20),
)
def test_cues_that_come_one_by_one_are_those_of_the_whole(spoken, ends):
    at_s, said = 0.0, []
    for text, silence_s, length_s in spoken:
        said.append((text.strip(), at_s + silence_s, at_s + silence_s + length_s))
        at_s += silence_s + length_s
    heard = transcript(*said)
    units = list(units_of(heard.segments, heard.tokens))
    builder, made = CueBuilder(), []
    for unit in units:
        made += builder.add(unit)
        if made:
            assert made[-1].end <= max(unit.start, made[-1].start + LEAST_CUE_S) + 1e-9
    made += builder.end(heard.audio_s)
    assert made == list(cues(heard))
    assert re.sub(r"\s", "", "".join(cue.text for cue in made)) == re.sub(r"\s", "", heard.text)
    assert all(before.end <= after.start for before, after in pairwise(made))
    assert all(cue.end > cue.start for cue in made)


def test_utterances_follow_one_another():
    builder = CueBuilder()
    assert list(builder.end(1.0)) == []
    assert list(builder.add(Unit("one", 0.5, 2.0, False))) == []
    (first,) = builder.end(1.0)
    assert list(builder.add(Unit("two", 0.9, 1.5, False))) == []
    (second,) = builder.end(2.0)
    assert (first.start, first.end, second.start, second.end) == (
        0.5,
        1.0,
        1.0,
        1.0 + TRADE.shortest_s,
    )
