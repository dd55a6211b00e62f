"""What was said is sent in order, and again from where a server goes on."""

import json

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.client.messages import command
from parakeet_streaming.client.spoken import Spoken


def spoken(*said, frame_bytes=2, keeps=True):
    made = Spoken(frame_bytes, 1_000)
    made.keeps = keeps
    for each in said:
        if isinstance(each, bytes):
            made.audio(each)
        elif isinstance(each, int):
            made.gap(each)
        else:
            made.command(each, command(each), each)
    return made


def sent(made):
    """All that waits."""
    found = []
    while (said := made.next()) is not None:
        message = said.message
        if isinstance(message, bytes):
            found.append(message)
        else:
            fields = json.loads(message)
            found.append(fields.get("samples") or fields["type"])
    return found


def test_all_is_sent_in_order_and_whole_samples():
    made = spoken(b"abc", b"de", "commit", b"f", b"", 3, 4, "finish", frame_bytes=2)
    assert made.position == 3 + 7
    assert sent(made) == [b"abcd", "commit", b"ef", 7, "finish"]
    assert made.is_sent
    assert made.kept_s == 0.01


def test_nothing_is_kept_that_nobody_will_ask_for():
    made = spoken(b"abcd", keeps=False)
    sent(made)
    made.rewind(0)
    assert made.next() is None
    assert made.kept_s == 0.0


def test_it_is_sent_again_from_a_sample():
    made = spoken(b"abcd", 5, b"ef")
    sent(made)
    made.audio(b"gh")
    made.forget(1, 0)
    made.rewind(1)
    assert sent(made) == [b"cd", 5, b"efgh"]
    made.rewind(4)
    assert sent(made) == [3, b"efgh"]
    made.forget(8, 0)
    made.rewind(8)
    assert sent(made) == [b"gh"]


def test_phrases_are_sent_again_with_the_audio_after_them():
    made = spoken("phrases", b"ab", "phrases", b"cd", "phrases", b"ef")
    sent(made)
    made.forget(1, 0)
    made.rewind(1)
    assert sent(made) == ["phrases", b"cd", "phrases", b"ef"]
    made.forget(3, 0)
    made.rewind(3)
    assert sent(made) == []
    # A stream that begins anew needs the last of them.
    made.audio(b"gh")
    assert made.begin_anew() == 3
    assert sent(made) == ["phrases", b"gh"]


def test_commands_are_sent_again_until_they_are_answered():
    made = spoken(b"ab", "commit", b"cd", "clear", "marker", "aside", "commit", "finish")
    sent(made)
    made.forget(2, 1)
    assert made.clears_kept() == 1
    made.rewind(2)
    assert sent(made) == ["clear", "marker", "commit", "finish"]
    made.marker_answered("other")
    made.marker_answered("marker")
    made.forget(2, 3)
    made.rewind(2)
    assert sent(made) == ["finish"]


def test_audio_that_waits_goes_in_few_messages():
    made = spoken(*[bytes(640)] * 1_000)
    sizes = [len(each) for each in sent(made)]
    assert sum(sizes) == 640_000
    assert len(sizes) == 10
    assert max(sizes) <= 1 << 16


def test_a_clear_forgets_part_of_a_sample():
    assert sent(spoken(b"abc", "clear", b"de")) == [b"ab", "clear", b"de"]


def test_an_utterance_that_ended_without_audio_is_committed_the_second_time():
    made = spoken(b"abcd")
    sent(made)
    made.audio(b"efgh")
    sent(made)
    made.ended_without_audio(0.002)
    made.rewind(0)
    assert sent(made) == [b"abcd", "commit", b"efgh"]
    made.forget(0, 1)
    made.rewind(0)
    assert sent(made) == [b"abcdefgh"]


def test_what_the_server_did_by_itself_is_over_with_the_next_checkpoint():
    made = spoken(b"abcd", "commit")
    sent(made)
    made.ended_without_audio(0.002)
    made.forget(1, 0)
    made.rewind(1)
    assert sent(made) == [b"cd", "commit"]


def test_a_stream_that_begins_anew_gets_all_there_is():
    made = spoken(b"abcd", "commit", b"ef")
    sent(made)
    made.forget(1, 0)
    assert made.begin_anew() == 0
    assert sent(made) == [b"abcd", "commit", b"ef"]
    made.forget(2, 1)
    assert made.begin_anew() == 2
    assert sent(made) == [b"ef"]


def test_audio_that_has_no_room_leaves_a_gap():
    made = spoken(b"abcde")
    made.audio(b"fgh", left_out=True)
    made.audio(b"ijkl", left_out=True)
    made.audio(b"mn")
    assert sent(made) == [b"abcd", 4, b"mn"]


@given(
    st.lists(
        st.binary(min_size=1, max_size=9) | st.integers(1, 9) | st.just("commit"), max_size=12
    ),
    st.integers(0, 60),
    st.integers(1, 4),
)
def test_what_is_sent_again_joins_what_is_not(said, sample, frame_bytes):
    made = spoken(*said, frame_bytes=frame_bytes)

    def samples(messages):
        found = []
        for each in messages:
            if isinstance(each, bytes):
                found += [each[at : at + frame_bytes] for at in range(0, len(each), frame_bytes)]
            elif isinstance(each, int):
                found += [None] * each
        return found

    whole = samples(sent(made))
    assert len(whole) == made.position
    made.forget(min(sample, made.position), 0)
    made.rewind(sample)
    assert samples(sent(made)) == whole[sample:]
