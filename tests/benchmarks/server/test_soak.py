"""A short soak with one bad client of each of a few kinds, and what it would find."""

import random

from benchmarks.server.bad_clients import KINDS, Target, frame, misbehave
from benchmarks.server.soak import Held, left_over


def test_a_short_soak(run, cells):
    done = run(
        "server.soak", "--minutes", "0.01", "--round-s", "4", "--clients", "1", "--bad-clients",
        "1", "--kinds", "garbage", "nonsense", "wrong_key", "--context", "1-0.5-0.5", "--seed", "1",
        "--recording-s", "2", "--threads", "1",
    )  # fmt: skip
    counted = dict(cells(done.stdout, "soak")[1:])
    assert counted["clients over native"].startswith("1,")
    # Each of the others has spoken, too, before the soak began.
    others = {"realtime", "webrtc", "deepgram", "wyoming"}
    assert {f"clients over {each}" for each in others} < set(counted)
    assert all(f"{each}, 1 clients" in done.stderr for each in others)
    assert int(counted["uploads"]) > 0
    # Memory is not judged by so short a run; nothing else may be said.
    assert [line for line in done.stdout.split("\n\n")[-1].splitlines() if line] in (
        ["it was too short to say anything of memory: two samples to a quarter at least"],
        ["Nothing was broken."],
    ), done.stdout + done.stderr


def test_what_is_left_is_told(monkeypatch):
    monkeypatch.setattr("benchmarks.server.soak._SETTLES_WITHIN_S", -1.0)
    monkeypatch.setattr(Held, "by", lambda _: Held(1, 0, 5, 9))
    assert left_over(None, Held(0, 0, 5, 9)) == ["sockets: 1 left, 0 before"]


def test_frames_may_lie_of_their_length():
    assert frame(b"ab", 2) == b"\x82\x82" + bytes(4) + b"ab"
    assert frame(bytes(200), 1)[1:4] == b"\xfe\x00\xc8"
    assert frame(b"", 2, announced=2**62)[1] == 0xFF


def test_a_server_that_is_not_there_is_no_error():
    target = Target("127.0.0.1", 1, "key")
    for kind in KINDS:
        misbehave(target, kind, random.Random(0))
