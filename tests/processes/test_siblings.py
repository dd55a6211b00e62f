import asyncio

import pytest

from parakeet_streaming.processes.frames import Kind
from parakeet_streaming.processes.siblings import (
    SharedPlaces,
    Siblings,
    packed_secret,
    unpacked_secret,
)
from parakeet_streaming.server.access import Secret
from parakeet_streaming.server.protocols.openai_realtime_settings import Settings
from parakeet_streaming.server.replies import TooManyError


class Engine:
    """A link to the engine's process."""

    def __init__(self, **answers):
        self.answers, self.asked, self.told = answers, [], []

    def ask(self, name, value=None):
        self.asked.append((name, value))
        answer = self.answers.get(name)
        if isinstance(answer, Exception):
            raise answer
        return answer, b""

    def tell(self, frame):
        self.told.append(frame)


def test_what_all_count():
    link = Engine(
        **{"all metrics": {"engine": "a 1"}, "all sockets": {"io-0": 2}, "end call": True}
    )
    siblings = Siblings(link)
    assert asyncio.run(siblings.metrics()) == {"engine": "a 1"}
    assert asyncio.run(siblings.sockets()) == {"io-0": 2}
    assert asyncio.run(siblings.end_call("rtc_1", "key-1"))
    assert link.asked[-1] == ("end call", ["rtc_1", "key-1"])


def test_keys_keep_what_holds_for_those_who_show_them():
    session = Settings("tiny-en", languages=("en",), keywords=("Ada",))
    link = Engine()
    asyncio.run(Siblings(link).share(Secret("value", "alice", 5.0, session), 60.0))
    ((_, told),) = link.asked
    known = unpacked_secret(told, now_s=1_000.0)
    assert (known.value, known.owner, known.session) == ("value", "alice", session)
    assert 1_050 < known.expires_s <= 1_060


def test_keys_of_no_session():
    assert unpacked_secret(packed_secret(Secret("v", "o", 0.0), 5.0), 0.0).session is None


def test_places_are_held_in_the_engine_s_process():
    link = Engine()
    places = SharedPlaces("sockets", link)
    with places.hold("key-1", "1.2.3.4"):
        ((name, (number, *held)),) = link.asked
        assert (name, held) == ("hold", ["sockets", "key-1", "1.2.3.4"])
        assert link.told == []
    assert [(each.kind, each.number) for each in link.told] == [(Kind.FREE, number)]


def test_a_place_that_is_refused_is_not_freed():
    link = Engine(hold=TooManyError("too many"))
    with pytest.raises(TooManyError), SharedPlaces("sockets", link).hold("k", "a"):
        pass
    assert link.told == []
