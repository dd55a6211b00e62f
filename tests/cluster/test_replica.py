"""One replica without Ray: its application is called as Ray calls it."""

import asyncio
import io

import pytest

from parakeet_streaming.cluster.replica import Replica, read_in_time
from parakeet_streaming.cluster.scaling import FULLNESS
from parakeet_streaming.errors import EngineFailedError, ModelNotFoundError
from parakeet_streaming.server.settings import Settings

SETTINGS = Settings(model="tiny-en", threads=1, max_streams=4, drain_s=2.0)


def opened(test, settings=SETTINGS, **how):
    async def run():
        replica = await Replica.open(settings, **how)
        try:
            return await asyncio.wait_for(test(replica), 60)
        finally:
            await replica.close()

    return asyncio.run(run())


async def asked(replica, path, **how):
    """The status and the body of a request, as an ASGI server would ask."""
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    scope = {
        **{"type": "http", "method": "GET", "path": path, "raw_path": path.encode()},
        **{"query_string": b"", "headers": [], "client": ("127.0.0.1", 1), "scheme": "http"},
        **{"server": ("127.0.0.1", 2), "http_version": "1.1", "root_path": ""},
    } | how
    await replica.application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in told)
    return told[0]["status"], body.decode()


class Others:
    """Replicas that tell what they are given."""

    label = "replica"
    takes_calls = False

    def __init__(self):
        self.shared = []

    async def metrics(self):
        return {"a": "# TYPE x gauge\nx 1\n", "b": "# TYPE x gauge\nx 2\n"}

    async def sockets(self):
        return {"a": 3, "b": 4}

    async def share(self, secret, lasts_s):
        self.shared.append((secret, lasts_s))

    async def end_call(self, name, owner):
        return False


def test_it_is_a_server_and_says_who_is_inside():
    async def test(replica):
        assert (await asked(replica, "/readyz"))[0] == 200
        assert replica.census().requests == 0
        replica.check()
        assert replica.scaling_numbers() == {FULLNESS: 0.0}

    opened(test)


def test_a_request_is_inside_while_it_is_answered():
    async def test(replica):
        seen = []

        async def send(_):
            seen.append(replica.census().requests)

        scope = {
            **{"type": "http", "method": "GET", "path": "/healthz", "raw_path": b"/healthz"},
            **{"query_string": b"", "headers": [], "client": None},
        }
        await replica.application(scope, None, send)
        assert set(seen) == {1}
        assert replica.census().requests == 0

    opened(test)


def test_it_drains_when_it_is_told():
    async def test(replica):
        replica.drain(5.0)
        until_s = replica.service.drain.until_s
        replica.drain(100.0)
        assert replica.service.drain.until_s == until_s
        assert await asked(replica, "/readyz") == (503, '{"status": "draining"}')

    opened(test)


def test_it_drains_by_itself_when_it_is_to_stop():
    async def test(replica):
        stopping = False
        replica.drain_when(lambda: stopping)
        await asyncio.sleep(0)
        assert not replica.service.drain.draining
        stopping = True
        await asyncio.wait_for(replica.service.drain.wait(), 30)

    opened(test)


def test_metrics_are_those_of_all():
    async def test(replica):
        status, text = await asked(replica, "/metrics")
        assert status == 200
        assert text.splitlines() == ["# TYPE x gauge", 'x{replica="a"} 1', 'x{replica="b"} 2']
        _, about = await asked(replica, "/page/about.json")
        assert '"sockets_of_replicas": {"a": 3, "b": 4}' in about
        assert "parakeet_open_sockets 0.0" in await replica.metrics()

    opened(test, replicas=Others())


def test_calls_are_for_a_server_that_is_alone():
    async def test(replica):
        status, _ = await asked(replica, "/v1/realtime/calls", method="POST")
        assert status == 404
        _, about = await asked(replica, "/page/about.json")
        assert '"webrtc": false' in about

    opened(test, replicas=Others())


def test_a_short_lived_key_is_known_to_all():
    others = Others()

    async def test(replica):
        headers = [(b"authorization", b"Bearer k1")]
        path = "/v1/realtime/client_secrets"
        assert (await asked(replica, path, method="POST", headers=headers))[0] == 200
        ((secret, lasts_s),) = others.shared
        ((own, left_s),) = replica.secrets()
        assert own == secret
        assert 0 < left_s <= lasts_s
        return secret

    settings = Settings(model="tiny-en", threads=1, api_key=("alice:k1",))
    secret = opened(test, settings, replicas=others)

    async def elsewhere(replica):
        headers = [(b"authorization", f"Bearer {secret.value}".encode())]
        assert (await asked(replica, "/metrics", headers=headers))[0] == 401
        replica.know(secret, 60.0)
        assert (await asked(replica, "/metrics", headers=headers))[0] == 200

    opened(elsewhere, settings)


def test_its_lines_say_whose_they_are():
    lines = io.StringIO()

    async def test(replica):
        await asked(replica, "/nothing")

    opened(test, log=lines, name="r1")
    assert "code=not_found" in lines.getvalue()
    assert all("replica=r1" in line for line in lines.getvalue().splitlines())


def test_a_broken_engine_is_told(monkeypatch):
    async def test(replica):
        failure = RuntimeError("no memory")
        monkeypatch.setattr(type(replica._engine), "failure", property(lambda _: failure))
        with pytest.raises(EngineFailedError, match="no memory"):
            replica.check()

    opened(test)


def test_a_model_that_is_not_there_is_told():
    with pytest.raises(ModelNotFoundError):
        opened(None, Settings(model="./no/such/folder"))


class Queued:
    """What Ray hands over: it reads on and on, into a queue."""

    def __init__(self, receive):
        self.queue = asyncio.Queue()
        self._receive = receive

    async def read(self):
        while True:
            self.queue.put_nowait(await self._receive())

    async def __call__(self):
        return await self.queue.get()


def test_no_more_is_read_than_is_taken():
    async def test():
        came = 0

        async def receive():
            nonlocal came
            came += 1
            await asyncio.sleep(0)
            return came

        queued = Queued(receive)
        taken = read_in_time(queued)
        reading = asyncio.create_task(queued.read())
        for _ in range(2_000):
            await asyncio.sleep(0)
        waiting = came
        assert waiting <= 40
        assert [await taken() for _ in range(100)] == list(range(1, 101))
        reading.cancel()

    asyncio.run(asyncio.wait_for(test(), 60))


def test_what_is_no_queue_is_left_as_it_is():
    async def receive():
        return 1

    assert read_in_time(receive) is receive
