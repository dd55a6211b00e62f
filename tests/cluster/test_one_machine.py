"""What is wrong is told before Ray is started; `test_ray_serve.py` starts it."""

import os
import signal
import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from parakeet_streaming.cluster import one_machine
from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.server.addresses import AddressError
from parakeet_streaming.server.settings import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def here(monkeypatch):
    """A machine with Ray, as far as can be seen from outside."""
    monkeypatch.setattr(one_machine, "find_spec", lambda _: object())


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(one_machine, "find_spec", lambda name: None if name == "ray" else object())
    with pytest.raises(ExtraMissingError, match=r"need ray; pip install .*\[server,ray\]"):
        one_machine.serve(Settings(replicas=2))


def test_others_need_a_key(here):
    with pytest.raises(OptionError, match=r"--host 0\.0\.0\.0: give it a key"):
        one_machine.serve(Settings(replicas=2, host="0.0.0.0"))


def test_addresses_that_the_balancer_does_not_reach(here):
    with pytest.raises(
        OptionError, match=r"listen on --host 127\.0\.0\.1 or 0\.0\.0\.0, not on ::"
    ):
        one_machine.serve(Settings(replicas=2, host="::1"))


def test_numbers_that_do_not_go_together(here):
    with pytest.raises(OptionError, match="--most-replicas 1"):
        one_machine.serve(Settings(replicas=2, most_replicas=1))


def test_a_port_in_use(here):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"port {port}: another program"):
            one_machine.serve(Settings(replicas=2, port=port))


@pytest.mark.parametrize(
    "settings", [{"wyoming_port": 0}, {"tls_cert": "a.pem"}, {"stun_server": "stun:a.example"}]
)
def test_what_only_a_server_of_its_own_can_do(here, settings):
    with pytest.raises(OptionError, match=f"{next(iter(settings))} is not for them"):
        one_machine.serve(Settings(replicas=2, **settings))


def test_an_environment_that_cuts_clients(here, monkeypatch):
    environment = {"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "120"}
    monkeypatch.setattr(os, "environ", environment)
    with pytest.raises(OptionError, match="RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S=120 cuts"):
        one_machine.serve(Settings(replicas=2, port=0))


def test_replicas_share_a_key_for_checkpoints():
    drawn = [one_machine._checkpoint_keys(Settings(replicas=2)) for _ in range(2)]
    assert drawn[0] != drawn[1]
    given = ("a-key-of-sixteen-characters-or-more",)
    assert one_machine._checkpoint_keys(Settings(replicas=2, checkpoint_key=given)) == given


def test_a_key_in_a_file_is_read_by_the_replicas(tmp_path):
    path = tmp_path / "keys"
    path.write_text("a-key-of-sixteen-characters-or-more")
    settings = Settings(replicas=2, checkpoint_key_file=str(path))
    assert one_machine._checkpoint_keys(settings) == ()


def test_the_first_signal_asks(monkeypatch):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asked = one_machine._signals()
        assert not asked.is_set()
        signal.raise_signal(signal.SIGTERM)
        # A terminal may send it twice.
        signal.raise_signal(signal.SIGTERM)
        assert asked.wait(30)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Left:
    """Replicas that some are in, for as many questions."""

    def __init__(self, questions):
        self.questions, self.drained = questions, threading.Event()

    def drain(self, seconds):
        self.drained.set()

    def requests(self):
        self.questions -= 1
        return max(0, self.questions)


def test_draining_ends_when_all_have_gone_or_the_time_is_over():
    left = Left(2)
    one_machine._drain(left, 60.0)
    assert left.drained.is_set()
    assert left.questions == 0
    one_machine._drain(Left(10**6), 0.0)


def test_files_of_the_balancer_are_this_user_s_own():
    with one_machine._own_folder() as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert len(folder) < 40
    assert not Path(folder).exists()


def test_free_ports_differ():
    ports = one_machine._free_ports("127.0.0.1", 0, 0, 0)
    assert len(set(ports)) == 3
