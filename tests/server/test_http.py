"""Requests and sockets as the doors know them, over real HTTP."""

import asyncio

import httpx
import websockets

from parakeet_streaming.server.http import HttpRoute, Reply, SocketRoute
from tests.server.served import served

SEEN = []


async def echo(request):
    body = b"".join([piece async for piece in request.body()])
    SEEN.append(request.caller)
    said = {"method": request.method, "bytes": len(body), "id": request.path_values.get("id")}
    return Reply.of_json(said, 201, X_Test="yes")


async def broken(_):
    raise KeyError("/srv/secret")


async def counting(_):
    async def pieces():
        for number in range(3):
            yield f"{number}\n".encode()

    return Reply(200, pieces(), "text/plain")


async def talk(socket):
    await socket.accept("b" if "b" in socket.caller.protocols else None)
    async for message in socket.messages():
        await socket.send(message)
    await socket.send("after the end")
    await socket.close(1000, "x" * 500)


def routes(_):
    return [
        HttpRoute("/echo/{id}", echo, ("POST", "GET")),
        HttpRoute("/broken", broken),
        HttpRoute("/counting", counting),
        SocketRoute("/talk", talk),
    ]


def test_requests_are_answered():
    async def test(_, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            headers = {"X-API-Key": "k"}
            posted = await client.post("/echo/7?a=1&a=2", content=b"x" * 100_000, headers=headers)
            return (
                posted,
                await client.get("/broken"),
                await client.get("/counting"),
                await client.get("/nowhere"),
            )

    posted, failed, counted, nowhere = served(test, routes)
    assert (posted.status_code, posted.headers["X-Test"]) == (201, "yes")
    assert posted.json() == {"method": "POST", "bytes": 100_000, "id": "7"}
    caller = SEEN[-1]
    assert (caller.headers["x-api-key"], caller.query, caller.address) == (
        "k",
        {"a": "2"},
        "127.0.0.1",
    )
    assert (failed.status_code, "secret" in failed.text) == (500, False)
    assert counted.text == "0\n1\n2\n"
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "not_found")


def test_sockets_offer_protocols_and_get_messages_back():
    async def test(_, address):
        url = f"ws://{address}/talk"
        async with websockets.connect(url, subprotocols=["a", "b"]) as socket:
            await socket.send("text")
            await socket.send(b"bytes")
            assert socket.subprotocol == "b"
            return await socket.recv(), await socket.recv()

    assert served(test, routes) == ("text", b"bytes")


def test_what_is_sent_to_a_client_that_is_gone_is_dropped():
    async def test(_, address):
        socket = await websockets.connect(f"ws://{address}/talk")
        socket.transport.abort()
        await asyncio.sleep(0.1)
        async with websockets.connect(f"ws://{address}/talk") as other:
            await other.send("still there")
            return await other.recv()

    assert served(test, routes) == "still there"
