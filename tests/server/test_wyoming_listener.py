import asyncio
import sys

import pytest
from wyoming.client import AsyncClient
from wyoming.info import Describe

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.server.addresses import AddressError
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.wyoming_listener import WyomingListener, check, listener
from tests.server.processes import Served
from tests.server.served import serving

OTHERS = {"wyoming_port": 0, "wyoming_host": "0.0.0.0"}
LAN = {**OTHERS, "wyoming_announce": True, "wyoming_no_auth": True}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"wyoming_announce": True}, "needs --wyoming-port"),
        ({"wyoming_port": 0, "wyoming_announce": True}, "nobody else reaches"),
        ({"wyoming_port": 0, "wyoming_host": "no.such.host.invalid"}, "--wyoming-host"),
        (OTHERS, "--wyoming-host 0.0.0.0, and Wyoming knows no keys.* --wyoming-no-auth"),
        ({**OTHERS, "api_key": ("k",)}, "knows no keys"),
    ],
)
def test_settings_that_do_not_go_together_are_told_first(chosen, said):
    with pytest.raises(OptionError, match=said):
        check(Settings(**chosen))


def test_settings_that_do():
    check(Settings())
    check(Settings(wyoming_port=0))
    check(Settings(**LAN))
    check(Settings(**OTHERS, wyoming_no_auth=True))
    check(Settings(**OTHERS, no_auth=True))


def test_without_zeroconf_there_is_a_word_about_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(ExtraMissingError, match="zeroconf"):
        check(Settings(**LAN))


def with_service(test):
    async def run():
        async with serving(lambda _: []) as (service, _), asyncio.timeout(120):
            return await test(service)

    return asyncio.run(run())


def test_it_listens_only_where_it_is_told_to():
    async def test(service):
        assert listener(service, Settings()) is None
        made = listener(service, Settings(wyoming_port=0))
        address = await made.start()
        port = int(address.rpartition(":")[2])
        try:
            with pytest.raises(AddressError, match="another program"):
                await WyomingListener(service, Settings(wyoming_port=port)).start()
        finally:
            await made.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        return address

    assert with_service(test).startswith("tcp://127.0.0.1:")


def test_it_is_found_on_the_network(monkeypatch):
    """Over loopback, which is the network of this test."""
    from zeroconf import ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    kind = "_wyoming._tcp.local."

    async def test(service):
        added, removed = asyncio.Queue(), asyncio.Queue()

        def changed(zeroconf, service_type, name, state_change):
            queue = {ServiceStateChange.Added: added, ServiceStateChange.Removed: removed}
            if state_change in queue:
                queue[state_change].put_nowait(name)

        told = {**LAN, "wyoming_host": "127.0.0.1"}
        made = WyomingListener(service, Settings(**told))
        address = await made.start()
        finder = AsyncZeroconf(["127.0.0.1"])
        browser = AsyncServiceBrowser(finder.zeroconf, kind, handlers=[changed])
        try:
            name = await added.get()
            info = AsyncServiceInfo(kind, name)
            assert await info.async_request(finder.zeroconf, 60_000)
            await made.close()
            assert await removed.get() == name
        finally:
            await browser.async_cancel()
            await finder.async_close()
        return address, info.port, info.parsed_addresses()

    address, port, hosts = with_service(test)
    assert address == f"tcp://127.0.0.1:{port}"
    assert hosts == ["127.0.0.1"]


def test_the_command_serves_it_beside_http():
    async def described(address):
        async with AsyncClient.from_uri(address) as client:
            await client.write_event(Describe().event())
            return await client.read_event()

    with Served("--wyoming-port", "0", "--language", "en", "--language", "xx") as server:
        _, http, address = server.line("ready ").split()
        info = asyncio.run(described(address))
        server.signal()
        assert server.ended() == 0
    assert http.startswith("http://")
    assert info.data["asr"][0]["models"][0]["languages"] == ["en", "xx"]
