from parakeet_streaming.cluster.ray_environment import of_one_machine, problems
from parakeet_streaming.server.settings import Settings

HAPROXY = {"RAY_SERVE_ENABLE_HA_PROXY": "1"}
PORTS = (1, 2, 3, 4)


def of(settings=None, slots=100, cores=2, files=100_000):
    return of_one_machine(settings or Settings(), slots, cores, files, "/tmp/x", PORTS, "secret")


def test_what_is_set_has_no_problem():
    for settings in (Settings(), Settings(session_s=86_400, drain_s=600, idle_s=9_000)):
        found = problems(of(settings) | {"RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S": "9100"}, settings)
        assert found == []


def test_sockets_outlive_the_number_of_replicas():
    (problem,) = problems(HAPROXY, Settings(session_s=3_600, drain_s=20))
    assert "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S=120" in problem
    assert "3680" in problem
    assert not problems(HAPROXY, Settings(session_s=30, drain_s=20))
    told = HAPROXY | {"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "21720"}
    assert not problems(told, Settings())
    wrong = HAPROXY | {"RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "soon"}
    assert problems(wrong, Settings(session_s=30))


def test_sockets_may_be_silent_as_long_as_the_settings_say():
    short = {**HAPROXY, "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S": "30"}
    (problem,) = problems(short, Settings(session_s=30, drain_s=20))
    assert "RAY_SERVE_HAPROXY_TIMEOUT_SERVER_S=30" in problem
    (problem,) = problems(HAPROXY, Settings(session_s=30, drain_s=20, idle_s=5_000))
    assert "RAY_SERVE_HAPROXY_TIMEOUT_CLIENT_S=3600" in problem


def test_ray_s_own_proxy_has_no_such_bounds():
    assert problems({}, Settings()) == []
    assert problems({"RAY_SERVE_ENABLE_HA_PROXY": "0"}, Settings()) == []


def test_connections_fit_into_the_files_that_may_be_open():
    name = "RAY_SERVE_HAPROXY_MAXCONN"
    assert of(slots=10)[name] == "4096"
    assert of(slots=5_000)[name] == "10000"
    assert of(slots=5_000, files=20_000)[name] == "6500"
    assert of(slots=5_000, files=100)[name] == "1"


def test_nobody_else_is_told_or_commands():
    found = of()
    assert found["RAY_USAGE_STATS_ENABLED"] == "0"
    assert (found["RAY_AUTH_MODE"], found["RAY_AUTH_TOKEN"]) == ("token", "secret")
    paths = [text for name, text in found.items() if name.endswith(("_LOC", "_PATH", "_BASE"))]
    assert len(paths) == 4
    assert all(path.startswith("/tmp/x") for path in paths)


def test_only_a_trusted_proxy_says_who_asks():
    assert of()["FORWARDED_ALLOW_IPS"] == ""
    trusted = of(Settings(trusted_proxy=("10.0.0.5",)))
    assert trusted["FORWARDED_ALLOW_IPS"] == "127.0.0.1,10.0.0.5"
