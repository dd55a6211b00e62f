"""Checkpoints are what was signed, or refused with their reason; nothing else comes of them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server import checkpoint as module
from parakeet_streaming.server.checkpoint import (
    MAGIC,
    MOST_BYTES,
    MOST_SKEW_S,
    VERSION,
    Bound,
    Checkpoint,
    CheckpointKeys,
    check_keys,
)
from parakeet_streaming.server.connection_options import ChannelStart
from parakeet_streaming.server.replies import CheckpointRefusedError
from parakeet_streaming.server.session_state import SessionState

KEYS = CheckpointKeys(["sixteen characters or more"])
OTHER = CheckpointKeys(["another secret of the servers"])
STATE = SessionState(3, 2, 5, 0, 17, 1.5, 0.25, True, True, False, (1.75, 2.0))
BOUND = Bound("owner", "model", {"sample_rate": "16000", "vad": "on"})

seconds = st.floats(0, 1e6) | st.integers(0, 10**6).map(float)
counts = st.integers(0, 2**40)
states = st.builds(
    SessionState, counts, counts, counts, counts, counts, st.none() | seconds, seconds,
    st.booleans(), st.booleans(), st.booleans(), st.lists(seconds, max_size=9).map(tuple),
)  # fmt: skip
starts = st.builds(ChannelStart, st.binary(max_size=300), states, counts)
checkpoints = st.builds(
    Checkpoint,
    st.text(max_size=20),
    counts,
    seconds,
    seconds,
    st.builds(Bound, st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=4)),
    st.lists(starts, min_size=1, max_size=8).map(tuple),
)


def made(*, issued_s=1_000.0, lasts_s=600.0, bound=BOUND, snapshot=b"state"):
    start = ChannelStart(snapshot, STATE, 16_000)
    return Checkpoint("3f2a", 7, issued_s, lasts_s, bound, (start,))


def reason_of(token, keys=KEYS):
    with pytest.raises(CheckpointRefusedError) as caught:
        keys.read(token)
    assert len(str(caught.value)) < 500
    return caught.value.reason


@given(checkpoints)
def test_what_was_signed_is_read(checkpoint):
    assert KEYS.read(KEYS.sign(checkpoint)) == checkpoint


def test_each_bit_counts():
    token = KEYS.sign(made())
    reasons = set()
    for at in range(len(token)):
        for bit in range(8):
            changed = bytearray(token)
            changed[at] ^= 1 << bit
            reasons.add(reason_of(bytes(changed)))
    assert reasons == {"damaged", "version", "foreign_key", "forged"}


@pytest.mark.parametrize("count", [0, 3, 5, 13, 44, 45, 46, 60])
def test_a_part_of_one_is_none(count):
    assert reason_of(KEYS.sign(made())[:count]) in ("damaged", "forged")


def test_more_than_one_is_none():
    assert reason_of(KEYS.sign(made()) + b"x") == "forged"


def test_a_key_that_is_not_known_is_told_apart():
    assert reason_of(KEYS.sign(made()), OTHER) == "foreign_key"
    assert reason_of(KEYS.sign(made()), CheckpointKeys.of_this_process()) == "foreign_key"


def test_a_signature_under_the_name_of_another_key_is_forged():
    mine, theirs = KEYS.sign(made()), OTHER.sign(made())
    name = slice(len(MAGIC) + 1, len(MAGIC) + 9)
    assert reason_of(theirs[: name.start] + mine[name] + theirs[name.stop :]) == "forged"


@pytest.mark.parametrize("version", [0, VERSION + 1, 255])
def test_other_versions_are_refused(version):
    token = bytearray(KEYS.sign(made()))
    token[len(MAGIC)] = version
    assert reason_of(bytes(token)) == "version"


def test_the_version_is_signed(monkeypatch):
    token = bytearray(KEYS.sign(made()))
    token[len(MAGIC)] = 2
    monkeypatch.setattr(module, "VERSION", 2)
    assert reason_of(bytes(token)) == "forged"


def test_what_is_too_large_is_not_looked_at():
    assert reason_of(KEYS.sign(made(snapshot=bytes(MOST_BYTES)))) == "too_large"


def test_keys_may_be_changed_one_server_after_another():
    old, new = "the secret of last year", "the secret of this year"
    before, between, after = (CheckpointKeys(each) for each in ([old], [old, new], [new, old]))
    for signs in (before, between, after):
        for reads in (between, after):
            token = signs.sign(made())
            assert reads.read(token) == made()
            assert reads.owner(b"digest", token) == signs.owner(b"digest")
    assert reason_of(after.sign(made()), before) == "foreign_key"


def test_keys_that_can_be_guessed_are_refused():
    with pytest.raises(OptionError, match="16 characters"):
        CheckpointKeys(["short"])
    check_keys(["x" * 16])
    assert not CheckpointKeys([]).shared
    assert KEYS.shared


@pytest.mark.parametrize(
    ("now_s", "reason"),
    [
        (1_000.0, None),
        (1_000.0 - MOST_SKEW_S, None),
        (1_000.0 - MOST_SKEW_S - 1, "early"),
        (1_600.0 + MOST_SKEW_S, None),
        (1_600.0 + MOST_SKEW_S + 1, "expired"),
        (0.0, "early"),
        (1e12, "expired"),
    ],
)
def test_clocks_may_differ_by_a_little(now_s, reason):
    if reason is None:
        made().check_time(now_s)
    else:
        with pytest.raises(CheckpointRefusedError) as caught:
            made().check_time(now_s)
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("other", "reason", "says"),
    [
        (Bound("thief", "model", BOUND.settings), "other_api_key", "API key"),
        (Bound("owner", "larger", BOUND.settings), "other_model", "model"),
        (Bound("owner", "model", {"sample_rate": "8000", "vad": "on"}), "settings", "sample_rate"),
        (Bound("owner", "model", {"sample_rate": "16000", "x": "1"}), "settings", "vad, x"),
    ],
)
def test_it_holds_for_what_it_was_made_for(other, reason, says):
    BOUND.check(BOUND)
    with pytest.raises(CheckpointRefusedError, match=says) as caught:
        BOUND.check(other)
    assert caught.value.reason == reason


def test_an_owner_does_not_show_the_api_key():
    assert KEYS.owner(b"a") != KEYS.owner(b"b")
    assert KEYS.owner(b"a") != OTHER.owner(b"a")


GOOD = KEYS.sign(made())[45:]
HEADER = json.loads(GOOD[4 : 4 + int.from_bytes(GOOD[:4], "little")])


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.integers(0, len(GOOD)).map(lambda count: GOOD[:count]))
def test_even_what_is_signed_is_checked(body):
    if body != GOOD:
        assert reason_of(KEYS.sealed(body)) == "damaged"


def read_or_damaged(token):
    try:
        return KEYS.read(token)
    except CheckpointRefusedError:
        assert reason_of(token) == "damaged"
        return None


SCRAPS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(st.sampled_from([*HEADER]), SCRAPS)
def test_a_signed_header_with_other_values_is_read_or_damaged(name, value):
    text = json.dumps({**HEADER, name: value}).encode()
    read = read_or_damaged(KEYS.sealed(len(text).to_bytes(4, "little") + text + b"state"))
    if read is not None:
        assert read.channels == made().channels


@given(st.sampled_from([*HEADER["channels"][0]["session"]]), SCRAPS)
def test_a_signed_session_with_other_values_is_read_or_damaged(name, value):
    channel = HEADER["channels"][0]
    session = {**channel["session"], name: value}
    text = json.dumps({**HEADER, "channels": [{**channel, "session": session}]}).encode()
    read = read_or_damaged(KEYS.sealed(len(text).to_bytes(4, "little") + text + b"state"))
    if read is not None:
        found = getattr(read.channels[0].session, name)
        assert found == (tuple(value) if isinstance(value, list) else value)
