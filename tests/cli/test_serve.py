import subprocess
import sys

import pytest
from typer.testing import CliRunner

from parakeet_streaming.cli import serve as serve_module
from parakeet_streaming.cli.app import app
from parakeet_streaming.cluster import one_machine
from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.server import serving
from parakeet_streaming.server.settings import Settings


@pytest.fixture
def served(monkeypatch):
    """The settings that a command line gives."""
    for name in ("PARAKEET_PORT", "PARAKEET_THREADS", "PARAKEET_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    seen = []
    monkeypatch.setattr(serving, "serve", seen.append)

    def run(*arguments, before=()):
        result = CliRunner().invoke(app, [*before, "serve", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return seen.pop()

    return run


def test_no_option_is_the_defaults(served):
    assert served() == Settings()


def test_options_of_every_kind(served):
    given = served(
        *("some/folder", "--port=0", "--idle-s=2.5", "--strict-model", "--max-streams", "3"),
        *("--api-key=a:1", "--api-key=b:2", "--threads=2", "--no-log-text"),
    )
    assert given == Settings(
        model="some/folder",
        port=0,
        idle_s=2.5,
        strict_model=True,
        max_streams=3,
        api_key=("a:1", "b:2"),
        threads=2,
    )


def test_the_command_line_takes_back_what_the_environment_says(served, monkeypatch):
    monkeypatch.setenv("PARAKEET_OPEN_METRICS", "1")
    monkeypatch.setenv("PARAKEET_NO_AUTH", "1")
    assert served().no_auth
    assert not served("--auth", "--no-open-metrics").no_auth
    assert not served("--auth", "--no-open-metrics").open_metrics


def test_a_file(served, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('model = "parakeet-tdt-0.6b-v3"\nport = 1')
    given = served("--config", str(path), "--port=2")
    assert (given.model, given.port) == ("parakeet-tdt-0.6b-v3", 2)


def test_the_model_is_an_argument_or_an_option(served):
    assert served("a").model == served("-m", "a").model == served("--model=a").model == "a"
    with pytest.raises(OptionError, match="give one model"):
        served("a", "--model=b")


def test_the_level_of_the_log_may_stand_before_the_command(served):
    assert served(before=["--log-level=debug"]).log_level == "debug"
    assert served("--log-level=error", before=["--log-level=debug"]).log_level == "error"


def test_what_is_missing_is_named(served, monkeypatch):
    real = serve_module.find_spec
    monkeypatch.setattr(
        serve_module, "find_spec", lambda name: None if name == "uvicorn" else real(name)
    )
    said = r"needs uvicorn; pip install 'parakeet-streaming\[server\]'"
    with pytest.raises(ExtraMissingError, match=said):
        served()


def test_help_has_a_panel_for_each_kind_of_setting():
    result = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    for panel in ("Model", "Delay and quality", "Addresses", "Who may use it", "Limits", "Log"):
        assert f"─ {panel}" in result.output
    assert "[default: (8000)]" in result.output


def test_other_commands_do_not_import_the_server():
    program = (
        "import sys; from parakeet_streaming.cli import app; "
        "print([name for name in ('pydantic', 'starlette', 'uvicorn', 'websockets') "
        "if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    assert result.stdout.strip() == "[]"


def test_several_replicas_are_served_elsewhere(served, monkeypatch):
    seen = []
    monkeypatch.setattr(one_machine, "serve", seen.append)
    result = CliRunner().invoke(app, ["serve", "--replicas", "2", "--most-replicas=4"])
    assert result.exit_code == 0
    assert seen == [Settings(replicas=2, most_replicas=4)]


def test_more_replicas_than_one_begin_with_a_number(served):
    with pytest.raises(OptionError, match="--most-replicas needs --replicas"):
        served("--most-replicas", "4")
