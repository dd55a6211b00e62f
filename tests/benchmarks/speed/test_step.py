import json

from benchmarks.speed.step import SteppedStreams, cases, measured


def test_steps_are_those_of_full_left_contexts(golden_recognizer):
    sizes = []

    class Counting:
        def stream(self, context, *, cached):
            return golden_recognizer.stream(context, cached=cached)

        def step(self, streams):
            sizes.append([stream.windowed.window.next_span().left_samples for stream in streams])
            return golden_recognizer.step(streams)

    streams = SteppedStreams(Counting(), "0.8-0.4-0.4", 2, cached=False)
    streams.fill()
    assert sizes[0] == [0, 0]
    sizes.clear()
    assert streams.step_s() > 0
    assert sizes == [[12_800, 12_800]]


def test_every_case_is_measured_by_its_least_and_its_median(golden_recognizer):
    found = cases(golden_recognizer, ["0.8-0.4-0.4"], [1, 2], [1.0], cached=False)
    assert list(found) == ["step, 1 x 0.8-0.4-0.4", "step, 2 x 0.8-0.4-0.4", "recording, 1 s"]
    times = measured({"counted": iter([3.0, 1.0, 2.0]).__next__, **found}, 3)
    assert times["counted"] == {"least_s": 1.0, "median_s": 2.0}
    assert all(0 < each["least_s"] <= each["median_s"] for each in times.values())


def test_numbers_for_programs(run, random_folder):
    done = run(
        "speed.step", random_folder / "cached", "--cached", "--context", "0.4-0.4-0.4",
        "--streams", "2", "--recording-s", "--runs", "2", "--threads", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["step, 2 x 0.4-0.4-0.4, cached"]
