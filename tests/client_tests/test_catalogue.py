import ast
import io
import re
import wave

import pytest

from client_tests.__main__ import with_silence
from client_tests.catalogue import AUTOBAHN, RECORDINGS, ROOT, TRIALS, names
from client_tests.environment import PINS, clean_environment

FOLDER = ROOT / "client_tests"


def test_every_trial_has_its_driver_and_its_name():
    assert {f"{each.driver}.py" for each in TRIALS} <= {
        path.name for path in (FOLDER / "drivers").iterdir()
    }
    assert len(set(names())) == len(names()) == len(TRIALS) + 1
    assert RECORDINGS


@pytest.mark.parametrize("name", sorted({each.environment for each in TRIALS} | {AUTOBAHN}))
def test_every_environment_is_pinned(name):
    lines = (PINS / f"{name}.txt").read_text(encoding="utf-8").split()
    assert lines
    assert all(line.count("==") == 1 for line in lines)


def test_the_readme_has_every_trial_and_its_versions():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in names():
        assert f"`{name}`" in readme
    for path in PINS.glob("*.txt"):
        for line in path.read_text(encoding="utf-8").split():
            package, _, version = line.partition("==")
            assert f"{package.partition('[')[0]} {version}" in readme, line


def test_drivers_import_nothing_of_the_package():
    for path in (FOLDER / "drivers").glob("*.py"):
        assert "parakeet_streaming" not in path.read_text(encoding="utf-8")


def test_clients_are_pointed_nowhere_else(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert not {"OPENAI_BASE_URL", "PYTHONPATH"} & set(clean_environment())
    assert clean_environment(PYTHONPATH="here")["PYTHONPATH"] == "here"


def test_silence_follows_what_is_said():
    for path in RECORDINGS:
        with wave.open(str(path), "rb") as file:
            rate_hz, samples = file.getframerate(), file.readframes(file.getnframes())
        with wave.open(io.BytesIO(with_silence(path.read_bytes())), "rb") as file:
            assert file.readframes(file.getnframes()) == samples + bytes(3 * rate_hz)


def made(text, classes):
    """Calls of these classes, without address and key."""
    calls = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in classes:
            kept = [each for each in node.keywords if each.arg not in ("base_url", "api_key")]
            calls.add((ast.unparse(node.func), tuple(sorted(map(ast.unparse, kept)))))
    return calls


@pytest.mark.parametrize(
    ("driver", "classes"),
    [
        ("livekit", {"openai.STT", "deepgram.STT"}),
        ("pipecat", {"OpenAIRealtimeSTTService", "DeepgramSTTService"}),
    ],
)
def test_what_the_documentation_shows_is_what_is_run(driver, classes):
    document = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    shown = set().union(*(made(block, classes) for block in blocks))
    assert {name for name, _ in shown} == classes
    assert shown <= made((FOLDER / "drivers" / f"{driver}.py").read_text(encoding="utf-8"), classes)
