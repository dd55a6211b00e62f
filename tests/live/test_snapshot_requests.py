"""Each request is answered once: with a state, an error, or the end."""

import threading

import pytest

from parakeet_streaming.errors import StreamClosedError
from parakeet_streaming.live.snapshot_requests import SnapshotRequest, SnapshotRequests


def request(audio=True):
    return SnapshotRequest(audio, True, True)


def test_all_that_wait_are_answered_with_what_they_asked_for():
    requests, first, second = SnapshotRequests("3f2a"), request(True), request(False)
    requests.put(first)
    requests.put(second)
    requests.answer(lambda each: ("state", each.audio))
    assert [each.answer.result(0) for each in (first, second)] == [
        ("state", True), ("state", False),
    ]  # fmt: skip
    requests.refuse()


def test_what_comes_after_the_end_is_refused_with_the_streams_id():
    requests, late = SnapshotRequests("3f2a"), request()
    requests.put(late)
    requests.refuse()
    with pytest.raises(StreamClosedError, match="stream 3f2a"):
        late.answer.result(0)


def test_a_state_that_cannot_be_made_fails_its_request_alone():
    requests, bad, good = SnapshotRequests("3f2a"), request(True), request(False)
    requests.put(bad)
    requests.put(good)
    requests.answer(lambda each: 1 / (not each.audio))
    with pytest.raises(ZeroDivisionError):
        bad.answer.result(0)
    assert good.answer.result(0) == 1


def test_answers_and_refusals_that_race_answer_each_once():
    requests, asked = SnapshotRequests("3f2a"), [request() for _ in range(2_000)]
    done = threading.Event()

    def refuse():
        while not done.is_set():
            requests.refuse()

    thread = threading.Thread(target=refuse)
    thread.start()
    for each in asked:
        requests.put(each)
        requests.answer(lambda _: "state")
    done.set()
    thread.join(60)
    requests.refuse()
    assert all(each.answer.done() for each in asked)
