"""Settings in; Wyoming's port, and its announcement on the local network, out. Alone has zeroconf.

The protocol has no keys, so others can reach it only where the settings say that anybody may use
it. HTTP's keys say nothing about it.
"""

from __future__ import annotations

import socket
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.server.addresses import bind, is_loopback, urls, watch
from parakeet_streaming.server.doors import wyoming
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.tcp import TcpListener, TcpSocket

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

_SERVICE: Final = "_wyoming._tcp.local."
_MULTICAST: Final = "224.0.0.251"
_HOST_OPTION: Final = "--wyoming-host"


def check(settings: Settings) -> None:
    """Finds what cannot work, before anything is loaded.

    Raises:
        OptionError: settings that do not go together, or a host that does not exist.
        ExtraMissingError: zeroconf is not installed, and was asked for.
    """
    if settings.wyoming_port is None:
        if settings.wyoming_announce:
            raise OptionError("--wyoming-announce needs --wyoming-port; give both")
        return
    stays_here = is_loopback(settings.wyoming_host, _HOST_OPTION)
    if not stays_here and not settings.no_auth and not settings.wyoming_no_auth:
        raise OptionError(
            f"others can reach {_HOST_OPTION} {settings.wyoming_host}, and Wyoming knows no keys: "
            "leave it on 127.0.0.1 (or give --wyoming-no-auth, if anybody may use it)"
        )
    if settings.wyoming_announce and stays_here:
        raise OptionError(
            f"--wyoming-announce: nobody else reaches {settings.wyoming_host}; give an address of "
            f"the local network, such as {_HOST_OPTION} 0.0.0.0"
        )
    if settings.wyoming_announce and find_spec("zeroconf") is None:
        raise ExtraMissingError(
            "--wyoming-announce needs zeroconf; pip install 'parakeet-streaming[zeroconf]'"
        )


def listener(service: Service, settings: Settings) -> WyomingListener | None:
    """The listener; None where no port is set."""
    return None if settings.wyoming_port is None else WyomingListener(service, settings)


class WyomingListener:
    """Wyoming's port."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._settings = settings

        async def talk(connected: TcpSocket) -> None:
            await wyoming.talk(service, connected)

        self._accepting = TcpListener(talk)
        self._announcement: _Announcement | None = None

    async def start(self) -> str:
        """Begins to accept; gives its address.

        Raises:
            AddressError: the port is in use.
            OSError: it is to be announced, and there is no network.
        """
        host, port = self._settings.wyoming_host, self._settings.wyoming_port or 0
        sockets = bind(host, port, _HOST_OPTION)
        watch(sockets, self._settings.ping_s, self._settings.ping_timeout_s)
        address, *_ = urls("tcp", sockets)
        if self._settings.wyoming_announce:
            host, port = sockets[0].getsockname()[:2]
            self._announcement = _Announcement(host, port)
        await self._accepting.start(sockets)
        if self._announcement is not None:
            await self._announcement.begin()
        return address

    async def close(self) -> None:
        """Accepts nothing more, and ends what is left."""
        if self._announcement is not None:
            await self._announcement.end()
        await self._accepting.close()


class _Announcement:
    """Tells the local network of a port."""

    def __init__(self, host: str, port: int) -> None:
        """`host`: the address that is listened on; an unspecified one stands for all."""
        stands_for_all = ip_address(host.partition("%")[0]).is_unspecified
        self._host = _own_address() if stands_for_all else host
        self._port = port
        self._said: tuple[AsyncZeroconf, AsyncServiceInfo] | None = None

    async def begin(self) -> None:
        """Says it, and answers whoever asks."""
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        name = f"parakeet-{socket.gethostname().partition('.')[0]}"
        told = AsyncServiceInfo(
            _SERVICE,
            f"{name}.{_SERVICE}",
            port=self._port,
            server=f"{name}.local.",
            parsed_addresses=[self._host],
        )
        teller = AsyncZeroconf([self._host])
        self._said = (teller, told)
        # Another server of this name gets along with `name-2`.
        await (await teller.async_register_service(told, allow_name_change=True))

    async def end(self) -> None:
        """Says that it is gone."""
        if self._said is not None:
            teller, told = self._said
            await (await teller.async_unregister_service(told))
            await teller.async_close()


def _own_address() -> str:
    """This machine's address, as its network sees it; nothing is sent.

    Raises:
        OSError: there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((_MULTICAST, 1))
        return str(asking.getsockname()[0])
