import errno
import math
import os
import socket
import ssl

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server import addresses
from parakeet_streaming.server.addresses import (
    AddressError,
    bind,
    is_loopback,
    resolve,
    tls_context,
    urls,
    watch,
)
from tests.server.certificates import write_certificate


def close(sockets):
    for each in sockets:
        each.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.9", "::1"])
def test_addresses_of_this_machine_alone(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_addresses_that_others_reach(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["no such host", "a" * 300])
def test_a_host_that_is_none(host):
    with pytest.raises(OptionError, match="is no address"):
        resolve(host, 0)


def test_a_free_port_is_chosen_and_shown():
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    assert port > 0
    assert urls("http", sockets) == [f"http://127.0.0.1:{port}"]
    close(sockets)


def test_all_addresses_of_a_name_get_the_same_port(monkeypatch):
    found = [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET, ("127.0.0.2", 0))]
    monkeypatch.setattr(addresses, "resolve", lambda *_: found)
    sockets = bind("both", 0)
    ports = {each.getsockname()[1] for each in sockets}
    assert len(sockets) == 2
    assert len(ports) == 1
    close(sockets)


def test_addresses_that_this_machine_lacks_are_left_out_as_long_as_one_is_there(monkeypatch):
    found = [(socket.AF_INET, ("192.0.2.1", 0)), (socket.AF_INET, ("127.0.0.1", 0))]
    monkeypatch.setattr(addresses, "resolve", lambda *_: found)
    sockets = bind("both", 0)
    assert len(sockets) == 1
    close(sockets)
    monkeypatch.setattr(addresses, "resolve", lambda *_: found[:1])
    with pytest.raises(AddressError, match=r"cannot listen on one: .* no such address"):
        bind("one", 0)


def test_addresses_of_version_6_are_in_brackets():
    class Bound:
        def getsockname(self):
            return "::1", 8000, 0, 0

    assert urls("https", [Bound()]) == ["https://[::1]:8000"]


def test_a_port_in_use():
    first = bind("127.0.0.1", 0)
    first[0].listen()
    with pytest.raises(AddressError, match="another program uses that port"):
        bind("127.0.0.1", first[0].getsockname()[1])
    close(first)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EACCES, "may not use that port"), (errno.ENOBUFS, "buffer")]
)
def test_other_reasons(monkeypatch, number, said):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(addresses, "_bound", refuse)
    with pytest.raises(AddressError, match=said):
        bind("127.0.0.1", 80)


def test_tls(tmp_path):
    path, key = write_certificate(tmp_path)
    assert tls_context(None, None) is None
    assert isinstance(tls_context(str(path), str(key)), ssl.SSLContext)
    both = tmp_path / "both.pem"
    both.write_bytes(path.read_bytes() + key.read_bytes())
    assert isinstance(tls_context(str(both), None), ssl.SSLContext)


def test_tls_files_that_cannot_be_used(tmp_path):
    path, key = write_certificate(tmp_path)
    _, locked = write_certificate(tmp_path, "locked", password=b"secret")
    with pytest.raises(OptionError, match="--tls-key needs --tls-cert"):
        tls_context(None, str(key))
    with pytest.raises(OptionError, match=r"--tls-cert .*none.pem cannot be read"):
        tls_context(str(tmp_path / "none.pem"), str(key))
    with pytest.raises(OptionError, match="cannot be used"):
        tls_context(str(path), str(path))
    with pytest.raises(OptionError, match="without a password"):
        tls_context(str(path), str(locked))


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has all of it")
def test_connections_are_watched_as_the_socket_that_accepts_them():
    (listening,) = bind("127.0.0.1", 0)
    watch([listening], 7.0, 3.0)
    listening.listen()
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_USER_TIMEOUT")
            found = [accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, n)) for n in names]
    assert found == [7, 1, 3_000]


def test_times_that_no_system_takes_are_left_out():
    (listening,) = bind("127.0.0.1", 0)
    with listening:
        watch([listening], 1e12, math.inf)
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="no ports are shared here")
def test_a_port_that_is_shared_is_shared_with_those_who_ask_for_it():
    first = bind("127.0.0.1", 0, shared=True)
    port = first[0].getsockname()[1]
    first[0].listen()
    close(bind("127.0.0.1", port, shared=True))
    with pytest.raises(AddressError):
        bind("127.0.0.1", port)
    close(first)
