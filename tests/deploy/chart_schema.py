"""The server's table of settings in; the part of the chart's schema that describes them out.

After a new setting: `PYTHONPATH=src:. python -m tests.deploy.chart_schema` writes it.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

from parakeet_streaming.server.settings import Settings, about

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "parakeet-streaming"
SCHEMA = CHART / "values.schema.json"
OF_THE_CHART = {
    "model", "max_streams", "drain_s", "host", "port",
    "api_key", "api_key_file", "no_auth", "checkpoint_key", "checkpoint_key_file",
}  # fmt: skip
"""Values of the chart's own stand for these."""
NOT_IN_PODS = {
    "tls_cert", "tls_key", "wyoming_port", "wyoming_host", "wyoming_announce", "wyoming_no_auth",
    "stun_server",
    "replicas", "most_replicas", "replica_gpus",
}  # fmt: skip
"""TLS ends at the edge; ports beside HTTP's do not go through a Service of this chart; a pod is one
server."""

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def settings_schema():
    hints = get_type_hints(Settings)
    names = [each.name for each in fields(Settings)]
    properties = {
        name: _described(name, hints[name])
        for name in names
        if name not in OF_THE_CHART | NOT_IN_PODS
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _described(name, kind):
    known = about(name)
    if kind == tuple[str, ...]:
        return {"type": "array", "items": {"type": "string"}, "description": known.help}
    (plain,) = (each for each in _TYPES if kind in (each, each | None))
    bounds = {"minimum": known.least, "exclusiveMinimum": known.above, "maximum": known.most}
    described = {"type": _TYPES[plain], "description": known.help}
    return described | {key: bound for key, bound in bounds.items() if bound is not None}


def main():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["properties"]["settings"] = settings_schema()
    SCHEMA.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
