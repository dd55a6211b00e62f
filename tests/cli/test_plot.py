"""A picture of where a session's time was lost."""

import json
import sys

import pytest
from typer.testing import CliRunner

from parakeet_streaming.cli.app import app
from parakeet_streaming.cli.plot import draw, layers
from parakeet_streaming.errors import ExtraMissingError, OptionError


def step(committed_s, lag_s=0.3, delays_s=(0.7,)):
    parts = {"queue": lag_s / 2, "encoder": lag_s / 3, "decoder": lag_s / 6}
    lookahead_end_s = committed_s + 0.4
    return {
        "committed_s": committed_s, "lookahead_end_s": lookahead_end_s,
        "context_s": 0.8, "lag_s": lag_s,
        "parts_s": parts, "delays_s": list(delays_s),
    }  # fmt: skip


REPORT = {
    "source": "microphone",
    "model": "tiny-en",
    "steps": [step(0.4), step(0.8, delays_s=()), step(4.0, lag_s=0.1)],
    "context_changes": [{"at_s": 0.8, "context": "5-0.8-0.4"}],
    "gaps": [{"start_s": 2.0, "end_s": 3.0}],
}


def test_layers_add_up_to_the_latency():
    found = layers(step(0.4))
    assert list(found) == ["context", "queue", "encoder", "decoder"]
    assert sum(found.values()) == pytest.approx(0.8 + 0.3)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_a_report_is_drawn_beside_it_or_where_one_says(tmp_path, suffix):
    pytest.importorskip("matplotlib", reason="the plot extra")
    path = tmp_path / "report.json"
    path.write_text(json.dumps(REPORT))
    result = CliRunner().invoke(app, ["plot", str(path), f"--output={tmp_path / 'x'}{suffix}"])
    assert result.exit_code == 0, result.output
    drawn = (tmp_path / f"x{suffix}").read_bytes()
    assert drawn.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    assert CliRunner().invoke(app, ["plot", str(path)]).exit_code == 0
    assert (tmp_path / "report.png").exists()


def test_what_cannot_be_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    with pytest.raises(OptionError, match="no steps"):
        draw({**REPORT, "steps": []}, tmp_path / "x.png")
    with pytest.raises(OptionError, match="cannot draw"):
        draw(REPORT, tmp_path / "x.tiffany")


@pytest.mark.parametrize(
    ("content", "says"), [("{", "no JSON"), ("[]", "no report"), ("{}", "no report")]
)
def test_what_is_no_report(tmp_path, content, says):
    path = tmp_path / "report.json"
    path.write_text(content)
    result = CliRunner().invoke(app, ["plot", str(path)])
    assert isinstance(result.exception, OptionError)
    assert says in str(result.exception)


def test_paths_that_are_not_there(tmp_path):
    result = CliRunner().invoke(app, ["plot", str(tmp_path / "no.json")])
    assert "cannot read" in str(result.exception)
    (tmp_path / "report.json").write_text(json.dumps(REPORT))
    asked = ["plot", str(tmp_path / "report.json"), f"--output={tmp_path / 'no' / 'x.png'}"]
    assert "make it first" in str(CliRunner().invoke(app, asked).exception)


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissingError, match=r"parakeet-streaming\[plot\]"):
        draw(REPORT, tmp_path / "x.png")


def test_the_report_itself_is_not_drawn_over(tmp_path):
    path = tmp_path / "report.png"
    path.write_text(json.dumps(REPORT))
    result = CliRunner().invoke(app, ["plot", str(path)])
    assert "is an input" in str(result.exception)
    assert json.loads(path.read_text()) == REPORT


@pytest.mark.parametrize(
    "change",
    [
        {"steps": [1]},
        {"steps": {"a": 1}},
        {"steps": [{}]},
        {"steps": [{**step(1), "context_s": "long"}]},
        {"steps": [{**step(1), "delays_s": 3}]},
        {"context_changes": None},
        {"gaps": [[]]},
    ],
)
def test_a_report_with_other_content_is_one_error(tmp_path, change):
    pytest.importorskip("matplotlib", reason="the plot extra")
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**REPORT, **change}))
    result = CliRunner().invoke(app, ["plot", str(path)])
    assert isinstance(result.exception, OptionError)


def test_a_report_nested_too_deeply(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("[" * 200_000)
    assert isinstance(CliRunner().invoke(app, ["plot", str(path)]).exception, OptionError)


def test_a_source_is_no_formula(tmp_path):
    pytest.importorskip("matplotlib", reason="the plot extra")
    draw({**REPORT, "source": "$x^{\x1b$"}, tmp_path / "x.svg")
    assert (tmp_path / "x.svg").exists()
