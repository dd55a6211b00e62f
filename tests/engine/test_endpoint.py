"""Utterances end when both ear and decoder are done, never later than they may, and say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.endpoint import Endpointer
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.stream_state import Endpoint
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.results import Token
from parakeet_streaming.timeline import FRAME_SAMPLES

FRAME = FRAME_SAMPLES
# In encoder frames of 80 ms: 6 of silence, 3 of blank beside it, 10 of blank alone, 100 at most.
OPTIONS = EndpointOptions(
    min_silence_ms=480, min_blank_ms=240, blank_only_ms=800, max_utterance_s=8.0
)


def token(frame: int, duration: int = 1) -> Token:
    return Token(1, " a", frame, duration, frame * 0.08, (frame + duration) * 0.08, 0.9)


def tokens(*at: int) -> list[Token]:
    return [token(frame) for frame in at]


def speech(endpointer: Endpointer, start: int, end: int | None, known_to: int) -> None:
    """Speech from frame `start` to `end`, or that goes on, judged up to `known_to`."""
    endpointer.judged(start * FRAME, None, Transition(True, start * FRAME))
    if end is None:
        endpointer.judged(known_to * FRAME, None)
    else:
        endpointer.judged(known_to * FRAME, end * FRAME, Transition(False, end * FRAME))


def heard(committed: int, decoded: int | None = None) -> tuple[int, int]:
    return committed * FRAME, (committed if decoded is None else decoded) * FRAME


def ends(endpointer):
    """Where the utterance ends, if it does; the detector must not have to wait for decoding."""
    endpoint = endpointer.check()
    return endpoint if endpoint is not None and endpointer.confirms(endpoint) else None


def to(commit_to, seen_to, reason="silence", left=0):
    """An endpoint, in frames."""
    return Endpoint(reason, commit_to * FRAME, seen_to * FRAME, left)


def test_the_silence_that_ends_an_utterance_is_known_in_samples():
    assert Endpointer(OPTIONS).min_silence_samples == 7_680


# Silence: both must agree


@pytest.mark.parametrize(
    ("known_to", "decoded_to", "last_token", "agreed"),
    [
        (26, 23, 18, True),
        (25, 30, 18, False),  # not silent for long enough
        (26, 22, 19, False),  # not blank for long enough
        (40, 40, 36, True),  # text behind the voice: blank has just been long enough
        (40, 40, 37, False),  # text behind the voice: not yet
        (40, 19, 10, False),  # blank, but not all of the speech has been decoded
        (40, 20, 10, True),
    ],
)
def test_silence_and_blanks_together_end_an_utterance(known_to, decoded_to, last_token, agreed):
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, known_to)
    endpointer.decoded(*heard(decoded_to), tokens(6, last_token))
    assert (ends(endpointer) is not None) == agreed


def test_an_end_is_named_before_the_decoder_has_come_so_far():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 25)
    endpointer.decoded(*heard(10, 15), tokens(6))
    assert endpointer.check() is None
    endpointer.judged(26 * FRAME, 20 * FRAME)
    endpoint = endpointer.check()
    assert endpoint == to(23, 26)
    assert not endpointer.confirms(endpoint)
    # The decoder finds text behind the voice: then the end is further on.
    endpointer.decoded(*heard(23, 26), tokens(18), tokens(24))
    assert not endpointer.confirms(endpoint)
    assert endpointer.check() is None
    endpointer.judged(28 * FRAME, 20 * FRAME)
    assert endpointer.check() == to(28, 28)
    endpointer.decoded(*heard(28), tokens(24))
    assert endpointer.confirms(to(28, 28))


def test_what_cannot_be_decoded_as_whole_frames_is_not_asked_for():
    endpointer = Endpointer(OPTIONS)
    endpointer.judged(5 * FRAME, None, Transition(True, 5 * FRAME))
    endpointer.judged(27 * FRAME, 20 * FRAME, Transition(False, 20 * FRAME))
    endpointer.decoded(22 * FRAME - 1, 22 * FRAME - 1, tokens(21))
    # Blanks up to frame 25 are needed: three whole frames end before it, four after it.
    endpointer.judged(25 * FRAME, 19 * FRAME)
    assert endpointer.check() is None
    endpointer.judged(26 * FRAME - 1, 19 * FRAME)
    assert endpointer.check() is not None


def test_marks_do_not_put_an_end_off_and_belong_to_the_utterance_as_far_as_they_are_known():
    mark = Token(2, "?", 24, 1, 1.6, 1.6, 0.9)
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 26)
    endpointer.decoded(*heard(16, 26), tokens(6), [token(18), mark])
    assert ends(endpointer) == to(25, 26)
    endpointer.decoded(*heard(25, 26), [token(18), mark])
    assert endpointer.close(to(25, 26))
    endpointer.decoded(*heard(40), [mark])
    assert not endpointer.has_text


def test_tentative_text_is_text():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 30)
    endpointer.decoded(*heard(22, 30), tokens(18), tokens(28))
    assert ends(endpointer) is None
    endpointer.decoded(*heard(22, 30), (), tokens(26))
    assert endpointer.check() == to(30, 30)
    # What the next step does not find again was none.
    endpointer.decoded(*heard(22, 30))
    assert endpointer.check() == to(23, 30)


@pytest.mark.parametrize(
    ("committed", "decoded", "last_token", "commit_to"),
    [
        (16, 22, 18, 23),  # what has to be decoded for it
        (16, 30, 18, 23),  # the blanks behind the voice
        (16, 30, 24, 28),  # the blanks behind the last token
        (25, 30, 18, 25),  # nothing more
    ],
)
def test_as_much_is_committed_as_shows_the_end(committed, decoded, last_token, commit_to):
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 40)
    endpointer.decoded(*heard(committed, decoded), tokens(6), tokens(last_token))
    assert endpointer.check() == to(commit_to, 40)


def test_what_a_duration_skips_was_blank():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 40)
    endpointer.decoded(*heard(23), [token(18, duration=4)])
    assert ends(endpointer) == to(23, 40)


@pytest.mark.parametrize("silence_from", [None, 35 * FRAME])
def test_voice_that_may_become_speech_is_no_silence(silence_from):
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 30)
    endpointer.decoded(*heard(30), tokens(18))
    assert endpointer.check() == to(30, 30)
    endpointer.judged(36 * FRAME, silence_from)
    assert endpointer.check() is None


def test_speech_that_goes_on_does_not_end_however_little_is_said():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 60)
    endpointer.decoded(*heard(60), tokens(6))
    endpointer.judged(70 * FRAME, 61 * FRAME)  # a pause that the detector does not count yet
    assert endpointer.check() is None


def test_before_it_begins_nothing_ends():
    endpointer = Endpointer(OPTIONS)
    endpointer.judged(10_000 * FRAME, 0)
    endpointer.decoded(*heard(10_000))
    assert endpointer.check() is None


# Blanks alone


@pytest.mark.parametrize(("decoded_to", "ends"), [(28, False), (29, True)])
def test_without_a_detector_blanks_decide(decoded_to, ends):
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(10, decoded_to), tokens(6), tokens(18))
    assert (endpointer.check() is not None) == ends


def test_without_a_detector_as_much_is_committed_as_blanks_beside_silence_need():
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(10, 40), tokens(6), tokens(18))
    assert endpointer.check() == to(22, 40)


def test_where_the_detector_missed_the_speech_blanks_decide():
    endpointer = Endpointer(OPTIONS)
    endpointer.judged(60 * FRAME, 0)
    endpointer.decoded(*heard(28), tokens(9, 18))
    assert endpointer.check() is None
    endpointer.decoded(*heard(29))
    assert endpointer.check() == to(29, 60)


def test_tentative_text_that_vanished_was_no_utterance():
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(20, 30), (), tokens(25))
    endpointer.decoded(*heard(40, 50))
    endpoint = endpointer.check()
    assert endpoint == to(40, 50)
    assert not endpointer.close(endpoint)
    assert endpointer.check() is None


@pytest.mark.parametrize(("second", "divided"), [(28, False), (29, True), (60, True)])
def test_a_pause_between_two_tokens_of_one_step_ends_an_utterance(second, divided):
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(70), tokens(9, 18, second, second + 1))
    endpoint = endpointer.check()
    if not divided:
        assert endpoint == to(70, 70)
        return
    # Two tokens before the pause, two after it; nothing has to be decoded for it.
    assert endpoint == to(22, 0, left=2)
    assert endpointer.confirms(endpoint)
    assert endpointer.close(endpoint)
    assert endpointer.has_text
    assert endpointer._said.begin == second * FRAME
    endpointer.decoded(*heard(80))
    assert endpointer.check() == to(80, 80)


def test_several_pauses_in_one_step_end_as_many_utterances():
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(100), tokens(6, 30, 50, 51))
    found = []
    while (endpoint := endpointer.check()) is not None:
        assert endpointer.close(endpoint)
        found.append(endpoint)
    assert found == [to(10, 0, left=3), to(34, 0, left=2), to(100, 100)]


def test_without_voice_a_pause_within_a_word_ends_nothing():
    endpointer = Endpointer(OPTIONS)
    piece = Token(2, "ing", 30, 1, 2.4, 2.48, 0.9)
    endpointer.decoded(*heard(35), [*tokens(6), piece])
    assert endpointer.check() is None


# Length


@pytest.mark.parametrize(("committed", "too_long"), [(104, False), (105, True)])
def test_an_utterance_has_a_greatest_length(committed, too_long):
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 200)
    endpointer.decoded(*heard(committed, 200), tokens(6))
    assert endpointer.check() == (to(committed, 0, "max_length") if too_long else None)


def test_length_counts_from_the_first_token_where_speech_is_dated_later():
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(90), tokens(*range(3, 90, 8)))
    endpointer.judged(90 * FRAME, None, Transition(True, 80 * FRAME))
    endpointer.decoded(*heard(103), tokens(102))
    assert endpointer.check() == to(102, 0, "max_length", left=1)


def word(frame, text):
    return Token(1, text, frame, 1, frame * 0.08, (frame + 1) * 0.08, 0.9)


def test_an_utterance_that_is_too_long_ends_before_the_word_that_may_go_on():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 200)
    said = [word(6, " the"), word(9, ","), word(80, " na"), word(103, "tur")]
    endpointer.decoded(*heard(105, 107), said, [word(106, "e")])
    endpoint = endpointer.check()
    assert endpoint == to(80, 0, "max_length", left=2)
    assert endpointer.confirms(endpoint)
    assert endpointer.close(endpoint)
    assert endpointer.has_text
    # The next utterance has begun with it, and is measured from there.
    endpointer.decoded(*heard(179, 181), [word(106, "e"), word(175, " of")])
    assert endpointer.check() is None
    endpointer.decoded(*heard(180, 182))
    assert endpointer.check() == to(175, 0, "max_length", left=1)


def test_before_the_first_word_nothing_is_told_of_what_was_too_long():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 200)
    endpointer.decoded(*heard(106), [word(104, " na"), word(105, "ture")])
    endpoint = endpointer.check()
    assert endpoint == to(104, 0, "max_length", left=2)
    assert not endpointer.close(endpoint)
    assert endpointer.has_text
    assert endpointer.check() is None


def test_one_word_that_is_too_long_ends_where_it_is():
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(110, 112), [word(6, "a"), *(word(at, "a") for at in range(7, 109))])
    assert endpointer.check() == to(110, 0, "max_length")


def test_what_goes_on_behind_the_greatest_length_is_measured_from_there():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 400)
    endpointer.decoded(*heard(110), tokens(6))
    assert endpointer.close(endpointer.check())
    assert not endpointer.has_text
    endpointer.decoded(*heard(209), tokens(150))
    assert endpointer.check() is None
    endpointer.decoded(*heard(210))
    assert endpointer.check() == to(210, 0, "max_length")


# Asked for


def test_a_commit_in_the_middle_of_speech_divides_it():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, None, 30)
    endpointer.decoded(*heard(30), tokens(6))
    assert endpointer.close(Endpoint("commit", 30 * FRAME))
    endpointer.judged(50 * FRAME, 40 * FRAME, Transition(False, 40 * FRAME))
    endpointer.decoded(*heard(50), tokens(35))
    assert ends(endpointer) == to(50, 50)


# What is told


@pytest.mark.parametrize(
    ("reason", "told"), [("silence", False), ("max_length", False), ("commit", True), ("end", True)]
)
def test_without_text_only_who_asked_is_answered(reason, told):
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 40)
    endpointer.decoded(*heard(40))
    assert endpointer.close(Endpoint(reason, 40 * FRAME)) == told


@pytest.mark.parametrize("reason", ["silence", "max_length", "commit", "end"])
def test_text_is_always_told(reason):
    endpointer = Endpointer(OPTIONS)
    endpointer.decoded(*heard(40), tokens(6))
    assert endpointer.has_text
    assert endpointer.close(Endpoint(reason, 40 * FRAME))
    assert not endpointer.has_text


def test_speech_without_a_token_ends_and_is_not_told():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 30)
    endpointer.decoded(*heard(19))
    assert ends(endpointer) is None
    endpointer.decoded(*heard(23))
    endpoint = ends(endpointer)
    assert endpoint == to(23, 30)
    assert not endpointer.close(endpoint)
    assert endpointer.check() is None


def test_text_found_while_committing_the_end_is_told():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 30)
    endpointer.decoded(*heard(16, 25))
    endpoint = endpointer.check()
    endpointer.decoded(endpoint.commit_to, endpoint.commit_to, tokens(19))
    assert endpointer.close(endpoint)


def test_the_next_utterance_knows_nothing_of_the_last():
    endpointer = Endpointer(OPTIONS)
    speech(endpointer, 5, 20, 40)
    endpointer.decoded(*heard(40), tokens(6), tokens(40))
    endpointer.close(Endpoint("commit", 41 * FRAME))
    assert endpointer.check() is None
    endpointer.decoded(*heard(110))
    assert endpointer.check() is None
    endpointer.decoded(*heard(112), tokens(111))
    endpointer.judged(112 * FRAME, 20 * FRAME)
    # The detector heard no speech in this one, so blanks alone decide.
    endpointer.decoded(*heard(121))
    assert endpointer.check() is None
    endpointer.decoded(*heard(122))
    assert endpointer.check() == to(122, 122)


# Together with the detector

VAD = VadOptions(min_speech_ms=96, min_silence_ms=200)
LEVELS = {".": 0.1, "o": 0.4, "#": 0.9}


def run(text, token_frames, chunk, right=2):
    """What a stream comes to: a probability per 32 ms, steps of `chunk` encoder frames.

    Returns:
        Endpoints with whether they were told, and the length of each utterance in frames.
    """
    detector, endpointer = SpeechDetector(VAD), Endpointer(OPTIONS)
    committed, found = 0, []

    def decode(to_frame, seen_to):
        nonlocal committed
        step = [each for each in token_frames if committed <= each < to_frame]
        ahead = [each for each in token_frames if to_frame <= each < seen_to]
        committed = to_frame
        endpointer.decoded(*heard(committed, seen_to), tokens(*step), tokens(*ahead))

    for each in text:
        transition = detector.feed(LEVELS[each])
        endpointer.judged(detector.known_to, detector.silence_from, transition)
        while detector.known_to >= (committed + chunk + right) * FRAME:
            decode(committed + chunk, committed + chunk + right)
        while (endpoint := endpointer.check()) is not None:
            last = min(-(-endpoint.commit_to // FRAME), endpoint.seen_to // FRAME)
            if last > committed:
                decode(last, min(last + right, endpoint.seen_to // FRAME))
            if not endpointer.confirms(endpoint):
                continue
            length = endpoint.commit_to // FRAME - endpointer._said.begin // FRAME
            found.append((endpoint, endpointer.close(endpoint), length))
    return found, endpointer


texts = st.lists(
    st.tuples(st.text(alphabet=".o#", min_size=1, max_size=6), st.integers(1, 40)), max_size=8
).map(lambda parts: "".join(part * times for part, times in parts))
spoken = st.sets(st.integers(0, 400), max_size=40).map(sorted)


def test_two_sentences_are_two_utterances():
    text = "." * 20 + "#" * 40 + "." * 40 + "#" * 40 + "." * 40
    (one, told, _), (two, also_told, _) = run(text, [9, 12, 20, 45, 50], 3)[0]
    assert one.reason == two.reason == "silence"
    assert told
    assert also_told
    assert 60 * 512 <= one.commit_to < 100 * 512
    assert 140 * 512 <= two.commit_to < 180 * 512


@given(text=texts, token_frames=spoken, chunk=st.integers(1, 12))
def test_no_utterance_starves(text, token_frames, chunk):
    """Whatever is heard, none grows longer than it may, by more than a step."""
    found, endpointer = run(text, token_frames, chunk)
    assert all(length <= 100 + chunk for _, _, length in found)
    if endpointer._said.begin is not None:
        assert endpointer._committed_to - endpointer._said.begin < 100 * FRAME


@given(text=texts, token_frames=spoken, chunk=st.integers(1, 12))
def test_every_token_is_in_one_utterance_and_all_ends_are_in_order(text, token_frames, chunk):
    found, _ = run(text, token_frames, chunk)
    borders = [0, *(-(-endpoint.commit_to // FRAME) for endpoint, _, _ in found)]
    assert borders == sorted(borders)
    for (endpoint, told, _), start, end in zip(found, borders, borders[1:], strict=False):
        said = [each for each in token_frames if start <= each < end]
        assert told == bool(said)
        if endpoint.reason == "silence":
            # The look-ahead may show the blanks, too.
            shown_to = max(end, endpoint.seen_to // FRAME)
            assert not said or shown_to - said[-1] - 1 >= 3
        else:
            assert endpoint.reason == "max_length"


@given(text=texts, token_frames=spoken, chunk=st.integers(1, 12))
def test_asking_changes_nothing(text, token_frames, chunk):
    once = run(text, token_frames, chunk)[0]
    check, Endpointer.check = Endpointer.check, lambda each: (check(each), check(each))[1]
    try:
        assert run(text, token_frames, chunk)[0] == once
    finally:
        Endpointer.check = check


@given(text=texts, token_frames=spoken, chunk=st.integers(1, 12), steps=st.integers(1, 40))
def test_frames_are_passed_where_none_of_them_ends_the_utterance(text, token_frames, chunk, steps):
    """As if each had been judged, and it had been asked after each."""
    _, endpointer = run(text, token_frames, chunk)
    state = endpointer.state()
    known_to, silence_from = state.known_to, state.silence_from
    single, whole = Endpointer.of(state), Endpointer.of(state)
    ended = []
    for step in range(1, steps + 1):
        single.judged(known_to + step * 512, silence_from)
        ended.append(single.check() is not None)
    assert whole.passes(known_to + steps * 512, silence_from) is not any(ended)
    # An end that has come does not go away.
    assert ended == sorted(ended)
    assert whole.state() == (state if any(ended) else single.state())
