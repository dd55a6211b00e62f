"""The shipped configuration of HAProxy is what runs here, with other ports."""

from benchmarks.chaos.balancer import haproxy_configuration
from tests.deploy.deployed import code_of_haproxy


def code(text):
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def test_only_addresses_differ():
    ours = code(haproxy_configuration(9_000, [("127.0.0.1", 9_001), ("127.0.0.1", 9_002)]))
    shipped = code_of_haproxy()
    assert {line.split()[0] for line in set(ours) - set(shipped)} <= {
        "bind", "server", "default-server", "maxconn",
    }  # fmt: skip
    assert {line.split()[0] for line in set(shipped) - set(ours)} <= {
        "bind", "server-template", "default-server", "maxconn",
        "resolvers", "nameserver", "hold", "accepted_payload_size",
    }  # fmt: skip
    assert "balance leastconn" in ours
    assert "server replica2 127.0.0.1:9002" in ours
