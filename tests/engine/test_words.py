"""Tokens, words and segments by the reference's rules."""

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.catalog.vocabulary import Vocabulary
from parakeet_streaming.engine.words import (
    TokenFormatter,
    group_segments,
    group_words,
    is_punctuation,
    text_of,
)
from parakeet_streaming.ports import Emission
from parakeet_streaming.results import Token, Word

PIECES = [
    " Hello",
    " wor",
    "ld",
    ".",
    " .",
    ",",
    " (",
    "?",
    "",
    " ",
    "'s",
    " ⁇ ",
    " naïve",
    " -",
    "。",
    "a b",
    " c d",
    "e ",
    " f  g ",
    "\n",
]


class Pieces:
    def text_of(self, token_id):
        return PIECES[token_id]


def heard(*spoken, has_durations=True, **choices):
    """Tokens of (piece, frame, duration), each a tenth surer than the one before."""
    scribe = TokenFormatter(Pieces(), has_durations=has_durations, **choices)
    emissions = [
        Emission(PIECES.index(piece), frame, duration, (place + 1) / 10)
        for place, (piece, frame, duration) in enumerate(spoken)
    ]
    return scribe, scribe.tokens(emissions, None)


def times(things):
    return [(each.text, each.start, each.end) for each in things]


def test_a_token_lasts_as_long_as_its_duration():
    _, tokens = heard((" Hello", 0, 4), (" wor", 7, 1), ("ld", 8, 0))
    assert times(tokens) == [("Hello", 0.0, 0.32), (" wor", 0.56, 0.64), ("ld", 0.64, 0.64)]
    assert [(each.start_frame, each.duration_frames) for each in tokens] == [(0, 4), (7, 1), (8, 0)]


def test_without_durations_a_token_lasts_one_frame():
    _, tokens = heard((" Hello", 2, 0), (".", 30, 0), has_durations=False)
    assert times(tokens) == [("Hello", 0.16, 0.24), (".", 2.4, 2.48)]
    assert tokens[0].duration_frames == 0


def test_a_mark_is_where_the_token_before_it_ends():
    _, tokens = heard((" Hello", 0, 2), (".", 40, 3), ("?", 50, 1), (" wor", 60, 1))
    assert times(tokens) == [
        ("Hello", 0.0, 0.16),
        (".", 0.16, 0.16),
        ("?", 0.16, 0.16),
        (" wor", 4.8, 4.88),
    ]
    assert tokens[1].start_frame == 40


def test_a_mark_that_is_first_keeps_its_own_time():
    _, tokens = heard((" .", 3, 1), (" Hello", 5, 1))
    assert times(tokens) == [(".", 0.24, 0.32), (" Hello", 0.4, 0.48)]


def test_a_mark_loses_its_space_and_the_first_token_too():
    _, tokens = heard((" Hello", 0, 1), (" .", 1, 1), (" wor", 2, 1), ("ld", 3, 1), (" (", 4, 1))
    assert text_of(tokens) == "Hello. world("
    assert [each.text for each in group_words(tokens)] == ["Hello.", "world("]


@pytest.mark.parametrize("mark", [".", " .", ",", "?", " (", " -", "。"])
def test_marks(mark):
    assert is_punctuation(mark)


@pytest.mark.parametrize("text", ["", " ", "'s", "a", " a", "..", "+", " ⁇ ", ". "])
def test_no_marks(text):
    assert not is_punctuation(text)


def test_words_reach_from_one_start_to_the_next():
    scribe, tokens = heard(
        (" Hello", 0, 2), (",", 9, 1), (" wor", 10, 1), ("ld", 12, 2), (".", 20, 1), ("'s", 21, 1)
    )
    assert times(group_words(tokens)) == [("Hello,", 0.0, 0.16), ("world.'s", 0.8, 1.76)]
    assert scribe.transcript([tokens], 2.0).text == "Hello, world.'s"


def test_a_continuation_that_is_first_is_a_word():
    _, tokens = heard(("ld", 0, 1), (" Hello", 1, 1))
    assert [each.text for each in group_words(tokens)] == ["ld", "Hello"]


def test_pieces_without_text_make_no_word():
    _, tokens = heard(("", 0, 1), (" ", 2, 1), ("", 3, 1))
    assert group_words(tokens) == ()
    _, tokens = heard((" Hello", 0, 1), ("", 1, 1), (" ", 2, 1), (" wor", 3, 1), ("", 4, 2))
    assert times(group_words(tokens)) == [("Hello", 0.0, 0.16), ("wor", 0.24, 0.48)]


def test_a_lone_space_starts_the_word_behind_it():
    _, tokens = heard((" Hello", 0, 1), (" ", 1, 1), ("ld", 2, 1))
    assert text_of(tokens) == "Hello ld"
    assert times(group_words(tokens)) == [("Hello", 0.0, 0.08), ("ld", 0.08, 0.24)]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["a b"], ["a", "b"]),
        (["a b", "ld"], ["a", "bld"]),
        ([" wor", "a b"], ["wora", "b"]),
        ([" c d", " f  g ", "ld"], ["c", "d", "f", "g", "ld"]),
        (["e ", "e ", "ld", "e "], ["e", "e", "lde"]),
        (["e ", ",", "ld"], ["e,ld"]),
        (["ld", "\n", "ld"], ["ld", "ld"]),
        ([" ⁇ ", "ld"], ["⁇", "ld"]),
    ],
)
def test_a_space_ends_a_word_wherever_it_stands(pieces, words):
    _, tokens = heard(*((piece, at, 1) for at, piece in enumerate(pieces)))
    assert [each.text for each in group_words(tokens)] == words


def test_words_of_one_token_share_its_time():
    _, tokens = heard((" Hello", 0, 1), (" c d", 2, 4), ("ld", 7, 1))
    assert times(group_words(tokens)) == [
        ("Hello", 0.0, 0.08),
        ("c", 0.16, 0.32),
        ("dld", 0.32, 0.64),
    ]


TYPED = Vocabulary(
    (
        *(
            "▁a",
            "b",
            "<unk>",
            "<s>",
            "<0xE2>",
            "<0x82>",
            "<0xAC>",
            "<0xe2><0x82>",
            "<0x2C>",
            "<blk>",
        ),
    ),
    9,
)
A, B, UNK, S, E2, X82, AC, E282, COMMA = range(9)


def text_by(*ids, cut=None):
    """Text of tokens; those from `cut` on come in another step."""
    scribe = TokenFormatter(TYPED, has_durations=True)
    emissions = [Emission(token_id, at, 1, 0.5) for at, token_id in enumerate(ids)]
    first = scribe.tokens(emissions[:cut], None)
    return [each.text for each in (*first, *scribe.tokens(emissions[len(first) :], first[-1]))]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_bytes_of_several_tokens_are_one_character(cut):
    assert text_by(A, E2, X82, AC, B, cut=cut) == ["a", "", "", "€", "b"]
    assert text_by(A, E282, AC, B, cut=cut) == ["a", "", "€", "b"]


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        ([A, E2, B], ["a", "", "\ufffdb"]),
        ([A, E2, X82, A], ["a", "", "", "\ufffd\ufffd a"]),
        ([A, X82, AC, B], ["a", "\ufffd", "\ufffd", "b"]),
        ([A, E2, E2, X82, AC], ["a", "", "\ufffd", "", "€"]),
        ([A, E2, S, X82], ["a", "", "\ufffd", "\ufffd"]),
        ([A, E2, UNK], ["a", "", "\ufffd ⁇ "]),
        ([A, COMMA, E2, COMMA], ["a", ",", "", "\ufffd,"]),
    ],
)
def test_bytes_that_are_no_character_are_told(ids, texts):
    assert text_by(*ids, cut=2) == texts


def test_a_mark_of_bytes_belongs_to_the_word_before_it():
    scribe = TokenFormatter(TYPED, has_durations=True)
    emissions = [Emission(token_id, 9 * at, 1, 0.5) for at, token_id in enumerate((A, COMMA, A))]
    words = group_words(scribe.tokens(emissions, None))
    assert times(words) == [("a,", 0.0, 0.08), ("a", 1.44, 1.52)]


@given(ids=st.lists(st.integers(0, 8), min_size=1), cut=st.integers(0, 9))
def test_text_is_that_of_sentencepiece(ids, cut):
    """But for the marks' spaces, which NeMo takes away, and for the first one."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="the export extra")
    ids = [each for each in ids if each not in (COMMA, E282)] + [B]
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    mapped = [SENTENCEPIECE_IDS[each] for each in ids]
    found = "".join(text_by(*ids, cut=max(1, cut)))
    assert found.lstrip(" ") == tokenizer.decode(mapped).lstrip(" ")


SENTENCEPIECE_IDS = {A: 3, B: 4, UNK: 0, S: 1, E2: 5 + 0xE2, X82: 5 + 0x82, AC: 5 + 0xAC}


@cache
def sentencepiece_model():
    from sentencepiece import sentencepiece_model_pb2

    normal, unknown, control, byte = 1, 2, 3, 6
    model = sentencepiece_model_pb2.ModelProto()
    pieces = [
        ("<unk>", unknown),
        ("<s>", control),
        ("</s>", control),
        ("▁a", normal),
        ("b", normal),
    ]
    for piece, kind in (*pieces, *((f"<0x{code:02X}>", byte) for code in range(256))):
        model.pieces.add(piece=piece, type=kind, score=0.0)
    model.trainer_spec.byte_fallback = True
    return model.SerializeToString()


def test_confidence_of_a_word():
    _, tokens = heard((" wor", 0, 1), ("ld", 1, 1), (".", 2, 1), (" Hello", 3, 1))
    assert [each.confidence for each in group_words(tokens)] == [0.1, 0.4]
    assert [each.confidence for each in group_words(tokens, "mean")] == pytest.approx([0.2, 0.4])


def test_a_word_with_a_recovered_token_is_recovered():
    scribe = TokenFormatter(Pieces(), has_durations=True)
    emissions = [Emission(0, 0, 1, 0.5), Emission(1, 1, 1, 0.5), Emission(2, 2, 1, 0.5, True)]
    tokens = scribe.tokens(emissions, None)
    assert [each.recovered for each in tokens] == [False, False, True]
    assert [each.recovered for each in group_words(tokens)] == [False, True]


def word(text, start, end):
    return Word(text, start, end, 1.0)


def test_segments_end_behind_sentence_marks():
    spoken = ["A", "b.", "C!", "D?", "e", "1.5", "f,"]
    words = [word(text, at, at + 1) for at, text in enumerate(spoken)]
    segments = group_segments(words)
    assert [each.text for each in segments] == ["A b.", "C!", "D?", "e 1.5 f,"]
    assert [(each.start, each.end) for each in segments] == [(0, 2), (2, 3), (3, 4), (4, 7)]
    assert tuple(each for segment in segments for each in segment.words) == tuple(words)


def test_segments_end_before_a_gap_where_asked():
    words = [word("a", 0.0, 0.4), word("b", 0.56, 0.56), word("c", 0.8, 1.0), word("d.", 1.2, 1.3)]
    assert [each.text for each in group_segments(words)] == ["a b c d."]
    # 0.8 - 0.56 is a hair below 0.24 in floats; three frames are three frames.
    assert [each.text for each in group_segments(words, 0.24)] == ["a b", "c d."]
    assert [each.text for each in group_segments(words, 0.25)] == ["a b c d."]


def test_a_gap_never_hides_a_mark():
    words = [word("a", 0.0, 0.1), word("b.", 5.0, 5.1), word("c", 5.2, 5.3)]
    assert [each.text for each in group_segments(words, 1.0)] == ["a", "b.", "c"]


def test_no_words_make_no_segment():
    assert group_segments([]) == ()
    scribe, tokens = heard()
    transcript = scribe.transcript([tokens], 1.5)
    assert (transcript.text, transcript.words, transcript.segments) == ("", (), ())
    assert transcript.audio_s == 1.5


def test_the_scribe_uses_its_choices():
    scribe, tokens = heard(
        (" wor", 0, 1), ("ld", 1, 1), (" Hello", 40, 1), confidence="mean", gap_s=1.0
    )
    transcript = scribe.transcript([tokens], 4.0)
    assert transcript.words[0].confidence == pytest.approx(0.15)
    assert [each.text for each in transcript.segments] == ["world", "Hello"]


emissions = st.lists(st.tuples(st.integers(0, len(PIECES) - 1), st.integers(0, 4)), max_size=20)


def spread(choices):
    frame, made = 0, []
    for token_id, duration in choices:
        made.append(Emission(token_id, frame, duration, 0.5))
        frame += duration
    return made


@given(choices=emissions, cuts=st.lists(st.integers(0, 20), max_size=4), durations=st.booleans())
def test_text_and_tokens_are_append_only(choices, cuts, durations):
    scribe = TokenFormatter(Pieces(), has_durations=durations)
    spoken = spread(choices)
    whole = scribe.tokens(spoken, None)
    ends = [*sorted(cuts), len(spoken)]
    pieced, first = (), 0
    for end in ends:
        pieced += scribe.tokens(spoken[first:end], pieced[-1] if pieced else None)
        first = max(first, end)
    assert pieced == whole
    assert scribe.transcript([whole], 9.0).text == text_of(whole).strip()


@given(choices=emissions)
def test_words_hold_all_the_text_and_do_not_overlap(choices):
    _, tokens = heard(
        *((PIECES[each.token_id], each.frame, each.duration_frames) for each in spread(choices))
    )
    words = group_words(tokens)
    found = "".join(each.text for each in words)
    assert "".join(found.split()) == "".join(text_of(tokens).split())
    for each in words:
        assert each.start <= each.end
    for before, after in pairwise(words):
        assert before.end <= after.start
    segments = group_segments(words, 0.5)
    assert tuple(each for segment in segments for each in segment.words) == words


def test_an_utterance_begins_with_one_space_however_the_last_one_ended():
    formatter = TokenFormatter(Vocabulary(("e ", "x", "f", "<blk>"), 3), has_durations=True)
    for last, wanted in ((0, "f"), (1, " f")):
        (before,) = formatter.tokens([Emission(last, 0, 1, 0.9)], None)
        (first,) = formatter.tokens([Emission(2, 9, 1, 0.9)], before, begin=True)
        assert (before.text + first.text, first.text) == (before.text + wanted, wanted)


def test_a_word_knows_what_was_said_for_it():
    told = {"start": 0.0, "end": 0.1, "confidence": 0.9}
    tokens = (
        Token(1, " 2", 0, 1, **told, spoken=" twenty"),
        Token(2, "3", 1, 1, **told, spoken=" three"),
    )
    (word,) = group_words(tokens)
    assert (word.text, word.spoken) == ("23", "twenty three")
