"""`GET /` and what it loads: a page that transcribes in a browser.

Rules of this file:

1. Its files are those of `server/page/`, read when the server starts; no path is put together.
2. Nothing is inline and nothing comes from elsewhere; a strict Content-Security-Policy holds both.
3. A browser asks for every file anew and is told if it has it already (304), so that modules of
   two versions never meet.
4. Everybody may see the page; what it asks of other doors needs a key where there are keys, and
   so do subtitles, which the server makes for it by its own rules, one page after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from parakeet_streaming.server.http import HttpRoute, Reply, Request
from parakeet_streaming.server.patience import patient
from parakeet_streaming.server.protocols.fields import Fields, object_of
from parakeet_streaming.server.protocols.page_subtitles import page_subtitles
from parakeet_streaming.server.replies import TooLargeError
from parakeet_streaming.server.service import Service
from parakeet_streaming.timeline import PRESETS, ContextConfig

_INDEX: Final = "index.html"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ]
)
_MOST_TOLD_BYTES: Final = 4_000_000
"""Of a transcript: some six hours of speech."""
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def routes(service: Service, paths: Collection[str]) -> list[HttpRoute]:
    """The page, its files, and what it is told of the server.

    Args:
        service: what all doors share.
        paths: where other doors are that work.
    """
    made = [
        _file("/" if path.name == _INDEX else f"/page/{path.name}", path.name, path.read_bytes())
        for path in sorted(
            files("parakeet_streaming.server").joinpath("page").iterdir(),
            key=lambda path: path.name,
        )
        if PurePosixPath(path.name).suffix in _TYPES
    ]
    said = _about(service, paths)

    async def about(_: Request) -> Reply:
        replicas = service.replicas
        told = {} if replicas is None else {"sockets_of_replicas": await replicas.sockets()}
        reply = Reply.of_json(said | told)
        return Reply(200, reply.body, headers={**_HEADERS, "Cache-Control": "no-store"})

    return [
        *made,
        HttpRoute("/page/about.json", about),
        HttpRoute("/page/subtitles", _Subtitles(service).answer, ("POST",)),
    ]


class _Subtitles:
    """Made of what a page has shown, for one page at a time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._turn = asyncio.Lock()

    async def answer(self, request: Request) -> Reply:
        try:
            return await self._answer(request)
        except ConnectionError:
            return Reply(400)  # to nobody

    async def _answer(self, request: Request) -> Reply:
        service = self._service
        service.let_in(request.caller, from_page=True)
        told = bytearray()
        async for piece in patient(request.body(), service.limits.idle_s, service.clock):
            told += piece
            if len(told) > _MOST_TOLD_BYTES:
                raise TooLargeError(f"a transcript may have {_MOST_TOLD_BYTES} bytes")
        async with self._turn:
            if await request.is_gone():
                raise ConnectionError("the client has gone")
            made, content_type = await asyncio.to_thread(_subtitles, bytes(told))
        return Reply(200, made, f"{content_type}; charset=utf-8", _HEADERS)


def _subtitles(told: bytes) -> tuple[bytes, str]:
    return page_subtitles(Fields(object_of(told)))


def _file(path: str, name: str, content: bytes) -> HttpRoute:
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "Cache-Control": "no-cache", "ETag": tag}
    content_type = _TYPES[PurePosixPath(name).suffix]

    async def answer(request: Request) -> Reply:
        known = request.caller.headers.get("if-none-match", "")
        # A proxy that compresses makes a weak tag of it.
        if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
            return Reply(304, b"", content_type, headers)
        return Reply(200, content, content_type, headers)

    return HttpRoute(path, answer)


def _about(service: Service, paths: Collection[str]) -> dict[str, object]:
    needs_key = not service.access.is_open
    return {
        "needs_key": needs_key,
        "model": None if needs_key else service.model.name,
        "contexts": _contexts(service.defaults.delay.context),
        "webrtc": "/v1/realtime/calls" in paths,
        "files": "/v1/audio/transcriptions" in paths,
        "upload_megabytes": service.limits.upload_megabytes,
    }


def _contexts(default: ContextConfig) -> list[dict[str, object]]:
    """The presets by latency, and the server's own context where it is none of them."""
    lengths = (default.left, default.chunk, default.right)
    named = {name: ContextConfig.parse(name) for name in PRESETS}
    if lengths not in PRESETS.values():
        named["-".join(f"{each:g}" for each in lengths)] = default
    return [
        {
            "name": name,
            "latency_s": round(context.latency_s, 3),
            "is_default": (context.left, context.chunk, context.right) == lengths,
        }
        for name, context in sorted(named.items(), key=lambda item: item[1].latency_s)
    ]
