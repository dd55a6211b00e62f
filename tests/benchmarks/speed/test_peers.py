import pytest

from benchmarks.models.runtimes import AbsentError
from benchmarks.speed import contenders, peers


def test_whole_recordings_and_streams(run, cells, random_folder):
    done = run(
        "speed.peers", random_folder, "--seconds", "3", "--runs", "1", "--steps", "1", "--threads",
        "1", "--context", "low_latency", "--runtime", "onnxruntime",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    head, *rows = cells(done.stdout, "whole recordings")
    assert head == ["whole recordings", "RTFx, 3 s", "/ onnx-asr", "tokens of the longest"]
    by_name = {row[0]: row for row in rows}
    assert by_name["onnx-asr"][2] == "1.00"
    assert float(by_name["ours, onnxruntime"][1]) > 0
    assert by_name["ours, onnxruntime"][3] == by_name["onnx-asr"][3]
    head, costs = cells(done.stdout, "a second of audio (share outside the encoder)")
    assert head[1:] == ["onnxruntime, window", "onnxruntime, cached"]
    assert costs[0] == "`low_latency`"
    assert all(" ms (" in cost for cost in costs[1:])


@pytest.mark.parametrize("peer", [contenders.onnx_asr, contenders.sherpa_onnx])
def test_peers_read_no_encoder_that_keeps_its_past(peer, tmp_path):
    with pytest.raises(AbsentError, match=r"without --streaming cached|not installed"):
        peer("tiny-en", 1, tmp_path)


def test_a_program_that_cannot_take_part_is_named(capsys):
    def absent():
        raise AbsentError("has other plans")

    assert peers._present({"someone": absent}) == []
    assert capsys.readouterr().out == "Not taking part: someone: has other plans.\n\n"
