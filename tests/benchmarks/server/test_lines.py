"""Clients of all protocols, against a real server."""

import argparse
import asyncio
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.server.doors import DOORS, RATES_HZ, messages_of
from benchmarks.server.engine_alone import EngineAlone, settings_from
from benchmarks.server.heard import Heard, figures
from benchmarks.server.lines import open_line
from benchmarks.server.script import Script
from benchmarks.server.serving import OPEN_HOUSE, Server
from benchmarks.server.speakers import Speakers, Trial
from benchmarks.server.trials import _expected

KEY = "secret"
CONTEXT = "1-0.5-0.5"


@pytest.fixture(scope="module")
def server():
    wyoming = ["--wyoming-port", "0"]
    with Server(["--context", CONTEXT, "--fixed", "--api-key", KEY, *wyoming, *OPEN_HOUSE]) as made:
        yield made


def url_of(server, door):
    return server.urls["tcp"] if door == "wyoming" else server.socket_url


@pytest.mark.parametrize("door", DOORS)
def test_a_client_hears_what_it_must(server, door):
    asked = argparse.Namespace(
        model="tiny-en", context=CONTEXT, cached=False, precision="auto", runtime="auto", threads=1
    )
    trial = Trial(door, 2, 5.0, 2.0, scripts=2, key=KEY)
    alone = EngineAlone(settings_from(asked))
    told = alone.answer({"what": "expected", "trial": asdict(trial)})["expected"]
    expected = [_expected(each) for each in told]
    assert all(each.text for each in expected)
    ends = [len(each.silences) + len(each.commits) for each in expected]
    answer = asyncio.run(Speakers(trial, url_of(server, door), 0.5).run(ends))
    heard = [Heard.of_json(each) for each in answer["heard"]]
    found = figures(heard, expected, 0.0, 0.0, answer["behind_s"])
    assert found.lost == ()
    assert found.commits.count == sum(len(each.commits) for each in expected)
    assert found.silences.count == sum(len(each.silences) for each in expected)


@pytest.mark.parametrize("door", [each for each in DOORS if each != "wyoming"])
def test_a_client_that_is_refused_says_so(server, door):
    script = Script(RATES_HZ[door], np.zeros(0, np.int16), frozenset())

    async def refused():
        line = await open_line(
            url_of(server, door), door, script, messages_of(door, script), lambda: 0.0, "wrong"
        )
        line.close()
        async with asyncio.timeout(30):
            await line.gone.wait()
        return line.heard.lost

    (lost,) = asyncio.run(refused())
    assert lost.startswith("refused: ")
    assert "401" in lost
