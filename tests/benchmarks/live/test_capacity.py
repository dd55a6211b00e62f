import json


def test_a_short_look(run, cells, tmp_path):
    report = tmp_path / "capacity.json"
    done = run(
        "live.capacity", "--context", "0.4-0.24-0.24", "--trial-s", "0.5", "--minutes", "0.01",
        "--most", "1", "--threads", "1", "--json", report,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 streams for" in done.stderr
    assert (
        "`tiny-en`, context 0.4-0.24-0.24, window, onnxruntime: at least 1 streams" in done.stdout
    )
    _, row = cells(done.stdout.rstrip(), "streams")
    assert row[0] == "1"
    assert json.loads(report.read_text())["held"]["carried"] == 1


def test_a_number_that_is_not_carried_is_given_up_after_two_trials(golden_recognizer, monkeypatch):
    from benchmarks.live import capacity
    from benchmarks.live.trial import Held, Setting
    from parakeet_streaming import BatchLimits, ContextConfig

    def held(carried):
        return Held(2, carried, 1.0, 9, (0.1,) * 4, 1.0, 0.1, 0.1, 0.1, 0)

    shown = iter([held(1), held(1), held(1), held(2)])
    monkeypatch.setattr(capacity, "hold", lambda *_: next(shown))
    setting = Setting(ContextConfig.parse("0.4-0.24-0.24"))
    trials = capacity.Trials(golden_recognizer, setting, BatchLimits())
    assert not trials.all_carried(2, 1.0)
    assert trials.last is None
    assert trials.all_carried(2, 1.0)
    assert trials.last == held(2)
