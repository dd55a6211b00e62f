"""When events of a window are due."""

from parakeet_streaming.live.due import Due


def of(**changes):
    told = {"begin_s": 6.0, **changes}
    return Due.of(lookahead_end=100, complete_s=5.0, chunk_s=0.5, audio_s=2.0, **told)


def test_a_window_is_due_when_the_next_one_is_complete():
    assert of(ends=False) == Due(100, 5.0, 6.5, 6.5, 2.0, ends=False)


def test_an_end_is_due_at_once_and_the_next_window_as_ever():
    assert of(begin_s=5.0, ends=True) == Due(100, 5.0, 5.0, 5.5, 2.0, ends=True)


def test_an_end_does_not_wait_for_the_turn_of_its_stream_but_others_do_not_wait_for_many():
    assert of(begin_s=5.25, ends=True).deadline_s == 5.0
    assert of(begin_s=8.0, ends=True).deadline_s == 7.5
