import json
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.channels import ChannelEvent, ChannelTranscript, SeparateTranscript
from parakeet_streaming.engine.words import group_segments
from parakeet_streaming.errors import OptionError
from parakeet_streaming.formats import (
    FORMATS,
    VTT_HEADER,
    Recording,
    cues,
    render,
    to_json,
    to_jsonl,
    to_jsonl_event,
    to_srt,
    to_txt,
    to_vtt,
    to_vtt_note,
)
from parakeet_streaming.results import (
    ContextChanged,
    Final,
    Gap,
    HealthHint,
    Partial,
    Segment,
    SpeechEnded,
    SpeechStarted,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.subtitles.options import LEAST_CUE_S, TRADE
from parakeet_streaming.timeline import ContextConfig
from tests.test_channels import CALL

EMPTY = Transcript("", (), (), (), 3.0)


def transcript(*spoken, audio_s=None, tokens=()):
    """A transcript of (word, start, end), divided at sentence marks."""
    words = tuple(Word(text, start, end, 0.9) for text, start, end in spoken)
    return Transcript(
        " ".join(word.text for word in words),
        tokens,
        words,
        group_segments(words),
        words[-1].end if audio_s is None else audio_s,
    )


def even(text, start=0.0, word_s=0.3):
    """Words spoken one after another."""
    return [
        (word, start + place * word_s, start + (place + 1) * word_s)
        for place, word in enumerate(text.split())
    ]


def recording(heard, **choices):
    return Recording(
        heard, model="tiny-en", context=None, latency_s=None, processing_s=0.12345, **choices
    )


TWO = transcript(*even("Hello there. How are you", word_s=0.6), audio_s=5.0)


def test_txt_is_a_line_per_segment():
    assert to_txt(TWO) == "Hello there.\nHow are you\n"
    assert to_txt(EMPTY) == ""


def test_srt():
    assert to_srt(TWO) == (
        "1\n00:00:00,000 --> 00:00:01,117\nHello there.\n\n"
        "2\n00:00:01,200 --> 00:00:03,000\nHow are you\n"
    )
    assert to_srt(EMPTY) == ""


def test_subtitles_that_continue_others():
    whole = to_srt(TWO)
    assert to_srt(TWO, first=3) == "\n" + whole.replace("1\n00", "3\n00", 1).replace(
        "\n2\n00", "\n4\n00", 1
    )


def test_vtt():
    assert to_vtt(TWO) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.117\nHello there.\n\n"
        "00:00:01.200 --> 00:00:03.000\nHow are you\n"
    )
    assert to_vtt(EMPTY) == "WEBVTT\n"


def test_what_would_be_markup_is_escaped_in_vtt_and_wide_in_srt():
    heard = transcript(*even("R&B <i>is</i> --> 'good'."))
    assert "R&amp;B &lt;i&gt;is&lt;/i&gt; --&gt; 'good'." in to_vtt(heard)
    assert "R&B ＜i＞is＜/i＞ --＞ 'good'." in to_srt(heard)
    assert "｛＼an8｝ ＼N ＆lt;b＆#62; AT&T" in to_srt(
        transcript(*even("{\\an8} \\N &lt;b&#62; AT&T"))
    )


HOSTILE = (
    "1 2\n\n3\n00:00:09,000",
    "\x1b]0;T\x07",
    "\x9b2J",
    "\u202eabc\u2028def",
    "\x85x\x85\x85y",
    "\u200b",
    "\n",
)


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
@pytest.mark.parametrize("write", [to_txt, to_srt, to_vtt])
def test_controls_in_a_word_reach_no_file(piece, write):
    whole = write(transcript(("one", 0.0, 0.5), (piece, 0.5, 1.0), ("two.", 1.0, 1.5)))
    assert not any(
        unicodedata.category(each) in ("Cc", "Cf", "Zl") for each in whole if each != "\n"
    )
    assert whole.count("one") == whole.count("two.") == 1
    if write is to_txt:
        assert whole.count("\n") == 1
    else:
        assert whole.count(" --> ") == 1
        assert "\n\n" not in whole.removeprefix("WEBVTT\n\n")


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_controls_in_json_are_escapes(piece):
    heard = transcript(("one", 0.0, 0.5), (piece, 0.5, 1.0))
    line = to_jsonl(recording(heard, source=f"{piece}.wav"))
    assert line.count("\n") == 1
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Zl") for each in line[:-1])
    read = json.loads(line)
    assert (read["text"], read["source"]) == (heard.text, f"{piece}.wav")


@pytest.mark.parametrize(
    ("start", "clock"),
    [
        (0.0, "00:00:00,000"),
        (59.9996, "00:01:00,000"),
        (3599.9999, "01:00:00,000"),
        (3661.5, "01:01:01,500"),
        (36_000.0814, "10:00:00,081"),
        (360_000.0, "100:00:00,000"),
    ],
)
def test_clocks_reach_over_hours_and_carry(start, clock):
    heard = transcript(("late", start, start + 1))
    assert to_srt(heard).splitlines()[1].startswith(f"{clock} --> ")
    assert f"\n{clock.replace(',', '.')} --> " in to_vtt(heard)


def test_a_cue_ends_before_the_next_begins_and_with_the_audio():
    heard = transcript(("One.", 0.0, 2.0), ("Two.", 1.5, 1.5), ("Three.", 3.0, 9.0), audio_s=4.0)
    assert [(each.start, each.end) for each in cues(heard)] == [
        (0.0, 1.5 - TRADE.gap_s),
        (1.5, 1.5 + TRADE.shortest_s),
        (3.0, 4.0),
    ]


def test_a_short_cue_stays_long_enough_to_be_read_where_there_is_room():
    heard = transcript(("One.", 0.0, 0.08), ("Two.", 1.0, 1.08), audio_s=9.0)
    assert [(each.start, each.end) for each in cues(heard)] == [
        (0.0, 1.0 - TRADE.gap_s),
        (1.0, 1.0 + TRADE.shortest_s),
    ]


def test_sentences_that_are_too_short_share_a_cue():
    heard = transcript(("One.", 0.0, 0.08), ("Two.", 0.4, 0.48), audio_s=9.0)
    assert [(each.start, each.end, each.text) for each in cues(heard)] == [
        (0.0, TRADE.shortest_s, "One. Two.")
    ]


def test_a_long_sentence_becomes_several_cues():
    heard = transcript(*even("the quick brown fox jumps over a lazy dog " * 20, word_s=0.2))
    made = list(cues(heard))
    assert len(made) > 5
    assert " ".join(each.text.replace("\n", " ") for each in made) == heard.text
    assert all(len(each.text.splitlines()) <= TRADE.lines for each in made)


def test_a_slow_sentence_is_cut_at_its_pauses_and_at_the_longest_cue():
    paused = transcript(("a", 0.0, 0.4), ("b", 1.3, 1.5), ("c", 2.5, 3.0))
    assert [each.text for each in cues(paused)] == ["a b", "c"]
    slow = transcript(*even("a b c d e f g h i j", word_s=0.9))
    assert [each.text for each in cues(slow)] == ["a b c d e f", "g h i j"]


def test_a_word_longer_than_a_line_stays_whole():
    word = "Donaudampfschifffahrtsgesellschaftskapitänsmütze"
    assert len(word) > TRADE.line_characters
    assert [each.text for each in cues(transcript((word, 0.0, 2.0)))] == [word]


def test_a_segment_without_words_makes_no_cue():
    assert list(cues(Transcript("", (), (), (Segment("", 0.0, 0.0, ()),), 1.0))) == []


texts = st.text("abcÄß漢😀&<-.?", min_size=1, max_size=30)


@given(
    spoken=st.lists(st.tuples(texts, st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=40),
    cut_off_s=st.floats(0, 2),
)
def test_any_transcript_makes_cues_in_order(spoken, cut_off_s):
    clock_s, words = 0.0, []
    for text, silence_s, length_s in spoken:
        words.append((text, clock_s + silence_s, clock_s + silence_s + length_s))
        clock_s += silence_s + length_s
    heard = transcript(*words, audio_s=max(clock_s - cut_off_s, words[-1][1]))
    made = list(cues(heard))
    squeezed = "".join(each.text for each in made).replace("\n", "").replace(" ", "")
    assert squeezed == heard.text.replace(" ", "")
    # Text that has no time at all takes some, or no player would show it.
    has_time = all(length_s >= LEAST_CUE_S for _, _, length_s in spoken) and cut_off_s == 0
    for cue in made:
        assert cue.end - cue.start > LEAST_CUE_S - 1e-6
        assert cue.end <= heard.audio_s + (0 if has_time else LEAST_CUE_S * len(made)) + 1e-6
        assert cue.end - cue.start <= TRADE.longest_s + 1e-9
        assert len(cue.text.splitlines()) <= TRADE.lines
        assert all(0 < len(line) <= TRADE.line_characters for line in cue.text.splitlines())
    for before, after in pairwise(made):
        assert before.end <= after.start
    assert to_vtt(heard).count("\n\n") == to_srt(heard).count("\n\n") + 1 == len(made)


TOKEN = Token(7, " wörd", 3, 2, 0.24, 0.4000004, 0.987654)


def test_json_holds_everything_in_its_own_types():
    heard = Transcript(
        "wörd",
        (TOKEN, Token(8, "s", 5, 0, 0.4, 0.4, 0.5, recovered=True)),
        (Word("wörds", 0.24, 0.4, 0.5, recovered=True), Word("x", 0.5, 0.6, 1.0)),
        group_segments([Word("wörds", 0.24, 0.4, 0.5)]),
        1.00006,
    )
    text = to_json(Recording(heard, "tiny-en", ContextConfig(10, 1, 1), 1.92, 0.12345, "a.wav"))
    assert "wörd" in text
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "source": "a.wav",
        "text": "wörd",
        "tokens": [
            {
                "id": 7,
                "text": " wörd",
                "start": 0.24,
                "end": 0.4,
                "duration_frames": 2,
                "start_frame": 3,
                "confidence": 0.9877,
            },
            {
                "id": 8,
                "text": "s",
                "start": 0.4,
                "end": 0.4,
                "duration_frames": 0,
                "start_frame": 5,
                "confidence": 0.5,
                "recovered": True,
            },
        ],
        "words": [
            {"text": "wörds", "start": 0.24, "end": 0.4, "confidence": 0.5, "recovered": True},
            {"text": "x", "start": 0.5, "end": 0.6, "confidence": 1.0},
        ],
        "segments": [{"text": "wörds", "start": 0.24, "end": 0.4}],
        "model": "tiny-en",
        "context": {
            "asked": {"left": 10, "chunk": 1, "right": 1},
            "effective": {"left": 10.0, "chunk": 0.96, "right": 0.96},
        },
        "latency_s": 1.92,
        "audio_s": 1.0,
        "processing_s": 0.123,
    }


def test_jsonl_is_the_same_in_one_line():
    for heard in (TWO, EMPTY):
        line = to_jsonl(recording(heard))
        assert line.endswith("\n")
        assert line.count("\n") == 1
        final = json.loads(line)
        assert final.pop("type") == "transcript"
        assert final == json.loads(to_json(recording(heard)))
        assert (final["context"], final["latency_s"]) == (None, None)


def test_a_step_is_a_line():
    partial = Partial(" wörd", (TOKEN,), " and", (), 0.3200004, 0.64)
    line = to_jsonl_event(partial, "-")
    assert line.count("\n") == 1
    step = json.loads(line)
    assert step.pop("tokens")[0]["text"] == " wörd"
    assert step == {
        "type": "partial",
        "source": "-",
        "text": " wörd",
        "tentative_text": " and",
        "committed_s": 0.32,
        "lookahead_end_s": 0.64,
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (SpeechStarted(1.0004), {"type": "speech_started", "at": 1.0}),
        (SpeechEnded(2.56), {"type": "speech_ended", "at": 2.56}),
        (Gap(1.25, 3.0), {"type": "gap", "start": 1.25, "end": 3.0}),
        (
            HealthHint("scale", "too loud", 0.5),
            {"type": "health_hint", "kind": "scale", "message": "too loud", "at": 0.5},
        ),
        (
            ContextChanged(ContextConfig(5.0, 1.04, 0.48), 7.2),
            {"type": "context_changed", "context": "5-1.04-0.48", "at": 7.2},
        ),
    ],
)
def test_an_event_is_a_line(event, expected):
    line = to_jsonl_event(event, "-")
    assert line.count("\n") == 1
    assert json.loads(line) == {"source": "-", **expected}


def test_an_utterance_is_a_line_with_its_words():
    line = to_jsonl_event(Final(TWO, 3, "silence"), "-")
    assert line.count("\n") == 1
    utterance = json.loads(line)
    whole = json.loads(to_json(recording(TWO)))
    assert utterance == {
        "type": "final",
        "source": "-",
        "utterance": 3,
        "reason": "silence",
        **{name: whole[name] for name in ("text", "tokens", "words", "segments")},
    }


@pytest.mark.parametrize("text", ["a\u2028b", 'say "no"\\', "line\nbreak", "漢字 😀", "\x00"])
def test_any_text_stays_in_its_line(text):
    line = to_jsonl_event(Partial(text, (), "", (), 0.0, 0.0))
    assert line.count("\n") == 1
    assert json.loads(line)["text"] == text


def test_render_knows_every_format_and_no_other():
    whole = recording(TWO)
    assert {name: render(whole, name) for name in FORMATS} == {
        "txt": to_txt(TWO),
        "srt": to_srt(TWO),
        "vtt": to_vtt(TWO),
        "json": to_json(whole),
        "jsonl": to_jsonl(whole),
    }
    for name in ("ass", "", "TXT"):
        with pytest.raises(OptionError, match="use txt, srt, vtt, json, jsonl"):
            render(whole, name)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_json_is_json_whatever_a_model_answers(wrong):
    token = Token(7, " a", 3, 2, 0.24, 0.4, wrong)
    heard = Transcript("a", (token,), (Word("a", 0.24, 0.4, wrong),), (), 1.0)

    def refuse(name):
        raise AssertionError(name)

    for text in (
        to_json(recording(heard)),
        to_jsonl(recording(heard)),
        to_jsonl_event(Final(heard)),
        to_jsonl_event(Partial("a", (token,), "", (), 0.0, 0.0)),
    ):
        read = json.loads(text, parse_constant=refuse)
        assert read["tokens"][0]["confidence"] is None


def test_half_a_character_is_escaped():
    text = to_json(recording(TWO, source="a\udcff.wav"))
    text.encode("utf-8")
    assert json.loads(text)["source"] == "a\udcff.wav"


def test_a_note_of_webvtt_is_one_line_that_is_no_cue():
    assert to_vtt_note("the words\n --> go on") == "\nNOTE the words -> go on\n"
    assert to_vtt_note("a ---> b ----->c\x1b[0m") == "\nNOTE a -> b ->c\\x1b[0m\n"


def test_separate_channels_in_every_format():
    of = partial_recording(CALL)
    assert to_txt(CALL) == "agent: good day\ncaller: hello is it you?\nagent: yes bye\n"
    srt = to_srt(CALL)
    assert "1\n00:00:00,000 --> 00:00:00,833\nagent: good day\n" in srt
    assert srt.count("-->") == 3
    assert "<v caller>hello is it you?</v>\n" in to_vtt(CALL)
    written = json.loads(to_json(of))
    assert [each["speaker"] for each in written["utterances"]] == ["agent", "caller", "agent"]
    assert (written["model"], written["audio_s"]) == ("m", 3.6)
    assert json.loads(to_jsonl(of))["type"] == "transcript"


def partial_recording(transcript):
    return Recording(transcript, "m", None, None, 0.1, "call.wav")


def test_an_event_of_a_channel_says_whose_it_is():
    line = to_jsonl_event(ChannelEvent(1, Gap(0.0, 1.0)), "call.wav", ("agent", "caller"))
    assert json.loads(line) == {
        "type": "gap", "source": "call.wav", "channel": 1, "speaker": "caller",
        "start": 0.0, "end": 1.0,
    }  # fmt: skip


def test_a_name_is_no_markup():
    said = SeparateTranscript((ChannelTranscript(transcript(("a", 0.0, 0.5)), 0, "<b>&{x}"),))
    assert "<v &lt;b&gt;&amp;{x}>a</v>" in to_vtt(said)
    assert "<" not in to_srt(said)


def test_nothing_was_said_in_any_channel():
    said = SeparateTranscript((ChannelTranscript(EMPTY, 0, "a"), ChannelTranscript(EMPTY, 1, "b")))
    assert (to_txt(said), to_srt(said), to_vtt(said)) == ("", "", VTT_HEADER)
