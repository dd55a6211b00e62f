"""The tables of docs/protocol.md say of refusals and closes what the server says, and all of it."""

import re
from pathlib import Path

import pytest

from parakeet_streaming.server.replies import CODES

PAGE = (Path(__file__).parents[1] / "docs" / "protocol.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d{3,4}) \| ([^|]+) \|", re.MULTILINE)
ROWS = [
    (int(number), code)
    for number, codes in ROW.findall(PAGE)
    for code in re.findall(r"`(\w+)`", codes)
]
ELSEWHERE = {
    "checkpoint_refused": "an error of `resume` that ends nothing",
    "input_audio_buffer_commit_empty": "OpenAI's Realtime protocol",
    "invalid_snapshot": "snapshots come inside checkpoints, which are refused by their own code",
    "not_installed": "calls of WebRTC",
    "slow_reader": "a client that does not read is told by the reason of the close alone",
}


def told(code):
    return {number for number, named in ROWS if named == code}


@pytest.mark.parametrize(("number", "code"), ROWS, ids=[f"{n}-{c}" for n, c in ROWS])
def test_a_row_is_what_the_server_says(number, code):
    assert number in {each for pair in CODES[code] for each in pair}


def test_no_code_is_left_out():
    assert set(CODES) - {code for _, code in ROWS} == set(ELSEWHERE)


@pytest.mark.parametrize("code", sorted({code for number, code in ROWS if number >= 1000}))
def test_every_close_of_a_code_is_told(code):
    assert {number for number in told(code) if number >= 1000} == {
        close for _, close in CODES[code]
    }


@pytest.mark.parametrize("code", sorted({code for number, code in ROWS if number < 1000}))
def test_every_status_of_a_code_is_told(code):
    assert {number for number in told(code) if number < 1000} == {
        status for status, _ in CODES[code]
    }
