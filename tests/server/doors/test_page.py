import asyncio
import json
import re
import threading
from importlib.resources import files

import httpx
import pytest
import websockets

from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.doors import native, page
from parakeet_streaming.timeline import PRESETS, ContextConfig
from tests.server.served import served

NAMES = sorted(each.name for each in files("parakeet_streaming.server").joinpath("page").iterdir())
PATHS = ["/" if name == "index.html" else f"/page/{name}" for name in NAMES]


def pages(service):
    return page.routes(service, {"/v1/audio/transcriptions"})


def get(*requests, **options):
    """The replies to these paths and headers."""

    async def test(_, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            return [await client.get(path, headers=headers) for path, headers in requests]

    return served(test, pages, **options)


def test_every_file_is_served_as_what_it_is_and_may_do_little():
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
    types |= {"svg": "image/svg+xml", "png": "image/png"}
    replies = get(*((path, {}) for path in PATHS))
    for name, reply in zip(NAMES, replies, strict=True):
        assert reply.status_code == 200
        assert reply.headers["content-type"].split(";")[0] == types[name.rpartition(".")[2]]
        policy = dict(
            each.split(" ", 1) for each in reply.headers["content-security-policy"].split("; ")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-cache"


def test_a_file_that_the_browser_has_is_not_sent_again():
    (first,) = get(("/page/main.js", {}))
    tag = first.headers["etag"]
    again, weak, other = get(
        *(("/page/main.js", {"If-None-Match": each}) for each in (tag, f'"x", W/{tag}', '"x"'))
    )
    assert (again.status_code, weak.status_code, other.status_code) == (304, 304, 200)
    assert again.content == b""
    assert again.headers["etag"] == tag


@pytest.mark.parametrize("path", ["/page/", "/page/../page.py", "/page/%2e%2e/page.py", "/page/no"])
def test_nothing_else_is(path):
    (reply,) = get((path, {}))
    assert reply.status_code == 404


def test_nothing_is_inline_or_from_elsewhere():
    folder = files("parakeet_streaming.server").joinpath("page")
    html = folder.joinpath("index.html").read_text("utf-8")
    assert re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|<style|\son\w+=", html) is None
    for name in NAMES:
        if not name.endswith(".png"):
            text = (
                folder.joinpath(name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            )
            assert re.search(r"https?://|[\"'(]//", text) is None, name
            assert "innerHTML" not in text
    referred = set(re.findall(r'(?:href|src)="(page/[^"]+)"', html))
    # The audio thread loads its module itself. All others are fetched at once.
    assert referred == {f"page/{name}" for name in NAMES} - {"page/index.html", "page/capture.js"}


def about(**options):
    (reply,) = get(("/page/about.json", {}), **options)
    assert reply.headers["cache-control"] == "no-store"
    return reply.json()


def test_the_page_is_told_what_the_server_has():
    told = about()
    assert (told["needs_key"], told["model"]) == (False, "tiny-en")
    assert (told["files"], told["webrtc"]) == (True, False)
    assert {each["name"] for each in told["contexts"]} == set(PRESETS)
    assert [each["name"] for each in told["contexts"] if each["is_default"]] == ["balanced"]
    latencies = [each["latency_s"] for each in told["contexts"]]
    assert latencies == sorted(latencies)


def test_without_a_key_it_is_not_told_which_model():
    told = about(keys={"me": "k"})
    assert (told["needs_key"], told["model"]) == (True, None)


def test_a_context_of_the_servers_own_is_offered():
    own = LiveOptions(DelayRange.fixed(ContextConfig(4, 1.6, 0.4)))
    (default,) = [each for each in about(defaults=own)["contexts"] if each["is_default"]]
    assert default == {"name": "4-1.6-0.4", "latency_s": 2.0, "is_default": True}


@pytest.mark.parametrize("shown", ["openai-insecure-api-key.k", "base64url-api-key.aw"])
def test_a_socket_takes_the_subprotocol_that_is_no_secret(shown):
    async def test(_, address):
        url = f"ws://{address}/v1/stream"
        async with websockets.connect(url, subprotocols=["parakeet", shown]) as socket:
            return socket.subprotocol, json.loads(await socket.recv())["type"]

    assert served(test, native.routes, keys={"me": "k"}) == ("parakeet", "ready")


def test_a_page_can_ask_why_a_socket_is_refused():
    key = {"Authorization": "Bearer k"}
    asked = [
        ("/v1/stream", {}),
        ("/v1/stream", key | {"Origin": "https://evil"}),
        ("/v1/stream?sample_rate=1", key),
        ("/v1/stream", key),
        ("/v1/stream?channels=separate", key),
    ]

    async def test(service, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            replies = [await client.get(path, headers=headers) for path, headers in asked]
        while service.engine.stats().active_streams:
            await asyncio.sleep(0.01)
        return replies, service.metrics.open_sockets.value

    replies, left = served(test, native.routes, keys={"me": "k"}, streams=1)
    codes = [(each.status_code, each.json()["error"]["code"]) for each in replies]
    assert codes == [
        (401, "invalid_api_key"),
        (403, "origin_not_allowed"),
        (400, "invalid_value"),
        (426, "upgrade_required"),
        (503, "no_capacity"),
    ]
    assert replies[3].headers["upgrade"] == "websocket"
    assert replies[4].headers["retry-after"] == "5"
    assert left == 0


def test_subtitles_are_made_of_what_was_shown(monkeypatch):
    told = {"text": "one", "start": 1, "end": 1.5, "words": []}
    asked = {"format": "vtt", "utterances": [told], "audio_s": 9}

    async def test(_, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            made = await client.post("/page/subtitles", json=asked)
            monkeypatch.setattr(page, "_MOST_TOLD_BYTES", 10)
            return made, await client.post("/page/subtitles", json=asked)

    made, refused = served(test, pages)
    assert made.headers["content-type"] == "text/vtt; charset=utf-8"
    assert made.text == "WEBVTT\n\n00:00:01.000 --> 00:00:01.833\none\n"
    assert refused.status_code == 413


def test_subtitles_need_a_key_where_one_is_needed():
    async def test(_, address):
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            return await client.post("/page/subtitles", json={})

    assert served(test, pages, keys={"me": "k"}).status_code == 401


def test_who_sends_a_transcript_slowly_holds_up_nobody():
    async def test(_, address):
        sent = asyncio.Event()

        async def slowly():
            yield b'{"format":"srt",'
            await sent.wait()
            yield b'"utterances":[]}'

        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=20) as client:
            slow = asyncio.create_task(client.post("/page/subtitles", content=slowly()))
            await asyncio.sleep(0.2)
            quick = await client.post("/page/subtitles", json={"format": "vtt", "utterances": []})
            waits = not slow.done()
            sent.set()
            return quick.text, waits, (await slow).status_code

    assert served(test, pages) == ("WEBVTT\n", True, 200)


def test_for_who_has_vanished_no_subtitles_are_made(monkeypatch):
    """Neither for one that waits for its turn; one whose turn it is holds up nobody either."""
    making, may_end, made = threading.Event(), threading.Event(), []

    def slowly(told):
        made.append(json.loads(told)["audio_s"])
        making.set()
        assert may_end.wait(60)
        return b"made", "text/vtt"

    let_in, asked = page.Service.let_in, []

    def counting(*given, **options):
        asked.append(given)
        return let_in(*given, **options)

    monkeypatch.setattr(page, "_subtitles", slowly)
    monkeypatch.setattr(page.Service, "let_in", counting)

    async def until_asked(count):
        while len(asked) < count:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # its body, which came along, is read

    async def vanish(address, number):
        """Sends all that is asked and goes, as a page that is closed does."""
        _, writer = await asyncio.open_connection(*address.split(":"))
        body = json.dumps({"audio_s": number}).encode()
        writer.write(
            b"POST /page/subtitles HTTP/1.1\r\nHost: here\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        await until_asked(number)
        await asyncio.to_thread(making.wait, 60)
        writer.close()
        await writer.wait_closed()

    async def test(_, address):
        for number in (1, 2, 3):
            await vanish(address, number)
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
            asking = asyncio.create_task(client.post("/page/subtitles", json={"audio_s": 4}))
            await until_asked(4)
            may_end.set()
            return (await asking).text

    assert served(test, pages) == "made"
    assert made == [1, 4]


def test_who_vanishes_in_the_midst_of_a_transcript_is_no_failure_of_the_server():
    class Gone:
        caller = Caller("127.0.0.1", {}, {})

        async def body(self):
            yield b"{"
            raise ConnectionError("the client has gone")

    async def test(service, _):
        return await page._Subtitles(service).answer(Gone())

    assert served(test, pages).status == 400
