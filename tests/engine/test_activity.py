"""Onsets are never late, quiet is never wrong, and speech ends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.engine.activity import SpeechDetector, Transition
from parakeet_streaming.engine.stream_state import Activity
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.results import SpeechEnded, SpeechStarted

FRAME = 512
FRAME_MS = 32
# In frames of 32 ms: 3 of speech, 4 of silence, 2 of padding, 5 of hangover.
OPTIONS = VadOptions(
    min_speech_ms=3 * FRAME_MS,
    min_silence_ms=4 * FRAME_MS,
    prefix_padding_ms=2 * FRAME_MS,
    hangover_ms=5 * FRAME_MS,
)
PADDING, HANGOVER = 2 * FRAME, 5 * FRAME
LEVELS = {".": 0.1, "o": 0.4, "#": 0.9}
"""Below both thresholds, between them, above both."""

frames = st.text(alphabet=".o#", max_size=60)
in_ms = st.integers(0, 12).map(lambda count: count * FRAME_MS)
options = st.builds(
    VadOptions,
    min_speech_ms=in_ms,
    min_silence_ms=in_ms,
    prefix_padding_ms=in_ms,
    hangover_ms=in_ms,
)


def told(detector, text):
    """Transitions of the frames in `text`, by the number of the frame that made them sure."""
    found = [(number, detector.feed(LEVELS[each])) for number, each in enumerate(text)]
    return [(number, each.started, each.at_sample // FRAME) for number, each in found if each]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("....", []),
        ("..###", [(4, True, 2)]),
        # Voice lasts while the lower threshold is reached, and does not begin with it.
        ("oo#oo", [(4, True, 2)]),
        ("oooooo", []),
        # A click is none, nor are two that are far apart.
        ("##....", []),
        ("##....##", []),
        # Voice is added up over pauses too short to end it.
        ("#..#..#", [(6, True, 0)]),
        ("###....", [(2, True, 0), (6, False, 3)]),
        ("###...#....", [(2, True, 0), (10, False, 7)]),
        # What lies between the thresholds ends no silence.
        ("###.ooo", [(2, True, 0), (6, False, 3)]),
        ("###....###....", [(2, True, 0), (6, False, 3), (9, True, 7), (13, False, 10)]),
    ],
)
def test_speech_starts_and_ends(text, expected):
    assert told(SpeechDetector(OPTIONS), text) == expected


@pytest.mark.parametrize(
    ("text", "activity", "silence_from"),
    [
        ("", Activity.QUIET, 0),
        (".o", Activity.QUIET, 0),
        (".#", Activity.STARTING, None),
        (".#.", Activity.STARTING, 2),
        (".#....", Activity.QUIET, 2),
        (".#####", Activity.SPEAKING, None),
        (".#####.", Activity.STOPPING, 6),
        (".#####.o", Activity.STOPPING, 6),
        (".#####.#", Activity.SPEAKING, None),
        (".#####....", Activity.QUIET, 6),
    ],
)
def test_what_holds_after_a_frame(text, activity, silence_from):
    detector = SpeechDetector(OPTIONS)
    told(detector, text)
    assert detector.activity is activity
    assert detector.silence_from == (None if silence_from is None else silence_from * FRAME)
    assert detector.known_to == len(text) * FRAME


def test_without_durations_every_frame_decides():
    detector = SpeechDetector(VadOptions(min_speech_ms=0, min_silence_ms=0))
    assert told(detector, ".#.#") == [(1, True, 1), (2, False, 2), (3, True, 3)]


def test_frames_of_another_length():
    detector = SpeechDetector(VadOptions(min_speech_ms=20, min_silence_ms=20), frame_samples=160)
    found = [detector.feed(p) for p in (0.1, 0.9, 0.9, 0.1, 0.1)]
    assert found == [None, None, Transition(True, 160), None, Transition(False, 480)]


def test_a_transition_is_an_event_in_seconds():
    assert Transition(True, 8_000).event() == SpeechStarted(0.5)
    assert Transition(False, 24_000).event() == SpeechEnded(1.5)


# Gaps and the end


def test_a_gap_that_is_long_enough_ends_speech_where_it_begins():
    detector = SpeechDetector(OPTIONS)
    told(detector, "###")
    assert detector.skip_to(3 * FRAME) is None
    assert detector.skip_to(4 * FRAME) is None
    assert detector.activity is Activity.STOPPING
    assert detector.skip_to(7 * FRAME + 1) == Transition(False, 3 * FRAME)
    assert detector.known_to == 7 * FRAME + 1


def test_frames_behind_a_gap_start_where_it_ends():
    detector = SpeechDetector(OPTIONS)
    told(detector, "....")
    detector.skip_to(10_001)
    found = [detector.feed(0.9) for _ in range(3)]
    assert found == [None, None, Transition(True, 10_001)]


def test_a_gap_is_not_quiet():
    detector = SpeechDetector(OPTIONS)
    told(detector, "." * 10)
    detector.skip_to(20 * FRAME)
    told(detector, "." * 20)
    assert detector.quiet(0, 8 * FRAME)
    assert not detector.quiet(0, 8 * FRAME + 1)
    assert not detector.quiet(12 * FRAME, 13 * FRAME)
    assert not detector.quiet(25 * FRAME - 1, 30 * FRAME)
    assert detector.quiet(25 * FRAME, 30 * FRAME)


def test_what_is_judged_is_not_judged_again():
    detector = SpeechDetector(OPTIONS)
    told(detector, "..")
    with pytest.raises(AudioInputError, match="1024 already, not only to 1023"):
        detector.skip_to(1_023)


@pytest.mark.parametrize(
    ("text", "ended", "silence_from"),
    [
        ("", None, 0),
        ("..", None, 0),
        ("#", None, FRAME - 12),
        ("###", 3 * FRAME - 12, 3 * FRAME - 12),
        ("###..", 3 * FRAME, 3 * FRAME),
    ],
)
def test_the_end_of_the_stream_ends_speech(text, ended, silence_from):
    detector = SpeechDetector(OPTIONS)
    told(detector, text)
    transition = detector.finish(max(0, len(text) * FRAME - 12))
    assert transition == (None if ended is None else Transition(False, ended))
    assert detector.activity is Activity.QUIET
    assert detector.silence_from == silence_from


def test_behind_the_end_nothing_can_begin():
    detector = SpeechDetector(OPTIONS)
    told(detector, "....")
    assert not detector.quiet(0, 4 * FRAME)
    detector.finish(4 * FRAME)
    assert detector.quiet(0, 4 * FRAME)
    assert not detector.quiet(0, 4 * FRAME + 1)


# Quiet


@pytest.mark.parametrize("frame", ["o", "#"])
def test_a_single_frame_of_possible_speech_is_not_quiet_nor_what_is_near(frame):
    detector = SpeechDetector(OPTIONS)
    told(detector, "." * 10 + frame + "." * 20)
    quiet = [detector.quiet(at * FRAME, (at + 1) * FRAME) for at in range(31)]
    assert quiet == [True] * 8 + [False] * 8 + [True] * 13 + [False] * 2


def test_quiet_waits_for_what_might_begin_behind_it():
    detector = SpeechDetector(OPTIONS)
    told(detector, "." * 10)
    assert detector.quiet(0, 8 * FRAME)
    assert not detector.quiet(0, 8 * FRAME + 1)


def test_the_hangover_is_no_shorter_than_the_silence_that_ends_speech():
    silence = VadOptions(min_silence_ms=6 * FRAME_MS, hangover_ms=0, prefix_padding_ms=0)
    detector = SpeechDetector(silence)
    told(detector, "#" + "." * 10)
    assert not detector.quiet(7 * FRAME - 1, 8 * FRAME)
    assert detector.quiet(7 * FRAME, 8 * FRAME)


def test_what_is_forgotten_is_not_quiet():
    detector = SpeechDetector(OPTIONS)
    told(detector, "." * 20)
    detector.forget_before(5 * FRAME)
    detector.forget_before(3 * FRAME)
    assert not detector.quiet(5 * FRAME - 1, 6 * FRAME)
    assert detector.quiet(5 * FRAME, 6 * FRAME)


@given(text=frames, options=options, start=st.integers(0, 31_000), length=st.integers(1, 9_000))
def test_quiet_is_what_no_possible_speech_is_near(text, options, start, length):
    detector = SpeechDetector(options)
    told(detector, text)
    padding = round(options.prefix_padding_ms * 16)
    hangover = round(max(options.hangover_ms, options.min_silence_ms) * 16)
    judged = start + length + padding <= len(text) * FRAME
    near = any(
        number * FRAME < start + length + padding and (number + 1) * FRAME > start - hangover
        for number, each in enumerate(text)
        if each != "."
    )
    assert detector.quiet(start, start + length) == (judged and not near)


@given(text=frames, later=frames, options=options, bounds=st.lists(st.integers(0, 31_000)))
def test_once_quiet_always_quiet(text, later, options, bounds):
    """What comes later proves no earlier answer wrong, and asking changes nothing."""
    detector, asked = SpeechDetector(options), SpeechDetector(options)
    spans = [(low, high) for low in bounds for high in bounds if low < high]
    found = []
    for number, each in enumerate(text + later):
        if number == len(text):
            quiet = [span for span in spans if asked.quiet(*span)]
        found.append((detector.feed(LEVELS[each]), asked.feed(LEVELS[each])))
        [asked.quiet(*span) for span in spans]
    assert all(one == other for one, other in found)
    if later:
        assert all(asked.quiet(*span) for span in quiet)


@given(text=frames, options=options)
def test_no_onset_is_ever_quiet_nor_the_padding_before_it(text, options):
    detector = SpeechDetector(options)
    padding = round(options.prefix_padding_ms * 16)
    quiet_to = 0
    for each in text:
        transition = detector.feed(LEVELS[each])
        if transition and transition.started:
            assert quiet_to <= max(transition.at_sample - padding, 0)
        for start in range(0, detector.known_to, FRAME // 2):
            if detector.quiet(start, start + FRAME // 2):
                quiet_to = max(quiet_to, start + FRAME // 2)


@given(text=frames, options=options)
def test_speech_starts_with_its_first_frame_over_the_threshold_and_takes_turns(text, options):
    detector = SpeechDetector(options)
    found = told(detector, text)
    assert [started for _, started, _ in found] == [n % 2 == 0 for n in range(len(found))]
    border = 0
    for number, started, at in found:
        assert border <= at <= number
        if started:
            assert text[at] == "#"
            # An earlier frame over the threshold belongs to a start that silence took back.
            silence = max(math.ceil(options.min_silence_ms / FRAME_MS), 1)
            assert "#" not in text[max(at - silence, border) : at]
        else:
            assert text[at] != "#"
        border = at
    assert told(SpeechDetector(options), text) == found


@given(text=st.text(alphabet=".o#", min_size=1, max_size=12), repeats=st.integers(20, 40))
def test_flapping_does_not_starve(text, repeats):
    """Enough voice becomes speech however often it breaks off, and enough silence ends it."""
    detector = SpeechDetector(OPTIONS)
    found = told(detector, text * repeats + "....")
    longest_pause = max((len(pause) for pause in (text * 2).split("#")[1:-1]), default=0)
    if "#" in text and longest_pause < 4:
        assert found[0][1:] == (True, text.index("#"))
        assert [started for _, started, _ in found] == [True, False]
    assert detector.activity is Activity.QUIET


@given(text=st.text(alphabet=".o#", min_size=200, max_size=400))
def test_memory_is_bounded_by_what_is_still_asked_for(text):
    detector = SpeechDetector(OPTIONS)
    whole = SpeechDetector(OPTIONS)
    for each in text:
        detector.feed(LEVELS[each])
        whole.feed(LEVELS[each])
        recent = max(detector.known_to - 20 * FRAME, 0)
        detector.forget_before(recent)
        spans = [(at, at + FRAME) for at in range(recent, detector.known_to, FRAME)]
        assert [detector.quiet(*span) for span in spans] == [whole.quiet(*span) for span in spans]
        assert len(detector._runs) <= 4


def test_what_may_still_turn_out_to_be_quiet():
    detector = SpeechDetector(VadOptions(prefix_padding_ms=320, hangover_ms=320))
    assert (detector.frame_samples, detector.finished) == (512, False)
    assert detector.quiet_so_far(0, 16_000)
    for _ in range(20):
        detector.feed(0.0)
    assert detector.quiet_so_far(0, 10_000)
    assert not detector.quiet(0, 10_000)
    detector.feed(1.0)
    # Speech from 10,240 to 10,752, with 5,120 around it.
    assert not detector.quiet_so_far(0, 10_000)
    assert detector.quiet_so_far(0, 5_120)
    assert not detector.quiet_so_far(15_000, 16_000)
    assert detector.quiet_so_far(15_872, 16_000)
    detector.forget_before(1_000)
    assert not detector.quiet_so_far(0, 5_120)
    detector.finish(10_752)
    assert detector.finished


def test_what_lies_before_an_onset_is_told_in_samples():
    assert SpeechDetector(OPTIONS, FRAME).padding_samples == PADDING


@pytest.mark.parametrize(
    ("text", "start", "end", "silent"),
    [
        ("##......", 2, 8, True),
        ("##......", 1, 8, False),  # voice after `start`
        ("##...o..", 2, 8, False),  # perhaps voice
        ("##......", 2, 9, False),  # not all was judged
        ("##......", 2, 8.9, True),  # less than a frame is left
        ("##.....#", 2, 7.9, False),
    ],
)
def test_silence_is_what_was_judged_and_has_no_possible_speech(text, start, end, silent):
    detector = SpeechDetector(OPTIONS)
    told(detector, text)
    assert detector.silent(round(start * FRAME), round(end * FRAME)) is silent


def test_what_is_forgotten_was_not_silent():
    detector = SpeechDetector(OPTIONS)
    told(detector, "." * 20)
    detector.forget_before(12 * FRAME)
    assert detector.silent(7 * FRAME, 20 * FRAME)
    assert not detector.silent(7 * FRAME - 1, 20 * FRAME)


def test_a_gap_is_not_silent():
    detector = SpeechDetector(OPTIONS)
    told(detector, "..")
    detector.skip_to(6 * FRAME)
    told(detector, "..")
    assert not detector.silent(0, 8 * FRAME)
    assert detector.silent(6 * FRAME, 8 * FRAME)


# Several frames at once


@given(
    before=frames,
    blocks=st.lists(st.text(alphabet=".o#", min_size=1, max_size=8), max_size=8),
    forgotten=st.integers(0, 40_000),
    options=options,
)
def test_steady_frames_are_passed_as_if_fed_one_by_one(before, blocks, forgotten, options):
    whole, single = SpeechDetector(options), SpeechDetector(options)
    for detector in (whole, single):
        told(detector, before)
        detector.forget_before(forgotten)
    for block in blocks:
        probabilities = [LEVELS[each] for each in block]
        if whole.is_steady(probabilities):
            whole.pass_steady(len(block))
            assert [single.feed(each) for each in probabilities] == [None] * len(block)
        else:
            assert told(whole, block) == told(single, block)
        assert whole.state() == single.state()


@pytest.mark.parametrize(
    ("before", "frames", "steady"),
    [
        ("....", "....", True),
        ("....", "..o.", False),
        # Speech, and silence in it that is not long enough to end it.
        ("####", "##oo", True),
        ("####", "##..", False),
        ("####.", "..", True),
        ("####.", "...", False),
        ("####.", ".#", False),
        ("##", "#", False),
        ("##.", "..", True),
    ],
)
def test_most_frames_are_steady(before, frames, steady):
    detector = SpeechDetector(OPTIONS)
    told(detector, before)
    assert detector.is_steady([LEVELS[each] for each in frames]) is steady


@given(text=frames, later=st.text(alphabet=".o#", min_size=20, max_size=20), options=options)
def test_speech_ends_no_earlier_than_is_said(text, later, options):
    detector = SpeechDetector(options)
    told(detector, text)
    least = detector.frames_to_end
    found = told(detector, later)
    if least:
        assert all(number + 1 >= least for number, *_ in found)
    elif options.min_silence_ms:
        assert not found or found[0][1]


def test_how_long_speech_lasts_at_least():
    detector = SpeechDetector(OPTIONS)
    asked = []
    for each in "##" + "#" + ".." + "#" + "....":
        told(detector, each)
        asked.append(detector.frames_to_end)
    assert asked == [0, 0, 4, 3, 2, 4, 3, 2, 1, 0]
