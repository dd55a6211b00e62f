from benchmarks.speed.before_after import REPOSITORY, served
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


def test_what_is_asked_for_is_run(random_folder):
    options = (
        random_folder / "cached", "--cached", "--context", "0.4-0.4-0.4", "--streams", "2",
        "--recording-s", "--threads", "1",
    )  # fmt: skip
    with served(REPOSITORY / "src", options) as run:
        assert run("step, 2 x 0.4-0.4-0.4, cached") > 0
        assert run("step, 2 x 0.4-0.4-0.4, cached") > 0


def test_a_table_for_people(run, cells):
    done = run("speed.step", "--context", "0.4-0.4-0.4", "--streams", "1", "--recording-s", "1",
               "--runs", "2", "--threads", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = cells(done.stdout.rstrip(), "`tiny-en`, 2 runs")[1:]
    assert [row[0] for row in rows] == ["step, 1 x 0.4-0.4-0.4", "recording, 1 s"]
