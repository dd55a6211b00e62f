import json

import pytest

from benchmarks.fleet import reports
from benchmarks.fleet.scenario import MEASURED

HELD = {"streams": 8, "late_s": [0.05, 0.1, 0.2, 0.3], "streams_a_step": 2.0, "busy_share": 0.5}


def report(**more):
    asked = {"model": "tiny-en", "context": "5-0.5-0.5"}
    return {"machine": {"processor": "a processor"}, "asked": asked, **more}


@pytest.mark.parametrize("more", [{"held": HELD}, {"trials": [HELD]}])
def test_what_a_trial_held(more):
    measured = reports.of_report(report(**more))
    (trial,) = measured.trials
    assert measured.name == "tiny-en, 5-0.5-0.5, a processor"
    assert measured.chunk_s == pytest.approx(0.48)
    assert trial.streams == 8
    assert trial.late_s == (0.05, 0.1, 0.2)
    # 8 streams with 1 / 0.48 chunks a second, two in a step, take half of the time.
    assert trial.step_s == pytest.approx(0.5 / (8 / 0.48 / 2))


def test_a_phase_of_overload():
    late = {"p50": 0.1, "p95": 0.2, "p99": 0.3}
    phase = {"streams": 27, "batch_mean": 1.5, "real_time_factor": 0.025, "late": late}
    (trial,) = reports.of_report(report(phases={"hold": phase})).trials
    assert trial.late_s == (0.1, 0.2, 0.3)
    assert trial.step_s == pytest.approx(0.025 * 0.48 * 1.5)


def test_a_page_that_is_quoted():
    quoted = report(source="a page", steps=[[1, 0.06], [2, 0.08]], trials=[HELD])
    del quoted["machine"]
    measured = reports.of_report(quoted)
    assert measured.name.endswith("a page")
    assert measured.steps == ((1.0, 0.06), (2.0, 0.08))


@pytest.mark.parametrize("broken", [{}, [], report(), report(trials=[{}]), report(trials=None)])
def test_anything_else_is_no_report(broken, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(broken))
    with pytest.raises(ValueError, match="no report of a benchmark"):
        reports.read(path)


@pytest.mark.parametrize("path", sorted(MEASURED.glob("*.json")), ids=lambda path: path.stem)
def test_what_is_kept_here_is_read(path):
    assert reports.read(path).trials
