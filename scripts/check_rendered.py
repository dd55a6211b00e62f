"""The chart as Helm has rendered it in; exit code 0 if its parts fit together.

Called by scripts/check-deploy, with that script's own environment.
"""

import sys
from typing import Any

import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor

CUSTOM = {"ScaledObject": ScaledObject, "ServiceMonitor": ServiceMonitor}
Json = Any


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        parts = {each["kind"]: each for each in yaml.safe_load_all(file) if each}
    for kind, model in CUSTOM.items():
        if kind in parts:
            read = model.model_validate(parts[kind])
            # What the schema does not know is left out where it is written again.
            check_contains(read.model_dump(by_alias=True, mode="json"), parts[kind], kind)
    check_time(parts["Deployment"])
    check_selectors(parts)
    if "ScaledObject" in parts:
        check_scaling(parts)


def check_contains(whole: Json, part: Json, place: str) -> None:
    if isinstance(part, dict):
        for key, value in part.items():
            assert key in whole, f"{place}.{key} is not in the schema"
            check_contains(whole[key], value, f"{place}.{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            check_contains(whole[number], value, f"{place}[{number}]")


def pod_of(deployment: Json) -> Json:
    return deployment["spec"]["template"]["spec"]


def settings_of(deployment: Json) -> dict[str, str]:
    (server,) = pod_of(deployment)["containers"]
    names = [each["name"] for each in server["env"]]
    assert len(names) == len(set(names)), names
    return {each["name"]: each.get("value", "") for each in server["env"]}


def check_time(deployment: Json) -> None:
    """A pod is not killed while it drains."""
    pod = pod_of(deployment)
    (server,) = pod["containers"]
    sleep_s = int(server["lifecycle"]["preStop"]["exec"]["command"][1])
    drain_s = float(settings_of(deployment)["PARAKEET_DRAIN_S"])
    assert pod["terminationGracePeriodSeconds"] >= sleep_s + drain_s + 10


def check_selectors(parts: dict[str, Json]) -> None:
    """Everything that means the pods finds them."""
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    chosen = [parts["Service"]["spec"]["selector"]]
    chosen.append(parts["Deployment"]["spec"]["selector"]["matchLabels"])
    if "PodDisruptionBudget" in parts:
        chosen.append(parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"])
    if "NetworkPolicy" in parts:
        chosen.append(parts["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"])
    assert all(each.items() <= labels for each in chosen)
    if "ServiceMonitor" in parts:
        monitored = parts["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
        assert monitored.items() <= parts["Service"]["metadata"]["labels"].items()
    # The test's pod must not be given clients.
    own = parts["Pod"]["metadata"]["labels"]
    assert not parts["Service"]["spec"]["selector"].items() <= own.items()


def check_scaling(parts: dict[str, Json]) -> None:
    """What a pod takes is what is counted on."""
    scaled = parts["ScaledObject"]["spec"]
    (trigger,) = scaled["triggers"]
    assert (
        trigger["metadata"]["threshold"] == settings_of(parts["Deployment"])["PARAKEET_MAX_STREAMS"]
    )
    assert scaled["scaleTargetRef"]["name"] == parts["Deployment"]["metadata"]["name"]
    assert "replicas" not in parts["Deployment"]["spec"]
    assert f'service="{parts["Service"]["metadata"]["name"]}"' in trigger["metadata"]["query"]


if __name__ == "__main__":
    main(sys.argv[1])
