"""The files for clusters say what the code does."""

from pathlib import Path

import pytest

from parakeet_streaming.cluster.plan import POLICY, plan_for
from parakeet_streaming.cluster.ray_environment import problems
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.settings_sources import read_settings

yaml = pytest.importorskip("yaml")
DEPLOY = Path(__file__).parents[2] / "deploy"


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RAY_SERVE = read(DEPLOY / "ray-serve.yaml")
KUBERAY = read(DEPLOY / "kuberay" / "rayservice.yaml")
SERVED = [RAY_SERVE, yaml.safe_load(KUBERAY["spec"]["serveConfigV2"])]


@pytest.mark.parametrize("served", SERVED, ids=["ray-serve", "kuberay"])
def test_autoscaling_is_what_the_settings_would_ask_for(served):
    (application,) = served["applications"]
    (deployment,) = application["deployments"]
    assert deployment["name"] == "parakeet"
    written = deployment["autoscaling_config"]
    least, most = written["min_replicas"], written["max_replicas"]
    planned = plan_for(Settings(replicas=least, most_replicas=most), None).deployment()
    assert written == planned["autoscaling_config"]
    assert written["policy"] == {"policy_function": POLICY}
    # It would end sockets.
    assert "request_timeout_s" not in served["http_options"]


def test_the_arguments_are_settings():
    (application,) = RAY_SERVE["applications"]
    settings = read_settings(application["args"], {})
    assert (settings.max_streams, settings.threads, settings.drain_s) == (40, 4, 60.0)


def test_the_environment_of_the_pods_cuts_nobody():
    pod = KUBERAY["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each.get("value", "") for each in container["env"]}
    assert environment["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    assert problems(environment, Settings()) == []
