import asyncio
import sys

import httpx
import pytest

from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.server import composition
from parakeet_streaming.server.composition import (
    live_options,
    load_all,
    make_application,
    make_engine,
    make_listeners,
    make_service,
    model_of,
    read_keys,
)
from parakeet_streaming.server.http import HttpRoute, Reply
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import Replacement
from tests.catalog.graphs import GOLDEN


@pytest.fixture(scope="module")
def loaded():
    return load_all(Settings(threads=1))


@pytest.fixture
def make(loaded):
    """Makes a service with these settings; its engine is closed after the test."""
    engines = []

    def make(keys=None, **chosen):
        settings = Settings(**chosen)
        engines.append(make_engine(loaded, settings))
        return make_service(engines[-1], model_of(loaded, settings), settings, keys or {}), settings

    yield make
    for engine in engines:
        engine.close(drain=False)


def ask(service, settings, method, path, **more):
    async def request():
        transport = httpx.ASGITransport(make_application(service, settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.request(method, path, **more)

    return asyncio.run(request())


def test_the_page_is_told_whether_calls_are_answered(make, monkeypatch):
    service, settings = make()
    assert ask(service, settings, "GET", "/page/about.json").json()["webrtc"] is True
    monkeypatch.setitem(sys.modules, "parakeet_streaming.server.peers", None)
    assert ask(service, settings, "GET", "/page/about.json").json()["webrtc"] is False


def test_keys_come_from_settings_and_from_a_file(tmp_path):
    path = tmp_path / "keys"
    path.write_text("bob:2\n")
    assert read_keys(Settings()) == {}
    both = Settings(api_key=("1",), api_key_file=str(path))
    assert read_keys(both) == {"key-1": "1", "bob": "2"}


def test_how_text_is_written_comes_from_settings_and_a_file(make, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text("five nine => V9\n")
    service, settings = make(numbers="digits", profanity="mask", replace=str(file))
    writing = composition.read_writing(settings)
    assert writing == WritingOptions("digits", (Replacement("five nine", "V9"),), "mask")
    assert service.writing == writing
    assert composition.read_writing(Settings()).is_plain
    with pytest.raises(OptionError, match="cannot be read"):
        composition.load_all(Settings(replace=str(tmp_path / "none")))


def test_options_of_streams():
    assert live_options(Settings()).delay == DelayRange.parse("balanced", 16_000)
    assert live_options(Settings(preset="low_latency")).context.chunk == 0.25
    fixed = live_options(Settings(context="5-1-1", fixed=True, endpointing="off"))
    assert fixed.delay == DelayRange.fixed(ContextConfig(5, 1, 1))
    assert fixed.endpoint is None
    assert not fixed.cached
    assert live_options(Settings(cached=True)).cached
    assert live_options(Settings(endpointing="relaxed")).endpoint.min_silence_ms == 1000


@pytest.mark.parametrize("no_graphs", [False, True])
def test_steps_of_the_servers_own_context_are_made_ready(monkeypatch, loaded, no_graphs):
    told = {}
    monkeypatch.setattr(composition, "LiveEngine", lambda *_, **more: told.update(more))
    make_engine(loaded, Settings(no_graphs=no_graphs))
    assert told["ready_for"] == ([] if no_graphs else [loaded.options])


def test_a_context_that_the_model_does_not_take_is_refused_before_it_serves():
    with pytest.raises(ContextError, match="shorten the left context"):
        load_all(Settings(context="3000-1-1", threads=1))


def test_cached_streams_of_a_model_that_keeps_nothing_are_refused_before_it_serves():
    with pytest.raises(OptionError, match="--streaming cached"):
        load_all(Settings(model=str(GOLDEN), cached=True, threads=1))


def test_what_nobody_listens_for_is_refused():
    if not composition.LISTENERS:
        with pytest.raises(OptionError, match="--wyoming-port"):
            load_all(Settings(wyoming_port=0))


def test_the_model_is_called_as_it_was_asked_for_and_shows_no_folder(make, tmp_path):
    assert make()[0].model.name == "tiny-en"
    assert make(model=str(tmp_path))[0].model.name == tmp_path.name
    assert make(strict_model=True)[0].model.strict


def test_limits_and_keys_reach_the_service(make):
    service, _ = make({"alice": "1"}, sockets_of_key=3)
    assert service.limits.sockets_of_key == 3
    assert not service.access.is_open
    assert "alice" in service.metrics.connections_by_key_total.totals()


def test_what_is_nowhere_is_told_in_words_and_counted(make):
    service, settings = make()
    reply = ask(service, settings, "GET", "/nothing")
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"
    assert "/nothing" in reply.json()["error"]["message"]
    assert service.metrics.refusals_total["not_found"].total == 1
    reply = ask(service, settings, "DELETE", "/healthz")
    assert reply.status_code == 405
    assert set(reply.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert reply.json()["error"]["code"] == "method_not_allowed"


def test_an_error_that_a_door_did_not_expect_is_answered(make, monkeypatch, caplog):
    async def fail(_):
        raise RuntimeError("/a/file/of/this/machine")

    doors = [lambda *_: [HttpRoute("/fail", fail)]]
    monkeypatch.setattr(composition, "DOORS", doors)
    service, settings = make()
    reply = ask(service, settings, "GET", "/fail")
    assert reply.status_code == 500
    assert "/a/file" not in reply.text
    assert "/a/file" in caplog.text
    assert service.metrics.refusals_total["internal_error"].total == 1


def test_each_door_has_one_line(make, monkeypatch):
    async def answer(_):
        return Reply.of_json("here")

    doors = [*composition.DOORS, lambda *_: [HttpRoute("/more", answer)]]
    monkeypatch.setattr(composition, "DOORS", doors)
    service, settings = make()
    assert ask(service, settings, "GET", "/more").json() == "here"
    assert ask(service, settings, "GET", "/healthz").status_code == 200


def test_listeners_that_are_not_asked_for_are_not_made(make, monkeypatch):
    made = object()
    monkeypatch.setattr(composition, "LISTENERS", [lambda *_: None, lambda *_: made])
    assert make_listeners(*make()) == [made]


def test_a_gpu_takes_large_batches_at_ticks(loaded, monkeypatch):
    made = []
    monkeypatch.setattr(composition, "LiveEngine", lambda *_, **options: made.append(options))
    make_engine(loaded, Settings())
    monkeypatch.setattr(composition, "names_gpu", lambda _: True)
    make_engine(loaded, Settings())
    make_engine(loaded, Settings(max_streams=40))
    limits = [options["limits"] for options in made]
    assert limits == [None, BatchLimits.for_device(), BatchLimits.for_device(40)]
