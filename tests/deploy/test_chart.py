"""The Helm chart, as far as it can be read without Helm: scripts/check-deploy renders it."""

import inspect
import json
import re
from dataclasses import fields

import pytest
import yaml

import parakeet_streaming
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.load import DEFAULT_MODEL
from parakeet_streaming.metrics.registry import PREFIX
from parakeet_streaming.server.doors import health
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.settings import Settings
from parakeet_streaming.server.settings_sources import variable
from tests.deploy import chart_schema
from tests.deploy.deployed import CHART, DEPLOY, TEMPLATES, VALUES, size_bytes

DEPLOYMENT = (CHART / "templates" / "deployment.yaml").read_text(encoding="utf-8")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
ALL = [
    DEPLOY / "Dockerfile",
    DEPLOY / "compose.yaml",
    DEPLOY / "healthcheck.py",
    DEPLOY / "haproxy.cfg",
    DEPLOY / "kuberay" / "rayservice.yaml",
    *TEMPLATES,
]
NO_SETTINGS = {"PARAKEET_BAKED_MODEL"}
"""An argument of compose.yaml."""


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path):
    known = {variable(each.name) for each in fields(Settings)} | NO_SETTINGS
    named = set(re.findall(r"PARAKEET_[A-Z_]+\b(?!-)", path.read_text(encoding="utf-8")))
    assert {name for name in named if not name.endswith("_")} <= known


def test_the_schema_knows_the_servers_settings():
    """If not: PYTHONPATH=src:. python -m tests.deploy.chart_schema"""
    assert SCHEMA["properties"]["settings"] == chart_schema.settings_schema()


def test_the_schema_knows_every_value_and_no_other():
    assert set(SCHEMA["properties"]) - {"global"} == set(VALUES)
    for name, value in VALUES.items():
        described = SCHEMA["properties"][name]
        if isinstance(value, dict) and described.get("additionalProperties") is False:
            assert set(value) <= set(described["properties"]), name


def test_the_charts_version_of_the_server_is_this_one():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["appVersion"] == parakeet_streaming.__version__


def test_defaults_are_the_servers():
    assert VALUES["drainSeconds"] == Settings().drain_s
    assert VALUES["service"]["port"] == Settings().port
    assert VALUES["model"]["name"] == DEFAULT_MODEL
    assert f"containerPort: {Settings().port}" in DEPLOYMENT


def test_a_pod_has_time_to_drain():
    """preStop counts, too."""
    names = (CHART / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
    grace = re.search(r"add \.Values\.preStopSeconds \.Values\.drainSeconds (\d+)", names)
    assert int(grace[1]) >= 10
    assert 'terminationGracePeriodSeconds: {{ include "parakeet.graceSeconds" . }}' in DEPLOYMENT
    assert "command: [sleep, {{ .Values.preStopSeconds | quote }}]" in DEPLOYMENT


def test_uploads_fit_into_the_temporary_folder():
    needed = 2 * Settings().max_uploads * Settings().upload_megabytes * 1e6
    assert size_bytes(VALUES["tmp"]["sizeLimit"]) >= needed


def test_a_pod_may_do_little():
    for line in (
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "drop: [ALL]",
        "type: RuntimeDefault",
        "automountServiceAccountToken: false",
        "enableServiceLinks: false",
    ):
        assert line in DEPLOYMENT


def test_there_is_no_public_image_and_no_key_by_default():
    """So both must be said; nothing starts that anybody may use."""
    assert VALUES["image"]["repository"] == ""
    assert VALUES["apiKeys"]["existingSecret"] == ""
    assert VALUES["noAuth"] is False
    assert "fail " in DEPLOYMENT


def test_memory_is_limited_and_time_is_not():
    assert VALUES["resources"]["limits"].keys() == {"memory"}


def test_what_is_scaled_on_is_measured():
    known = {
        PREFIX + name for metrics in (LiveMetrics(), ServerMetrics()) for name in vars(metrics)
    }
    scaled = (CHART / "templates" / "scaledobject.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\bparakeet_\w+", scaled))
    assert named == {"parakeet_active_streams"}
    assert named <= known


def test_what_is_asked_for_health_is_answered():
    asked = set(re.findall(r"path: (/\w+)", DEPLOYMENT)) - {"/tmp", "/models"}
    served = set(re.findall(r'HttpRoute\("(/\w+)"', inspect.getsource(health)))
    assert asked == {"/healthz", "/readyz"}
    assert asked <= served


def test_every_value_is_used():
    text = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    unused = [name for name in VALUES if f".Values.{name}" not in text]
    assert unused == []


def test_the_variant_with_ray_has_the_same_names():
    ray = yaml.safe_load((DEPLOY / "kuberay" / "rayservice.yaml").read_text(encoding="utf-8"))
    served = yaml.safe_load(ray["spec"]["serveConfigV2"])
    (application,) = served["applications"]
    assert application["import_path"] == "parakeet_streaming.cluster:app"
    assert served["http_options"]["port"] == Settings().port
    pod = ray["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > Settings().drain_s + 10
