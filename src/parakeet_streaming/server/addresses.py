"""A host, a port and TLS files in; bound sockets, their URLs and a TLS context out.

Sockets are bound before the model is loaded, so that a port in use is told at once; nobody can
connect before they listen.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from parakeet_streaming.errors import OptionError, UnavailableError

_PROBES: Final = 4
_MOST_PROBE_S: Final = 32_767
"""That Linux takes."""
_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""A name may have addresses that this machine lacks, as `localhost` where there is no IPv6."""


class AddressError(UnavailableError, OSError):
    """An address or a port that cannot be listened on."""


def resolve(
    host: str, port: int, option: str = "--host"
) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """The addresses of a host, each once; `option` is for messages.

    Raises:
        OptionError: there is no such host.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE, proto=socket.IPPROTO_TCP
        )
    except (socket.gaierror, UnicodeError) as error:
        raise OptionError(f"{option} {host} is no address of this machine: {error}") from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def is_loopback(host: str, option: str = "--host") -> bool:
    """Whether nobody else can reach that host: all of its addresses are this machine's own."""
    addresses = [str(address[0]) for _, address in resolve(host, 0, option)]
    return all(ip_address(each.partition("%")[0]).is_loopback for each in addresses)


def bind(
    host: str, port: int, option: str = "--host", *, shared: bool = False
) -> list[socket.socket]:
    """A socket for each address of a host; with port 0 all get the same free one.

    With `shared` others of this user may bind the same, if they ask for that, too.

    Raises:
        OptionError: there is no such host.
        AddressError: the port is in use, or may not be used.
    """
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, address in resolve(host, port, option):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bound(family, (address[0], chosen, *address[2:]), shared=shared))
        except OSError as error:
            if error.errno in _NOT_HERE:
                missing = error
                continue
            for each in sockets:
                each.close()
            raise AddressError(f"cannot listen on {host} port {port}: {_reason(error)}") from None
    if missing is not None and not sockets:
        raise AddressError(f"cannot listen on {host}: {_reason(missing)}") from None
    return sockets


def watch(sockets: Iterable[socket.socket], ping_s: float, timeout_s: float) -> None:
    """Has the system find out whether clients are still there, as far as it can be told.

    Args:
        sockets: that listen; connections have it from them.
        ping_s: after so long without a word a client is asked for a sign of life.
        timeout_s: after so long without one its connection is broken.
    """
    ping_s, timeout_s = min(ping_s, _MOST_PROBE_S), min(timeout_s, _MOST_PROBE_S)
    wanted = (
        ("TCP_KEEPIDLE", ping_s),
        ("TCP_KEEPINTVL", timeout_s / _PROBES),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_USER_TIMEOUT", 1000 * timeout_s),
    )
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in wanted:
            # Systems know some of them only.
            with suppress(AttributeError, OSError):
                number = getattr(socket, name)
                each.setsockopt(socket.IPPROTO_TCP, number, max(1, round(value)))


def urls(scheme: str, sockets: Iterable[socket.socket]) -> list[str]:
    """Where the sockets are reached, such as `http://127.0.0.1:8000`."""
    found = []
    for each in sockets:
        host, port = each.getsockname()[:2]
        found.append(f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}")
    return found


def tls_context(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """TLS with these files; None where there is no certificate.

    Raises:
        OptionError: a file is missing, or they do not belong together.
    """
    if certificate is None:
        if key is not None:
            raise OptionError("--tls-key needs --tls-cert; give both")
        return None
    for option, path in (("--tls-cert", certificate), ("--tls-key", key)):
        if path is not None and not os.access(path, os.R_OK):
            raise OptionError(f"{option} {path} cannot be read")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password here, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, OSError) as error:
        raise OptionError(
            f"--tls-cert {certificate} and its key cannot be used: {error}; give PEM files that "
            "belong together, the key without a password"
        ) from None
    return context


def _bound(
    family: socket.AddressFamily, address: tuple[object, ...], *, shared: bool
) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program uses that port; stop it, or choose another --port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "this user may not use that port; choose one above 1023"
    if error.errno in _NOT_HERE:
        return "this machine has no such address"
    return error.strerror or str(error)
