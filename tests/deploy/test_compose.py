"""compose.yaml: what it forbids, how long it waits, and that what it sets exists."""

import re

import pytest

from parakeet_streaming.server.settings import Settings
from tests.deploy.deployed import COMPOSE, dockerfile_settings, seconds, size_bytes

SERVICES = COMPOSE["services"]
SERVERS = {name: SERVICES[name] for name in ("parakeet", "replica")}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_service_may_do_little(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert size_bytes(service["mem_limit"])


@pytest.mark.parametrize("service", SERVERS.values(), ids=SERVERS)
def test_a_server_has_time_to_drain(service):
    assert seconds(service["stop_grace_period"]) > service["environment"]["PARAKEET_DRAIN_S"] + 10


def test_haproxy_ends_after_its_servers():
    longest = max(seconds(each["stop_grace_period"]) for each in SERVERS.values())
    assert seconds(SERVICES["haproxy"]["stop_grace_period"]) > longest
    assert SERVICES["haproxy"]["stop_signal"] == "SIGUSR1"
    assert "depends_on" not in SERVICES["haproxy"]


@pytest.mark.parametrize("service", SERVERS.values(), ids=SERVERS)
def test_uploads_fit_into_the_temporary_folder(service):
    told = service["environment"]
    needed = 2 * told["PARAKEET_MAX_UPLOADS"] * told["PARAKEET_UPLOAD_MEGABYTES"] * 1e6
    (mount,) = service["tmpfs"]
    room = size_bytes(re.search(r"size=(\w+)", mount)[1])
    assert mount.startswith("/tmp:")
    assert needed <= room < size_bytes(service["mem_limit"])


@pytest.mark.parametrize("service", SERVERS.values(), ids=SERVERS)
def test_keys_lie_where_the_image_looks(service):
    (secret,) = service["secrets"]
    assert secret in COMPOSE["secrets"]
    assert dockerfile_settings()["PARAKEET_API_KEY_FILE"] == f"/run/secrets/{secret}"


def test_only_this_machine_comes_in():
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert SERVICES["parakeet"]["ports"] == [f"127.0.0.1:{Settings().port}:{Settings().port}"]


def test_only_haproxy_reaches_the_replicas():
    """They believe what it says of who asks."""
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert "ports" not in SERVICES["replica"]
    inside = {name for name, each in SERVICES.items() if "inside" in each.get("networks", [])}
    assert inside == {"replica", "haproxy"}


def test_without_a_profile_there_is_one_server():
    assert [name for name, each in SERVICES.items() if not each.get("profiles")] == ["parakeet"]


def test_replicas_have_no_disk_in_common():
    assert "volumes" not in SERVICES["replica"]
