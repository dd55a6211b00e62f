import json

CONTEXTS = ("--context", "offline", "--context", "balanced")


def test_tables_and_numbers(run, speech, cells, tmp_path):
    numbers = tmp_path / "numbers.json"
    done = run(
        "accuracy.contexts",
        speech,
        "--list",
        "list.jsonl",
        "--limit",
        "7",
        *CONTEXTS,
        "--json",
        numbers,
    )
    assert done.returncode == 0, done.stderr
    assert "10 recordings of" in done.stdout
    assert "1 digit strings" in done.stdout
    assert "balanced: 11 of 11" in done.stderr

    head, offline, balanced = cells(done.stdout, "WER")
    assert head == ["WER", "phone", "book", "fsdd", "digit strings", "all recordings"]
    assert offline[:2] == ["offline", "0.0 %"]
    assert balanced[:2] == ["`balanced`", "0.0 %"]

    head, offline, balanced = cells(done.stdout, "delay of words")
    assert offline[1:7] == ["–", "0", "–", "–", "–", "–"]
    assert balanced[1] == "0.96 s"
    shown_s, committed_s = (float(balanced[at].removesuffix(" s")) for at in (3, 5))
    assert shown_s <= committed_s <= 3.0

    written = json.loads(numbers.read_text())
    assert written["machine"]["parakeet_streaming"]
    offline, balanced = written["contexts"]
    assert offline["errors"]["phone"] == {"errors": 0, "words": 8}
    recorded = [offline["errors"][name]["words"] for name in ("phone", "book", "fsdd")]
    assert recorded == [8, 4, 7]
    assert offline["errors"]["all recordings"]["words"] == sum(recorded)
    assert len(balanced["delays"]["committed_s"]) == int(cells(done.stdout, "delay of words")[2][2])


def test_stall_guard_against_none(run, speech, cells, tmp_path, golden_folder):
    numbers = tmp_path / "numbers.json"
    done = run(
        "accuracy.contexts", speech, "--list", "list.jsonl", *CONTEXTS, "--stall-guard",
        "--model", golden_folder / "tdt-tiny-onnx", "--min-speech-s", "0.1", "30",
        "--min-confidence", "0", "--json", numbers,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, *rows = cells(done.stdout, "context, min_speech_s, min_confidence")
    assert head[1:] == ["phone", "book", "fsdd", "digit strings"]
    assert [row[0] for row in rows] == [
        "offline, 0.1 s, 0",
        "offline, 30 s, 0",
        "balanced, 0.1 s, 0",
        "balanced, 30 s, 0",
    ]
    assert "tokens" in rows[0][3]
    assert "tokens" not in "".join(rows[1])
    assert "The guard made" in done.stdout

    trials = json.loads(numbers.read_text())["stall_guard"]
    eager, lazy = trials[0]["effects"], trials[1]["effects"]
    assert sum(effect["recovered_tokens"] for effect in eager.values()) > 0
    assert sum(effect["recovered_tokens"] for effect in lazy.values()) == 0
    assert all(effect["on"] == effect["off"] for effect in lazy.values())


def test_an_impossible_context_is_refused(run, speech):
    done = run("accuracy.contexts", speech, "--context", "soon")
    assert done.returncode == 2
    assert "soon" in done.stderr
