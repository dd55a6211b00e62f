import asyncio
import logging

import pytest

from parakeet_streaming.server.request_log import logged


async def nothing():
    return {"type": "http.request"}


def run(scope, answer):
    sent = []

    async def send(message):
        sent.append(message)

    moments = iter([1.0, 1.25])
    asyncio.run(logged(answer, lambda: next(moments))(scope, nothing, send))
    return sent


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 201})
    await send({"type": "http.response.body", "body": b""})


def scope(**more):
    asked = {"type": "http", "method": "GET", "path": "/a", "query_string": b"key=secret"}
    return {**asked, "client": ("10.0.0.1", 9), **more}


@pytest.mark.parametrize(
    ("path", "level"), [("/a", "INFO"), ("/metrics", "DEBUG"), ("/page/main.js", "DEBUG")]
)
def test_a_request_is_written_without_its_query(caplog, path, level):
    caplog.set_level(logging.DEBUG, "parakeet_streaming")
    sent = run(scope(path=path), answer)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    (record,) = caplog.records
    assert record.levelname == level
    told = (record.method, record.path, record.status, record.ms, record.address)
    assert told == ("GET", path, 201, 250.0, "10.0.0.1")
    assert "secret" not in str(vars(record))


def test_a_long_path_is_cut_and_a_caller_without_address_has_none(caplog):
    caplog.set_level(logging.INFO, "parakeet_streaming")
    run(scope(path="/" + "a" * 500, client=None), answer)
    (record,) = caplog.records
    assert (len(record.path), record.address) == (200, "")


def test_a_request_that_fails_is_written_too(caplog):
    async def fail(*_):
        raise ValueError("wrong")

    caplog.set_level(logging.INFO, "parakeet_streaming")
    with pytest.raises(ValueError, match="wrong"):
        run(scope(), fail)
    (record,) = caplog.records
    assert record.status == 0


def test_sockets_are_left_to_their_dialogue(caplog):
    caplog.set_level(logging.DEBUG, "parakeet_streaming")
    assert run({"type": "websocket"}, answer)
    assert not caplog.records
