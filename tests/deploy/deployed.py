"""What lies in deploy/, read."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "parakeet-streaming"
TEMPLATES = sorted(CHART.glob("templates/**/*.*"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
HAPROXY = (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
BYTES = {"": 1, "k": 1e3, "m": 2**20, "g": 2**30, "Mi": 2**20, "Gi": 2**30}


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * SECONDS[unit]


def size_bytes(text):
    number, unit = re.fullmatch(r"(\d+)(\w*)", text).groups()
    return int(number) * BYTES[unit]


def dockerfile_settings():
    """The variables that the image sets."""
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    block = re.search(r"^ENV (.*?[^\\])$", final, re.MULTILINE | re.DOTALL)[1]
    return dict(re.findall(r"(\w+)=(\S+)", block))


def code_of_haproxy():
    return [
        line.strip()
        for line in HAPROXY.splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
