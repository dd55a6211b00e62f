import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import load
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.composition import make_application
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.server.settings import Settings

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana-dashboard.json"


@pytest.fixture
def engine():
    with LiveEngine(load(threads=1)) as engine:
        yield engine


def service_of(engine, keys=()):
    keys = dict(keys)
    parts = (LoadedModel("tiny-en", 0), LiveOptions(vad=None), Access(keys), Limits())
    return Service(engine, *parts, ServerMetrics(keys))


def get(service, path, key=None, **chosen):
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def request():
        transport = httpx.ASGITransport(make_application(service, Settings(**chosen)))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(request())


def told(reply):
    return reply.status_code, reply.json()


def test_a_server_that_is_well(engine):
    service = service_of(engine)
    assert told(get(service, "/healthz")) == (200, {"status": "ok"})
    assert told(get(service, "/readyz")) == (200, {"status": "ready"})
    assert get(service, "/readyz").headers["cache-control"] == "no-store"


def test_a_server_that_drains_is_well_and_not_ready(engine):
    service = service_of(engine)
    service.drain.begin(0.0)
    assert told(get(service, "/healthz")) == (200, {"status": "ok"})
    assert told(get(service, "/readyz")) == (503, {"status": "draining"})
    assert "parakeet_draining 1.0" in get(service, "/metrics").text


def test_an_engine_that_broke_is_neither(engine, monkeypatch):
    service = service_of(engine)
    monkeypatch.setattr(LiveEngine, "failure", RuntimeError("/a/file"))
    assert told(get(service, "/healthz")) == (503, {"status": "failed"})
    assert told(get(service, "/readyz")) == (503, {"status": "failed"})


def test_metrics_of_engine_server_and_process(engine):
    service = service_of(engine)
    stream = engine.open(LiveOptions(vad=None))
    stream.finish()
    *_, last = stream
    assert last.reason == "end"
    reply = get(service, "/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = reply.text.splitlines()
    assert "parakeet_active_streams 0.0" in lines
    assert 'parakeet_streams_total{outcome="finished"} 1.0' in lines
    assert "parakeet_open_sockets 0.0" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_metrics_need_a_key_where_there_are_keys_unless_they_are_open(engine):
    service = service_of(engine, {"alice": "1"})
    assert get(service, "/metrics").status_code == 401
    assert get(service, "/metrics", "2").status_code == 401
    assert get(service, "/metrics", "1").status_code == 200
    assert get(service, "/metrics", open_metrics=True).status_code == 200
    assert get(service, "/healthz").status_code == 200
    assert get(service, "/readyz").status_code == 200


def test_every_metric_of_the_dashboard_exists(engine):
    text = get(service_of(engine), "/metrics").text
    families = text_string_to_metric_families(text)
    known = {sample.name for family in families for sample in family.samples}
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(targets) > 20
    named = set()
    for target in targets:
        named |= set(re.findall(r"\b(?:parakeet|process)_\w+", target["expr"]))
    # Where the system does not tell of processes, as Windows, those are not there.
    here = {name for name in named if name.startswith("parakeet_")}
    here |= named if any(name.startswith("process_") for name in known) else set()
    assert here <= known
    labels = set(re.findall(r"\bby \((\w+)\)", json.dumps(targets))) - {"le"}
    assert all(f"{label}=" in text for label in labels)


def test_panels_of_the_dashboard_do_not_overlap():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
