"""The name of an environment in; its Python, with what `environments/NAME.txt` pins, out.

Environments are made when they are first asked for, and kept in `build/client_tests` until what is
pinned changes. `NAME.lock`, where there is one, pins what the pinned need.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from client_tests.catalogue import OUT, ROOT

PINS: Final = ROOT / "client_tests" / "environments"
_PYTHON_2: Final = ("autobahn",)
_VIRTUALENV: Final = "virtualenv==20.21.1"
"""The last that makes environments for Python 2."""
_FOREIGN: Final = ("PYTHON", "PARAKEET_", "OPENAI_", "DEEPGRAM_", "LIVEKIT_", "VIRTUAL_ENV")


class EnvironmentMissingError(Exception):
    """It cannot be made on this machine."""


def python_of(name: str) -> Path:
    """The interpreter of an environment; makes it, where it is not there.

    Raises:
        EnvironmentMissingError: it cannot be made.
    """
    folder = OUT / "environments" / name
    python = folder / "bin" / "python"
    kept, wanted = folder / "pins", _pins(name)
    if not (kept.is_file() and kept.read_text(encoding="utf-8") == wanted):
        sys.stderr.write(f"installing {name}: {', '.join(_lines(PINS / f'{name}.txt'))}\n")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name in _PYTHON_2:
            _make_for_python_2(name, folder)
        else:
            _make(name, folder)
        kept.write_text(wanted, encoding="utf-8")
    return python


def clean_environment(**own: str) -> dict[str, str]:
    """This process's environment, without what could point a client somewhere else."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**inherited, **own}


def _pins(name: str) -> str:
    text = "".join(path.read_text(encoding="utf-8") for path in _files(name))
    return f"{sys.version_info[:2]} {hashlib.sha256(text.encode()).hexdigest()}\n"


def _files(name: str) -> list[Path]:
    every = [PINS / f"{name}.txt", PINS / f"{name}.lock"]
    return [path for path in every if path.is_file()]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


def _wishes(name: str) -> list[str]:
    pinned, *lock = map(str, _files(name))
    return ["-r", pinned, *(word for path in lock for word in ("-c", path))]


def _make(name: str, folder: Path) -> None:
    # Debian's Python has no pip to give to a new environment; ours installs into it.
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    python = str(folder / "bin" / "python")
    pip = (sys.executable, "-m", "pip", "--python", python)
    _run(*pip, "install", "-qq", *_wishes(name))


def _make_for_python_2(name: str, folder: Path) -> None:
    python = os.environ.get("PYTHON2") or shutil.which("python2.7")
    if (
        python is None
        or subprocess.run([python, "-V"], capture_output=True, check=False).returncode
    ):
        raise EnvironmentMissingError("it needs Python 2.7; set PYTHON2 to one")
    maker = OUT / "virtualenv"
    if not maker.is_dir():
        _run(
            *(sys.executable, "-m", "pip", "install", "-qq"),
            *("--target", str(maker), _VIRTUALENV),
        )
    _run(
        *(sys.executable, "-m", "virtualenv", "--quiet", "--python", python, str(folder)),
        PYTHONPATH=str(maker),
    )
    _run(str(folder / "bin" / "pip"), "install", "-qq", *_wishes(name))


def _run(*command: str, **own: str) -> None:
    """Runs it; what it says goes to standard error, as standard output is for the table."""
    ended = subprocess.run(
        command, env=clean_environment(**own), stdout=sys.stderr, cwd=ROOT, check=False
    )
    if ended.returncode != 0:
        raise EnvironmentMissingError(f"{' '.join(command)}: exit code {ended.returncode}")
