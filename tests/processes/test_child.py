"""A process that does not come up is told; one that does is in `test_supervising.py`."""

import asyncio

import pytest

from parakeet_streaming.errors import UnavailableError
from parakeet_streaming.processes import child as module
from parakeet_streaming.processes.audio_memory import Sizes
from parakeet_streaming.processes.child import Child
from parakeet_streaming.processes.io_process import Beginning
from parakeet_streaming.processes.shared_state import SharedState
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.service import LoadedModel
from parakeet_streaming.server.settings import Settings

BEGINNING = Beginning("io-0", Settings(), LoadedModel("tiny-en", 0), Sizes(1, 1))


def test_a_process_that_ends_at_once(monkeypatch):
    monkeypatch.setattr(module, "_PROGRAM", "parakeet_streaming.no_such_module")

    async def start():
        child = Child(None, BEGINNING, [], SharedState(None, Limits()))
        assert child.pid > 0
        with pytest.raises(UnavailableError, match="did not start"):
            await child.ready()
        await child.kill()
        assert await child.ended() == 1

    asyncio.run(start())


def test_a_program_that_is_not_there(monkeypatch):
    monkeypatch.setattr(module.sys, "executable", "/no/such/python")

    async def start():
        with pytest.raises(UnavailableError, match="cannot be started"):
            Child(None, BEGINNING, [], SharedState(None, Limits()))

    asyncio.run(start())
