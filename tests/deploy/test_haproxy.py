"""haproxy.cfg: whom it chooses, and that it is never less patient than the server."""

import re

from parakeet_streaming.server.settings import Settings
from tests.deploy.deployed import COMPOSE, code_of_haproxy, seconds

LINES = code_of_haproxy()
TIMEOUTS = {
    found[1]: seconds(found[2])
    for line in LINES
    if (found := re.fullmatch(r"timeout ([\w-]+) (\w+)", line))
}
KEPT_OPEN_S = 75
"""By the server, between two requests."""


def test_the_one_with_the_fewest_connections_is_chosen():
    assert "balance leastconn" in LINES


def test_a_socket_is_cut_only_after_the_server_would_have_cut_it():
    assert TIMEOUTS["tunnel"] > Settings().ping_s + Settings().ping_timeout_s
    assert not any(line.startswith("hard-stop-after") for line in LINES)


def test_the_server_loses_patience_first():
    assert TIMEOUTS["client"] > Settings().idle_s
    assert TIMEOUTS["http-request"] >= Settings().request_s
    assert TIMEOUTS["server"] >= 600


def test_an_idle_connection_is_closed_before_the_server_closes_it():
    assert TIMEOUTS["http-keep-alive"] < KEPT_OPEN_S


def test_uploads_are_not_collected():
    assert not any("http-buffer-request" in line for line in LINES)


def test_who_drains_gets_no_newcomers_and_keeps_its_own():
    assert any("uri /readyz" in line for line in LINES)
    assert not any("shutdown-sessions" in line for line in LINES)


def test_a_client_cannot_say_who_it_is():
    assert "http-request set-header X-Forwarded-For %[src]" in LINES


def test_keys_in_a_query_are_not_logged():
    (log,) = (line for line in LINES if line.startswith("log-format"))
    assert "HPO" in log
    assert not re.search(r"%r\b|%HU|%HQ|%\{\+Q\}r", log)


def test_it_asks_for_the_servers_of_compose():
    (template,) = (line for line in LINES if line.startswith("server-template"))
    host, port = template.split()[-1].split(":")
    assert host in COMPOSE["services"]
    assert int(port) == Settings().port
    bound = next(line for line in LINES if line.startswith("bind "))
    assert COMPOSE["services"]["haproxy"]["ports"][0].endswith(bound.rpartition(":")[2])


def test_it_may_open_as_many_files_as_it_needs():
    (most,) = (int(line.split()[1]) for line in LINES if line.startswith("maxconn"))
    assert COMPOSE["services"]["haproxy"]["ulimits"]["nofile"] > 2 * most + 1_000
