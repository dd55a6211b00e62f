"""Lateness from what was heard and what is due."""

import json

import pytest

from benchmarks.server.heard import Heard, figures
from benchmarks.server.script import Due, Expected

DUE = Expected("onetwosix", (Due(3, 1.0), Due(6, 2.0), Due(9, 3.0)), (Due(6, 1.6),), (Due(9, 3.0),))


def heard(*, late_s=0.1, texts=("one", " two", " six")):
    found = Heard()
    for number, text in enumerate(texts, start=1):
        found.note_text(text, number + late_s)
    found.note_end("".join(texts[:2]).strip(), 2.2)
    return found


def test_lateness_of_texts_commits_and_silences():
    found = heard()
    found.ends[0] = Due(6, 2.2)
    found.note_end("six", 3.3)
    result = figures([Heard.of_json(json.loads(json.dumps(found.as_json())))], [DUE], 1.5, 0.5, [0])
    assert result.lost == (
        "client 0: an utterance ended as 'one two', which its texts do not give",
    )
    assert (result.texts.count, result.texts.p50) == (2, pytest.approx(0.1))
    assert result.commits.p50 == pytest.approx(0.3)
    assert result.silences.p50 == pytest.approx(0.6)
    assert result.cores_used == 0.5


def test_texts_that_come_together_are_each_late_by_their_own():
    found = Heard()
    found.note_text("one two", 2.1)
    found.note_text("six", 3.0)
    result = figures([found], [DUE], 0.0, 0, [])
    assert result.texts.most == pytest.approx(1.1)
    assert result.carried is False


@pytest.mark.parametrize("texts", [("one", "two"), ("one", "two", "seven"), ()])
def test_other_words_are_lost(texts):
    result = figures([heard(texts=texts) if texts else Heard()], [DUE], 0.0, 0, [])
    assert any("characters" in each for each in result.lost)
    assert not result.carried


def test_all_in_time_is_carried():
    found = Heard()
    for number, text in enumerate(("one", "two", "six"), start=1):
        found.note_text(text, number + 0.1)
    assert figures([found], [DUE], 0.0, 0, []).carried


def test_an_empty_utterance_is_no_end():
    found = Heard()
    found.note_end("", 1.0)
    assert found.ends == []
