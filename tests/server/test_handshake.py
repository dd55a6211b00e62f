"""Who cannot be let in is refused in the handshake, and pages can ask why."""

import httpx
import pytest
import websockets
from websockets.exceptions import InvalidStatus

from parakeet_streaming.server.doors import native
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
