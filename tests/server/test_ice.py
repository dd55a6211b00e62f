"""A caller's signs of life. With real callers: `doors/test_webrtc.py`, `test_vanishing.py`."""

import asyncio
from types import SimpleNamespace

import pytest

from parakeet_streaming.server import ice
from parakeet_streaming.server.ice import come_to, end_when_unheard


class Ice:
    """As `aioice.Connection`; answers so many questions."""

    def __init__(self, answers):
        self._left, self.asked = answers, 0
        self.closed = False
        self.remote_password = "secret"
        self._query_consent_task = "running"
        pair = SimpleNamespace(protocol=self, remote_addr=("192.0.2.1", 9))
        self._nominated = {1: pair}

    def build_request(self, pair, nominate):
        assert nominate is False
        return "request"

    async def request(self, request, address, integrity_key, retransmissions):
        assert (request, address) == ("request", ("192.0.2.1", 9))
        assert (integrity_key, retransmissions) == (b"secret", 0)
        self.asked += 1
        self._left -= 1
        if self._left < 0:
            raise TimeoutError

    async def close(self):
        assert self._query_consent_task is None  # it would wait for its own task
        self.closed = True


@pytest.mark.parametrize("answers", [0, 3])
def test_who_answers_no_more_is_gone(answers):
    connection = Ice(answers)
    end_when_unheard(connection, 0.06)
    asyncio.run(connection.query_consent())
    assert connection.closed
    assert connection.asked > answers + 2


def test_who_answers_stays():
    connection = Ice(10**9)
    end_when_unheard(connection, 0.06)

    async def run():
        asking = asyncio.create_task(connection.query_consent())
        while connection.asked < 30:
            await asyncio.sleep(0.01)
        assert not asking.done()
        asking.cancel()

    asyncio.run(run())
    assert not connection.closed


def test_nothing_is_sent_longer_than_the_standard_allows(monkeypatch):
    monkeypatch.setattr(ice, "MOST_UNHEARD_S", 0.05)
    connection = Ice(0)
    end_when_unheard(connection, 3_600.0)
    asyncio.run(connection.query_consent())
    assert connection.closed


def test_calls_come_to_our_addresses():
    async def gather(component, addresses):
        return component, addresses

    connection = SimpleNamespace(get_component_candidates=gather)
    come_to(connection, ("127.0.0.1",))
    found = asyncio.run(connection.get_component_candidates(component=1, addresses=["192.0.2.7"]))
    assert found == (1, ["127.0.0.1"])
