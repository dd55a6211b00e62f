"""What was measured comes into the page, and nothing else."""

import json
from xml.etree import ElementTree

import pytest

from benchmarks.accuracy import guide

MACHINE = {
    "processor": "a machine", "cores": "2 cores", "memory": "8 GiB", "python": "3.11",
    "onnxruntime": "1.30", "parakeet_streaming": "0.1",
}  # fmt: skip


def context(name, errors, processing_s, delays):
    return {
        "context": name,
        "errors": {"books": {"errors": errors, "words": 100}, "none": {"errors": 0, "words": 0}},
        "delays": {"shown_s": delays, "committed_s": [2 * each for each in delays]},
        "audio_s": 100.0,
        "processing_s": processing_s,
    }


REPORT = {
    "machine": MACHINE,
    "model": "some-model",
    "list": "dev.jsonl",
    "contexts": [
        context("offline", 10, 1.0, []),
        context("offline_like", 12, 2.0, [1.0]),
        context("frame_by_frame", 11, 40.0, [1.0]),
        context("low_latency", 30, 5.0, [0.1, 0.2, 0.3]),
    ],
}


def test_the_table_goes_between_the_marks_and_replaces_what_was_there(run, cells, tmp_path):
    report, page, plot = (tmp_path / name for name in ("a.json", "page.md", "plot.svg"))
    report.write_text(json.dumps(REPORT))
    page.write_text(
        "before\n\n<!-- measured -->\nold\n<!-- end of what was measured -->\n\nbehind\n"
    )
    for _ in range(2):
        done = run("accuracy.guide", report, "--page", page, "--plot", plot)
        assert (done.returncode, done.stderr) == (0, "")
    text = page.read_text()
    assert text.startswith("before\n\n<!-- measured -->\n![WER over latency](plot.svg)\n\n|")
    assert text.endswith("\n<!-- end of what was measured -->\n\nbehind\n")
    assert "old" not in text
    assert "`some-model`, list `dev.jsonl`; a machine" in text
    head, *rows = cells(text, "context") if "| context |" in text else []
    assert [row[0] for row in rows] == [
        "`low_latency`", "`offline_like`", "`frame_by_frame`", "offline",
    ]  # fmt: skip
    assert rows[0][1:4] == ["0.48 s", "0.20 s", "0.29 s"]
    assert rows[0][head.index("WER, books")] == "30.0 %"
    assert rows[0][head.index("WER, none")] == "–"
    assert rows[0][-2:] == ["50 ms", "20"]
    assert rows[3][1:6] == ["–"] * 5


def test_the_plot_is_a_picture_of_the_same_numbers():
    drawn = ElementTree.fromstring(guide.plot(guide.read(REPORT)))
    name = "{http://www.w3.org/2000/svg}"
    dots = drawn.findall(f"{name}circle")
    assert len(dots) == 2
    left, right = sorted(dots, key=lambda dot: float(dot.get("cx")))
    assert float(left.get("cy")) < float(right.get("cy"))
    texts = {text.text for text in drawn.findall(f"{name}text")}
    assert {"0.48 s", "4 s", "50 ms", "20 ms", "books", "latency"} <= texts


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="has no <!-- measured"):
        guide.put_into("a page", "a table")
