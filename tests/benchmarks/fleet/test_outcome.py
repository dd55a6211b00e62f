import numpy as np
import pytest

from benchmarks.fleet.fleet import Totals
from benchmarks.fleet.outcome import Outcome


def lateness(load):
    """Under any load all texts are late by the load."""
    return np.full(10, load)


def test_nothing_happened():
    outcome = Outcome()
    assert outcome.balance == 0
    assert outcome.refused_share == outcome.gave_up_share == 0
    assert outcome.replica_hours_per_stream_hour == 0
    assert outcome.most_attempts == 0
    assert outcome.lost_time_s([0.5]) == []
    assert outcome.late_s(lateness, [0.5]) == []


def test_everybody_is_accounted_for():
    outcome = Outcome(arrived=10, finished=3, gave_up=2, lost=1, open=3, waiting=1)
    assert outcome.balance == 0
    assert outcome.gave_up_share == 0.2


def test_lateness_is_weighed_by_speech():
    totals = Totals()
    totals.speech_s[20], totals.speech_s[80] = 90.0, 10.0
    outcome = Outcome(totals=totals)
    assert outcome.late_s(lateness, [0.5, 0.89, 0.95]) == pytest.approx([0.205, 0.205, 0.805])


def test_what_was_said_while_a_stream_was_lost_is_late_by_what_was_left_of_it():
    totals = Totals()
    totals.speech_s[20] = 50.0
    outcome = Outcome(totals=totals, lost_s=[100.0], lost_speech=[0.5])
    median, ninth = outcome.late_s(lateness, [0.49, 0.9])
    assert median == pytest.approx(0.205)
    assert ninth == pytest.approx(80, abs=5)


def test_very_many_losses_are_thinned_and_weigh_the_same():
    totals = Totals()
    totals.speech_s[20] = 50_000.0 * 5
    many = Outcome(totals=totals, lost_s=[10.0] * 50_000, lost_speech=[0.5] * 50_000)
    assert many.late_s(lateness, [0.49]) == pytest.approx([0.205])
    assert many.late_s(lateness, [0.75])[0] == pytest.approx(5, abs=0.6)


def test_lost_time():
    assert Outcome(lost_s=[1.0, 2.0, 3.0]).lost_time_s([0.5, 1.0]) == [2.0, 3.0]
