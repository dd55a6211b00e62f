"""Who cannot be let in is refused in the handshake, and pages can ask why."""

import json

import httpx
import pytest
import websockets
from websockets.exceptions import InvalidStatus

from parakeet_streaming.server.composition import DOORS
from parakeet_streaming.server.doors import native
from parakeet_streaming.server.http import SocketRoute
from parakeet_streaming.server.settings import Settings
from tests.server.served import served
from tests.server.test_dialogue import run


def test_what_cannot_be_opened_is_refused_with_a_body():
    async def test(_, url):
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(f"{url}?full=1")
        return refused.value.response

    response = run(test)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert b"no_capacity" in response.body


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": "Bearer k"}, "", 426),
        ({"Authorization": "Bearer k"}, "?context=x", 400),
        ({"Authorization": "Bearer k", "Origin": "https://elsewhere"}, "", 403),
    ],
)
def test_a_page_can_ask_what_the_handshake_would_be_answered(headers, query, status):
    async def test(service, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            reply = await client.get(f"/v1/stream{query}", headers=headers)
        return reply.status_code, service.metrics.open_sockets.value

    assert served(test, native.routes, keys={"me": "k"}, streams=1) == (status, 0)


def all_routes(service):
    return [route for door in DOORS for route in door(service, Settings())]


WRONG = [
    ({}, []),
    ({"Authorization": "Bearer wrong"}, []),
    ({"Authorization": "Token wrong"}, []),
    ({"Authorization": "Basic azpr"}, []),
    ({"X-API-Key": "wrong"}, []),
    ({}, ["realtime", "openai-insecure-api-key.wrong"]),
    ({}, ["parakeet", "base64url-api-key.d3Jvbmc"]),
    ({}, ["token", "wrong"]),
]


def test_a_key_that_is_missing_or_wrong_is_refused_in_the_handshake_of_every_protocol():
    async def test(service, address):
        paths = [each.path for each in all_routes(service) if isinstance(each, SocketRoute)]
        answers = {}
        for path in paths:
            for headers, protocols in WRONG:
                with pytest.raises(InvalidStatus) as refused:
                    await websockets.connect(
                        f"ws://{address}{path}",
                        additional_headers=headers,
                        subprotocols=protocols or None,
                    )
                answers.setdefault(path, []).append(refused.value.response)
        return answers, service.metrics.open_sockets.value, service.engine.stats().active_streams

    answers, *left = served(test, all_routes, keys={"me": "k"})
    assert left == [0, 0]
    assert {"/v1/stream", "/v1/realtime", "/v1/listen"} <= set(answers)
    for responses in answers.values():
        assert {each.status_code for each in responses} == {401}
        assert {each.headers["WWW-Authenticate"] for each in responses} == {"Bearer"}
        assert all(json.loads(each.body) for each in responses)
