import json

CONTEXTS = ("--context", "offline", "--context", "2-0.25-0.25")


def test_two_models_by_corpus_context_and_mode(run, speech, cells, random_folder, tmp_path):
    numbers, cached = tmp_path / "numbers.json", random_folder / "cached"
    done = run(
        "accuracy.before_after", speech, "--list", "list.jsonl", "--limit", "7", *CONTEXTS,
        "--before", cached, "--after", cached, "--json", numbers,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, *rows = cells(done.stdout, "WER")
    assert head == ["WER", "words", "offline", "2-0.25-0.25", "2-0.25-0.25 cached"]
    assert [row[0] for row in rows] == ["phone", "book", "fsdd", "digit strings", "all recordings"]
    written = json.loads(numbers.read_text())
    assert written["before"] == written["after"]
    assert [each["column"]["cached"] for each in written["after"]] == [False, False, True]
    by_corpus = written["after"][1]["by_corpus"]
    assert by_corpus["all recordings"]["words"] == 8 + 4 + 7
    rate = 100 * by_corpus["phone"]["errors"] / 8
    assert rows[0][1:4:2] == ["8", f"{rate:.1f} → {rate:.1f} %"]


def test_the_rate_before_stands_first(run, speech, cells, random_folder):
    done = run(
        "accuracy.before_after", speech, "--list", "list.jsonl", "--limit", "1",
        "--before", "tiny-en", "--after", random_folder, "--context", "offline",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = [row for row in cells(done.stdout, "WER")[1:] if row[0] == "phone"]
    assert row[2].startswith("0.0 → ")
    assert row[2] != "0.0 → 0.0 %"
