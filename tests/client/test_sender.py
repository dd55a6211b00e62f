"""Other phrases outlive the connection over which they were said."""

import time

import pytest

from parakeet_streaming.client import Client, Resumed
from tests.client.test_async_sender import BOOSTED, JFK
from tests.client.test_client import OPEN, QUICK, Line, two_servers
from tests.server.processes import Served

PIECE = 8_000


def boosted(utterances):
    return [word.text for each in utterances for word in each.words if word.boosted]


def heard(url, disturb=None, resume=QUICK):
    """Phrases change twice; `disturb` is called after the first change, when text has come."""
    with Client(url) as client, client.stream(resume=resume) as stream:
        for number, start in enumerate(range(0, len(JFK), PIECE)):
            if number == 2:
                stream.use_phrases([BOOSTED])
            if number == len(JFK) // PIECE - 1:
                stream.use_phrases([])
            stream.send(JFK[start : start + PIECE])
            if number == 10 and disturb is not None:
                while not stream.heard.text:
                    stream.get(60)
                time.sleep(1.0)  # for a checkpoint, half a second later
                disturb()
        stream.finish()
        events = list(stream)
        return stream.heard.utterances, [each for each in events if isinstance(each, Resumed)]


@pytest.fixture(scope="module")
def uncut():
    with Served(*OPEN) as server:
        utterances, _ = heard(server.url, resume=False)
    assert BOOSTED in boosted(utterances)
    return utterances


def test_phrases_that_were_changed_stay_changed_at_another_server(uncut):
    with two_servers() as (_, line):
        utterances, resumed = heard(line.url, lambda: line.do(lambda proxy: proxy.reset()))
    assert Resumed("exact") in resumed
    assert utterances == uncut


def test_they_are_said_again_where_the_stream_begins_anew():
    with Served(*OPEN) as one, Served(*OPEN) as two:
        line = Line({each.url.removeprefix("http://"): each for each in (one, two)})
        try:
            utterances, resumed = heard(line.url, lambda: line.do(lambda proxy: proxy.reset()))
        finally:
            line.end()
    assert Resumed("anew", "foreign_key") in resumed
    assert BOOSTED in boosted(utterances)
