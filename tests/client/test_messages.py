"""Messages of the server as values; what a hostile server may send."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.client import events, messages
from parakeet_streaming.errors import ServerError
from parakeet_streaming.results import HealthHint, Token, Word
from parakeet_streaming.server import session_events as told
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols import native, native_commands
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import CapacityError, WrongRequestError, answer_to
from parakeet_streaming.timeline import ContextConfig

CONTEXT = ContextConfig.balanced()
ALL = StreamSettings(tokens=True)
TOKENS = (Token(7, " ä", 3, 2, 0.24, 0.4, 0.5),)
WORDS = (Word("ä", 0.24, 0.4, 0.5),)


@pytest.mark.parametrize(
    ("event", "read"),
    [
        (
            told.Heard(1, " ä", TOKENS, " b", (), 0.5, 1.0),
            events.Partial(1, " ä", " b", 0.5, 1.0, TOKENS, 2),
        ),
        (
            told.Ended(1, "ä", WORDS, TOKENS, 0.2, 0.5, "commit"),
            events.Final(1, "ä", 0.2, 0.5, "commit", WORDS, TOKENS, 2),
        ),
        (told.Started(3, 0.1), events.SpeechStarted(3, 0.1, 2)),
        (told.Stopped(3, 0.1), events.SpeechEnded(3, 0.1, 2)),
        (told.Lost(0.1, 0.2), events.Gap(0.1, 0.2, 2)),
        (told.ContextTold(CONTEXT, 0.1), events.ContextChanged(CONTEXT, 0.96, 0.1, 2)),
        (told.Hinted(HealthHint("rate", "r", 0.1)), events.Hint("rate", "r", 0.1, 2)),
        (told.Marked("m"), events.Marker("m", 2)),
        (told.Cleared(), events.Cleared(2)),
    ],
)
def test_the_client_reads_all_that_the_server_writes(event, read):
    assert messages.told_by(native.message_of(event, ALL, 2)) == read


def test_it_reads_what_is_no_event():
    ready = messages.told_by(native.ready("a", "m", ALL, CONTEXT, Limits(idle_s=5)))
    assert (ready.id, ready.model, ready.sample_rate) == ("a", "m", 16_000)
    assert (ready.context, ready.latency_s, ready.idle_s) == (CONTEXT, 0.96, 5.0)
    failed = messages.told_by(native.error(answer_to(CapacityError("full")), fatal=True))
    assert failed == messages.Failed("no_capacity", "full", 5)
    mistake = messages.told_by(native.error(answer_to(WrongRequestError("no", "id")), fatal=False))
    assert mistake == events.Mistake("invalid_value", "no", "id")
    assert messages.told_by(native.going_away("why", 3.0)) == events.GoingAway("why", 3.0)


def test_what_a_later_server_may_send_is_ignored():
    assert messages.told_by('{"type":"smell","of":"roses"}') is None
    marker = messages.told_by('{"type":"marker","id":"m","colour":"red"}')
    assert marker == events.Marker("m")


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
FIELDS = ("text", "tentative", "committed", "lookahead_end", "words", "context", "fatal", "limits")


@given(
    st.sampled_from(sorted(messages._READ)),
    st.dictionaries(st.sampled_from(FIELDS), SCRAPS),
    st.text(max_size=30),
)
def test_what_cannot_be_read_is_the_servers_error(kind, fields, scrap):
    for text in (json.dumps({**fields, "type": kind}), scrap, scrap.encode(), "[" * 10_000):
        with suppress(ServerError):
            messages.told_by(text)


def test_commands_are_what_the_server_takes():
    assert native_commands.command_of(
        messages.command("gap", samples=3), 16_000
    ) == native_commands.Missing(3)
    assert native_commands.command_of(
        messages.command("marker", id="x"), 16_000
    ) == native_commands.Marker("x")
    assert (
        native_commands.command_of(messages.command("keep_alive"), 16_000)
        == native_commands.KeepAlive()
    )
