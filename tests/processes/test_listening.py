import socket

import pytest

from parakeet_streaming.processes import listening
from parakeet_streaming.server.addresses import AddressError, bind


def test_every_process_has_a_socket_on_the_same_port():
    bound = listening.bind_each("127.0.0.1", 0, 3)
    try:
        ports = {each.getsockname()[1] for one in bound for each in one}
        assert len(bound) == 3
        assert len(ports) == 1
    finally:
        listening.close(bound)


def test_a_port_that_is_listened_on_is_refused_even_where_it_would_be_shared():
    bound = listening.bind_each("127.0.0.1", 0, 2)
    for one in bound:
        one[0].listen()
    try:
        with pytest.raises(AddressError, match="another program"):
            listening.bind_each("127.0.0.1", bound[0][0].getsockname()[1], 2)
    finally:
        listening.close(bound)


def test_connections_are_dealt_out_and_wait_for_who_comes_after():
    bound = listening.bind_each("127.0.0.1", 0, 2)
    port = bound[0][0].getsockname()[1]
    for one in bound:
        one[0].listen(200)
        one[0].setblocking(False)
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
    counts = []
    for one in bound:
        count = 0
        while True:
            try:
                accepted, _ = one[0].accept()
            except BlockingIOError:
                break
            accepted.close()
            count += 1
        counts.append(count)
    for client in clients:
        client.close()
    listening.close(bound)
    assert sum(counts) == 100
    if listening._DEALS_OUT:
        assert min(counts) >= 20


def test_where_nothing_is_dealt_out_one_socket_is_shared(monkeypatch):
    monkeypatch.setattr(listening, "_DEALS_OUT", False)
    first, second = listening.bind_each("127.0.0.1", 0, 2)
    assert first is second
    listening.close([first])


def test_when_one_cannot_be_bound_none_is_left(monkeypatch):
    made = []

    def bind_once(host, port, **shared):
        if len(made) == 2:
            raise AddressError("no more")
        made.append(bind(host, port, **shared))
        return made[-1]

    monkeypatch.setattr(listening, "bind", bind_once)
    monkeypatch.setattr(listening, "_DEALS_OUT", True)
    with pytest.raises(AddressError):
        listening.bind_each("127.0.0.1", 0, 2)
    assert all(each.fileno() == -1 for one in made for each in one)
