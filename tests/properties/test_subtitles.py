"""Any words at any speed, by any options: others read what was said, in order and in bounds."""

import re
from itertools import pairwise

import pysubs2
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.formats import cues, to_srt, to_vtt
from parakeet_streaming.results import Transcript, Word
from parakeet_streaming.subtitles.cues import CueBuilder
from parakeet_streaming.subtitles.options import LEAST_CUE_S, SubtitleOptions
from parakeet_streaming.subtitles.units import columns, units_of

DUST_S = 1e-6
MS = 0.0011
SPOKEN = (
    "I a the and but that of hill house, months, eventually agreed. Yes. No! When nobody in Mary "
    "Smith York believed incomprehensibilities 25 $5 million — well, because R&B x<y don't"
)
WORDS = st.sampled_from(SPOKEN.split())
OPTIONS = st.builds(
    SubtitleOptions,
    lines=st.integers(1, 3),
    line_characters=st.integers(22, 60),
    characters_per_second=st.floats(8, 30),
    shortest_s=st.floats(0.3, 2.0),
    longest_s=st.floats(2.0, 10.0),
    gap_s=st.floats(0.0, 0.3),
    word_times=st.booleans(),
)


@st.composite
def transcripts(draw):
    """Words that follow one another, with pauses, at the speed of people or above it."""
    said, at_s = [], draw(st.floats(0.1, 5))
    for text in draw(st.lists(WORDS, min_size=1, max_size=60)):
        at_s += draw(st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.4, 1.5]))
        lasts = draw(st.sampled_from([0.08, 0.16, 0.24, 0.4, 0.8]))
        said.append(Word(text, round(at_s, 3), round(at_s + lasts, 3), 0.9))
        at_s += lasts
    text = " ".join(word.text for word in said)
    end_s = at_s + draw(st.floats(0, 3))
    return Transcript(text, (), tuple(said), group_segments(said), end_s)


def words_of(text):
    return re.sub(r"\s+", " ", text).strip()


@given(transcripts(), OPTIONS)
def test_bounds_are_kept(heard, options):
    made = list(cues(heard, options))
    assert words_of(" ".join(cue.text for cue in made)) == heard.text
    for cue, following in zip(made, [*made[1:], None], strict=True):
        lines = cue.text.split("\n")
        assert len(lines) <= options.lines
        for line in lines:
            assert columns(line) <= options.line_characters or " " not in line
        assert LEAST_CUE_S - DUST_S <= cue.end - cue.start <= options.longest_s + DUST_S
        # It stays as long as it is to, unless the next one, the end or the longest time is nearer.
        least_s = max(
            options.shortest_s, columns(cue.text.replace("\n", " ")) / options.characters_per_second
        )
        limit_s = heard.audio_s if following is None else following.start - options.gap_s
        wanted_s = min(cue.start + least_s, limit_s, cue.start + options.longest_s)
        assert cue.end >= wanted_s - DUST_S
    for cue, following in pairwise(made):
        assert cue.start < cue.end <= following.start + DUST_S
        if cue.end - cue.start > LEAST_CUE_S + DUST_S:
            assert following.start - cue.end >= options.gap_s - DUST_S
    assert made[-1].end <= heard.audio_s + DUST_S


@given(transcripts(), OPTIONS)
def test_no_word_is_shown_before_it_is_spoken(heard, options):
    made, spoken = list(cues(heard, options)), iter(heard.words)
    for cue in made:
        first = next(spoken)
        assert cue.start >= first.start - LEAST_CUE_S
        for _ in cue.text.split()[1:]:
            next(spoken)


@given(transcripts(), OPTIONS)
def test_cues_that_come_live_are_those_of_the_whole(heard, options):
    builder, made = CueBuilder(options), []
    for unit in units_of(heard.segments, heard.tokens, options):
        made += builder.add(unit)
    assert [*made, *builder.end(heard.audio_s)] == list(cues(heard, options))


@given(transcripts(), OPTIONS)
def test_others_read_what_was_written(heard, options):
    made = list(cues(heard, options))
    times = [(cue.start, cue.end) for cue in made]
    read = webvtt.from_string(to_vtt(heard, options)).captions
    assert all(
        abs(each.start_in_seconds - start) < 1 and abs(seconds(each.start) - start) < MS
        for each, (start, _) in zip(read, times, strict=True)
    )
    assert all(
        abs(seconds(each.end) - end) < MS for each, (_, end) in zip(read, times, strict=True)
    )
    told = [unescaped(each.text) for each in read]
    assert told == [cue.text for cue in made]
    subs = pysubs2.SSAFile.from_string(to_srt(heard, options=options), format_="srt")
    assert all(
        abs(each.start / 1000 - start) < MS and abs(each.end / 1000 - end) < MS
        for each, (start, end) in zip(subs, times, strict=True)
    )
    said = [each.text.replace("\\N", "\n").replace("＜", "<") for each in subs]
    assert said == [cue.text for cue in made]


@given(transcripts(), OPTIONS)
def test_times_of_words_rise_within_their_cue(heard, options):
    text = to_vtt(heard, SubtitleOptions(lines=options.lines, word_times=True))
    for each in webvtt.from_string(text).captions:
        found = [
            seconds(stamp) for stamp in re.findall(r"<(\d\d:\d\d:\d\d\.\d{3})>", each.raw_text)
        ]
        edges = [seconds(each.start), *found, seconds(each.end)]
        assert all(before < after for before, after in pairwise(edges))


def test_a_word_has_its_own_time():
    said = [Word("One", 0.5, 0.9, 0.9), Word("two,", 1.0, 1.4, 0.9), Word("R&B", 1.5, 1.9, 0.9)]
    heard = Transcript("One two, R&B", (), tuple(said), group_segments(said), 4.0)
    text = to_vtt(heard, SubtitleOptions(word_times=True))
    assert "\nOne <00:00:01.000>two, <00:00:01.500>R&amp;B\n" in text
    assert "<00" not in to_srt(heard, options=SubtitleOptions(word_times=True))


def seconds(clock):
    hours, minutes, rest = str(clock).split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def unescaped(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
