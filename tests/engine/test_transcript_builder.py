"""Emissions become tokens, partials, utterances and a transcript, and none is lost between them."""

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.transcript_builder import TranscriptBuilder
from parakeet_streaming.engine.words import TokenFormatter
from parakeet_streaming.ports import Emission
from parakeet_streaming.testing import FakePieces

TEXTS = ["one", "two", "+ing", "+.", "+,"]


def formatter():
    return TokenFormatter(FakePieces(TEXTS), has_durations=True)


def builder():
    return TranscriptBuilder(formatter())


def emission(token, frame, duration=1):
    return Emission(token, frame, duration, 0.5)


def keep(built, *emissions, lookahead=(), committed=16_000, ahead=24_000):
    partial = built.as_partial(emissions, lookahead, committed, ahead)
    built.keep(emissions, partial)
    return partial


def tokens_of(built):
    return built.transcript(0).tokens


def texts(tokens):
    return [each.text for each in tokens]


def test_a_partial_holds_what_a_step_committed_and_what_is_tentative():
    built = builder()
    partial = built.as_partial(
        [emission(0, 1), emission(2, 3)], [emission(1, 9, 4)], 16_000, 24_000
    )
    assert (partial.text, partial.tentative_text) == ("oneing", " two")
    assert (partial.committed_s, partial.lookahead_end_s) == (1.0, 1.5)
    assert [each.start for each in (*partial.tokens, *partial.tentative)] == [0.08, 0.24, 0.72]
    assert partial.timing is None


def test_making_a_partial_changes_nothing():
    built = builder()
    keep(built, emission(0, 1))
    before = built.state()
    partials = [built.as_partial([emission(1, 5)], [emission(1, 9)], 0, 0) for _ in range(2)]
    assert partials[0] == partials[1]
    assert texts(tokens_of(built)) == ["one"]
    after = built.state()
    assert (after.last, after.tentative) == (before.last, before.tentative)
    assert after.emissions.token_ids.tolist() == [0]


def test_text_depends_on_the_token_before_it_across_steps():
    built = builder()
    assert keep(built, emission(0, 1, 2)).text == "one"
    assert keep(built).text == ""
    comma = keep(built, emission(4, 9))
    assert comma.text == ","
    # A mark ends where the word before it ends.
    assert (comma.tokens[0].start, comma.tokens[0].end) == (0.24, 0.24)
    assert keep(built, emission(1, 12)).text == " two"
    assert built.transcript(16_000).text == "one, two"


def test_tentative_text_follows_what_was_committed_last():
    built = builder()
    keep(built, emission(0, 1))
    assert built.as_partial([], [emission(1, 5)], 0, 0).tentative_text == " two"
    assert builder().as_partial([], [emission(1, 5)], 0, 0).tentative_text == "two"


def test_an_utterance_begins_where_the_last_one_ended():
    built = builder()
    keep(built, emission(0, 1))
    first = built.end_utterance("silence", 16_000)
    keep(built, emission(1, 15), emission(3, 17))
    second = built.end_utterance("commit", 32_000)
    third = built.end_utterance("end", 48_000)
    assert [each.transcript.text for each in (first, second, third)] == ["one", "two.", ""]
    assert [each.utterance for each in (first, second, third)] == [0, 1, 2]
    assert [each.reason for each in (first, second, third)] == ["silence", "commit", "end"]
    assert [each.transcript.audio_s for each in (first, second, third)] == [1.0, 2.0, 3.0]
    # A token of a later utterance keeps its space, so that text can be joined.
    assert texts(second.transcript.tokens) == [" two", "."]
    assert texts(tokens_of(built)) == ["one", " two", "."]


def test_no_time_lies_after_the_end_of_the_audio():
    built = builder()
    built.ends_at(0.5)
    partial = keep(
        built, emission(0, 5, 4), emission(1, 8, 2), lookahead=[emission(0, 11)], committed=16_000
    )
    times = [(each.start, each.end) for each in (*partial.tokens, *partial.tentative)]
    assert times == [(0.4, 0.5), (0.5, 0.5), (0.5, 0.5)]
    assert (partial.committed_s, partial.lookahead_end_s) == (0.5, 0.5)
    assert [(each.start, each.end) for each in tokens_of(built)] == times[:2]
    final = built.end_utterance("end", 16_000)
    assert final.transcript.audio_s == built.transcript(16_000).audio_s == 0.5
    assert [each.end for each in final.transcript.words] == [0.5, 0.5]
    # Frames stay those of the decoder.
    assert [each.start_frame for each in tokens_of(built)] == [5, 8]


def test_earlier_utterances_may_be_left_out_of_a_state():
    built = builder()
    keep(built, emission(0, 1))
    built.end_utterance("silence", 16_000)
    keep(built, emission(1, 15))
    short, whole = built.state(earlier_utterances=False), built.state()
    assert (short.emissions.token_ids.tolist(), short.utterance_from) == ([1], 0)
    assert (whole.emissions.token_ids.tolist(), whole.utterance_from) == ([0, 1], 1)
    for state in (short, whole):
        again = TranscriptBuilder.of(formatter(), state)
        keep(again, emission(3, 17))
        final = again.end_utterance("end", 32_000)
        assert (final.transcript.text, final.utterance) == ("two.", 1)


def test_an_utterance_may_end_before_its_last_words():
    built = builder()
    keep(built, emission(0, 1), emission(1, 9), emission(2, 10))
    first = built.end_utterance("max_length", 11_520, left=2)
    keep(built, emission(3, 12))
    second = built.end_utterance("end", 32_000)
    assert [each.transcript.text for each in (first, second)] == ["one", "twoing."]
    assert first.transcript.audio_s == 0.72
    assert built.transcript(0).text == "one twoing."


def test_a_word_begins_with_an_utterance_and_the_words_of_all_are_those_of_the_transcript():
    built = builder()
    finals = []
    for token in (0, 2, 1):
        keep(built, emission(token, 4 * len(finals)))
        finals.append(built.end_utterance("commit", 0))
    assert [each.transcript.text for each in finals] == ["one", "ing", "two"]
    whole = built.transcript(0)
    assert whole.text == "one ing two"
    assert [each for final in finals for each in final.transcript.words] == [*whole.words]


def test_a_mark_that_comes_when_its_utterance_is_over_is_left_out():
    built = builder()
    keep(built, emission(0, 1), lookahead=[emission(3, 9)])
    assert built.end_utterance("silence", 0).transcript.text == "one"
    late = keep(built, emission(3, 12), emission(4, 14), lookahead=[emission(3, 20)])
    assert (late.text, late.tokens, late.tentative_text) == ("", (), "")
    assert keep(built, emission(3, 30), emission(1, 31)).text == " two"
    assert keep(built, emission(3, 33)).text == "."
    assert built.end_utterance("end", 0).transcript.text == "two."
    assert built.transcript(0).text == "one two."
    assert built.state().emissions.frames.tolist() == [1, 31, 33]


def test_a_mark_that_opens_a_sentence_begins_its_utterance():
    built = TranscriptBuilder(TokenFormatter(FakePieces(["hola", "¿", "que"]), has_durations=True))
    keep(built, emission(0, 1))
    built.end_utterance("silence", 0)
    assert keep(built, emission(1, 12), emission(2, 13)).text == " ¿ que"
    final = built.end_utterance("end", 0)
    assert final.transcript.words[0].start == 0.96
    assert built.transcript(0).words[1:] == final.transcript.words


def test_what_was_told_before_the_end_of_the_audio_was_read_keeps_its_times():
    for known in (False, True):
        built = builder()
        if known:
            built.ends_at(0.5)
        partial = keep(built, emission(0, 5, 4), committed=7_680, ahead=7_999)
        assert partial.tokens[0].end == 0.72
        built.ends_at(0.5)
        assert keep(built, emission(1, 6, 4), ahead=8_000).tokens[0].end == 0.5
        final = built.end_utterance("commit", 8_000)
        assert [each.end for each in final.transcript.tokens] == [0.72, 0.5]
        # After a commit the audio goes on.
        assert keep(built, emission(0, 9), committed=16_000).tokens[0].end == 0.8
        assert tokens_of(built)[:2] == final.transcript.tokens


plans = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=3),
        st.lists(st.integers(0, 4), max_size=2),
        st.booleans(),
        st.booleans(),
    ),
    max_size=10,
)


@given(plan=plans, ends_after_s=st.one_of(st.none(), st.floats(0, 5)))
def test_a_builder_of_a_state_goes_on_as_the_first_one(plan, ends_after_s):
    """Steps, utterances and cuts drawn together: partials, finals and tokens stay the same."""

    def run(*, cut):
        built, given, frame = builder(), [], 0
        for step, (emitted, ahead, ends, cuts) in enumerate(plan):
            emissions = []
            for token, duration in emitted:
                emissions.append(emission(token, frame, duration))
                frame += max(1, duration)
            lookahead = [emission(token, frame + at) for at, token in enumerate(ahead)]
            position = 1280 * frame
            given.append(
                keep(built, *emissions, lookahead=lookahead, committed=position, ahead=position)
            )
            if ends:
                given.append(built.end_utterance("silence", position))
            if cut and cuts:
                built = TranscriptBuilder.of(formatter(), built.state())
            if step == len(plan) // 2 and ends_after_s is not None:
                built.ends_at(ends_after_s)
        return given, tokens_of(built), built.end_utterance("end", 1280 * frame)

    assert run(cut=True) == run(cut=False)


@given(plan=plans)
def test_partials_and_finals_give_the_same_tokens(plan):
    built, partials, finals, frame = builder(), [], [], 0
    for emitted, _, ends, _ in plan:
        emissions = [emission(token, frame + at) for at, (token, _) in enumerate(emitted)]
        frame += 5
        partials += keep(built, *emissions).tokens
        if ends:
            finals += built.end_utterance("silence", 0).transcript.tokens
    finals += built.end_utterance("end", 0).transcript.tokens
    assert tuple(partials) == tuple(finals) == tokens_of(built)
    assert "".join(texts(partials)).strip() == built.transcript(0).text


def test_a_state_is_a_copy_that_does_not_follow():
    built = builder()
    keep(built, emission(0, 1))
    state = built.state()
    keep(built, emission(1, 5))
    assert state.emissions.frames.tolist() == [1]
    state.emissions.frames[:] = 77
    again = TranscriptBuilder.of(formatter(), state)
    assert [each.start_frame for each in tokens_of(built)] == [1, 5]
    state.emissions.frames[:] = 99
    assert [each.start_frame for each in tokens_of(again)] == [77]


def test_where_the_audio_ended_counts_from_what_a_state_keeps():
    built = builder()
    keep(built, emission(0, 1))
    built.end_utterance("commit", 8_000)
    built.ends_at(1.0)
    keep(built, emission(1, 9))
    state = built.state(earlier_utterances=False)
    whole = TranscriptBuilder.of(formatter(), state)
    assert texts(tokens_of(whole)) == ["two"]
