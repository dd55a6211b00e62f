"""A host that cannot be reached is told at once, whatever the call itself would do."""

import errno
import logging
import selectors
import socket
import subprocess
import sys
import threading
import time

import pytest

from parakeet_streaming.catalog import reachable
from parakeet_streaming.catalog.reachable import answer_or_unreachable, unreachable

LOGGER = "a client of some host"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def listening():
    """A host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def refusing():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def endless():
    """A call that ends when the test does."""
    over = threading.Event()
    yield lambda: over.wait(60)
    over.set()


class Deaf(selectors.SelectSelector):
    """Nothing ever happens."""

    def select(self, timeout=None):
        time.sleep(timeout)
        return []


def address(server):
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_answer_comes_through(refusing, listening):
    assert answer_or_unreachable(lambda: 7, address(listening), LOGGER) == 7


def test_an_answer_that_came_in_another_way(refusing):
    def call():
        time.sleep(0.1)
        return 7

    assert answer_or_unreachable(call, refusing, LOGGER) == 7


def test_an_error_of_the_call_comes_through(listening):
    def call():
        raise LookupError("no such repository")

    with pytest.raises(LookupError, match="no such repository"):
        answer_or_unreachable(call, address(listening), LOGGER)


def test_nobody_listens(refusing, endless):
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1 cannot be reached \(Connection ref"):
        answer_or_unreachable(endless, refusing, LOGGER)


def test_a_name_that_nobody_knows(endless, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConnectionError, match=r"hub\.example cannot be reached \(Name or service"):
        answer_or_unreachable(endless, "https://hub.example", LOGGER)


@pytest.mark.parametrize("what", ["look-up", "connection"])
def test_a_network_that_swallows_everything(endless, monkeypatch, listening, what):
    if what == "look-up":
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [][endless() :])
    else:
        monkeypatch.setattr(reachable.selectors, "DefaultSelector", Deaf)
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1 cannot be reached \(no connection"):
        answer_or_unreachable(endless, address(listening), LOGGER, reached_within_s=0.1)


def test_a_host_that_takes_connections_and_says_nothing(endless, listening):
    with pytest.raises(ConnectionError, match=r"does not answer within 0\.2 s"):
        answer_or_unreachable(
            endless, address(listening), LOGGER, reached_within_s=0.1, answered_within_s=0.2
        )


def test_an_answer_may_take_longer_than_a_connection(listening):
    def call():
        time.sleep(0.2)
        return 7

    assert answer_or_unreachable(call, address(listening), LOGGER, reached_within_s=0.1) == 7


def test_a_machine_without_a_network(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect_ex", lambda *_: errno.ENETUNREACH)
    assert unreachable("http://127.0.0.1:80") == "Network is unreachable"


def test_one_of_two_networks_is_enough(listening, refusing, monkeypatch):
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(url.rpartition(":")[2])))
        for url in (refusing, address(listening))
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert unreachable("http://somewhere.example") is None


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:{port}", "127.0.0.1:{port}"])
def test_a_proxy_is_what_must_be_reached(listening, monkeypatch, proxy):
    monkeypatch.setenv("https_proxy", proxy.format(port=listening.getsockname()[1]))
    assert unreachable("https://hub.example") is None
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert unreachable(address(listening)) is None


@pytest.mark.parametrize("url", ["http://:0", "https://hub.example:port", ""])
def test_an_address_that_is_none(url):
    assert unreachable(url, 0.5)


def test_messages_of_the_call_alone_are_dropped(refusing, capsys, endless):
    logger = logging.getLogger(LOGGER)
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    told = threading.Event()

    def call():
        logger.warning("Retrying in 1 s")
        told.set()
        endless()

    try:
        with pytest.raises(ConnectionError):
            answer_or_unreachable(call, refusing, LOGGER)
        assert told.wait(60)
        logger.warning("another one")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr().out == "another one\n"


def test_the_command_line_tells_it_in_one_line_and_ends(refusing, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", refusing)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    program = "from parakeet_streaming.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "models", "download", "somebody/model"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "somebody/model was not fetched" in line
    assert "cannot be reached" in line
