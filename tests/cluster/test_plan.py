import pytest

from parakeet_streaming.cluster.plan import LAST_WORDS_S, check_for_balancer, plan_for
from parakeet_streaming.errors import OptionError
from parakeet_streaming.server.settings import Settings


def test_the_cores_are_shared_evenly():
    assert plan_for(Settings(replicas=2), 8).threads == 4
    assert plan_for(Settings(replicas=3), 8).threads == 2
    assert plan_for(Settings(replicas=4), 2).threads == 1
    assert plan_for(Settings(replicas=1, most_replicas=4), 8).threads == 2


def test_threads_that_are_given_count():
    assert plan_for(Settings(replicas=2, threads=3), 8).threads == 3
    assert plan_for(Settings(threads=5), None).threads == 5


def test_a_cluster_says_nothing_of_its_cores():
    assert plan_for(Settings(), None).threads == 2


def test_a_full_replica_has_room_to_say_so():
    plan = plan_for(Settings(max_streams=40, max_uploads=4), 2)
    assert plan.slots == 40 + 4 + 16
    assert plan_for(Settings(max_streams=400, max_uploads=4), 2).slots == 400 + 4 + 100


def test_where_the_engine_decides_ray_does_not():
    assert plan_for(Settings(), 2).slots > 1_000


def test_ray_waits_longer_than_clients_are_told():
    options = plan_for(Settings(drain_s=60), 2).deployment()
    assert options["graceful_shutdown_timeout_s"] == 60 + LAST_WORDS_S


def test_a_number_of_replicas_is_that_number():
    options = plan_for(
        Settings(replicas=3, replica_gpus=0.5, max_streams=1, max_uploads=4), 6
    ).deployment()
    assert options["num_replicas"] == 3
    assert options["ray_actor_options"] == {"num_cpus": 2, "num_gpus": 0.5}
    assert options["max_ongoing_requests"] == options["max_queued_requests"] == 21
    assert "autoscaling_config" not in options


def test_more_under_load_have_bounds():
    options = plan_for(Settings(replicas=2, most_replicas=8), None).deployment()
    scaling = options["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (2, 8)
    assert "num_replicas" not in options


def test_fewer_at_most_than_at_least():
    with pytest.raises(OptionError, match="--most-replicas 1 is less than --replicas 2"):
        plan_for(Settings(replicas=2, most_replicas=1), 2)


@pytest.mark.parametrize(
    "settings", [{"wyoming_port": 0}, {"tls_cert": "a.pem"}, {"stun_server": "stun:a.example"}]
)
def test_what_only_a_server_of_its_own_can_do(settings):
    check_for_balancer(Settings())
    with pytest.raises(OptionError, match=f"{next(iter(settings))} is not for them"):
        check_for_balancer(Settings(**settings))


def test_io_processes_are_for_one_engine():
    with pytest.raises(OptionError, match="io_processes"):
        check_for_balancer(Settings(io_processes=2))
