"""Who is let in, who holds a place, and when the server drains."""

import asyncio

import pytest

from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import (
    AccessError,
    DrainingError,
    OriginError,
    TooManyError,
    WrongRequestError,
)
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.testing import HandClock

CALLER = Caller("10.0.0.1", {"authorization": "Bearer k", "host": "here"}, {})


def service(**limits):
    access, metrics = Access({"ann": "k"}), ServerMetrics(["ann"])
    model, limit = LoadedModel("tiny-en", 0), Limits(**limits)
    return Service(None, model, LiveOptions(), access, limit, metrics, HandClock())


def test_callers_are_let_in_by_their_key():
    assert service().let_in(CALLER) == "ann"
    with pytest.raises(AccessError):
        service().let_in(Caller("", {}, {}))


def test_pages_of_other_sites_are_asked_for_at_sockets():
    page = Caller("", {**CALLER.headers, "origin": "https://elsewhere"}, {})
    assert service().let_in(page) == "ann"
    with pytest.raises(OriginError):
        service().let_in(page, from_page=True)


def test_places_are_held_and_counted():
    here = service(sockets_of_key=1)
    with here.counted_socket("native", "ann", CALLER):
        assert here.metrics.open_sockets.value == 1
        with pytest.raises(TooManyError), here.counted_socket("native", "ann", CALLER):
            pass
    with here.counted_socket("native", "ann", CALLER):
        pass
    here.refused(TooManyError("x"))
    assert here.metrics.refusals_total["rate_limit_exceeded"].total == 1


def test_nobody_is_let_in_while_it_drains():
    async def test():
        here = service()
        assert not here.drain.draining
        waiting = asyncio.create_task(here.drain.wait())
        here.drain.begin(20.0)
        await waiting
        assert here.drain.draining
        with pytest.raises(DrainingError):
            here.let_in(CALLER)

    asyncio.run(test())


def test_any_name_of_a_model_will_do_unless_it_is_strict():
    LoadedModel("a", 0).check("whisper-1")
    strict = LoadedModel("a", 0, strict=True)
    for asked in ("a", None, ""):
        strict.check(asked)
    with pytest.raises(WrongRequestError, match="no model 'b' here; use 'a'"):
        strict.check("b")
