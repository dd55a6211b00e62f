"""Nothing phones home: processes of their own, whose look-ups and home folder are watched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.graphs import GOLDEN

WATCHER = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void told(const char *what) {
    int file = open(getenv("WATCHED"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (write(file, what, strlen(what)) < 0 || write(file, "\n", 1) < 0) abort();
    close(file);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    told(node ? node : "(no name)");
    return EAI_FAIL;
}

int connect(int file, const struct sockaddr *address, socklen_t size) {
    if (address->sa_family == AF_INET || address->sa_family == AF_INET6) told("(connect)");
    return -1;
}
"""


@pytest.fixture(scope="module")
def watcher(tmp_path_factory):
    """A library that writes down each look-up and connection, and lets none through."""
    compiler = shutil.which("cc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler; Debian: apt install gcc libc6-dev")
    folder = tmp_path_factory.mktemp("watcher")
    (folder / "watcher.c").write_text(WATCHER)
    library = folder / "watcher.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, folder / "watcher.c"], check=True, timeout=60
    )
    return library


@pytest.fixture
def run(watcher, tmp_path):
    """Runs a program; gives the look-ups and the files that it left in the user's home."""

    def run_program(program: str, **extra: str) -> tuple[list[str], list[str]]:
        home, watched = tmp_path / "home", tmp_path / "watched"
        home.mkdir()
        watched.touch()
        foreign = ("XDG_", "HF_", "ORT_", "CI", "DISABLE_TELEMETRY", "DO_NOT_TRACK")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        environment = kept | {
            "HOME": str(home),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "LD_PRELOAD": str(watcher),
            "WATCHED": str(watched),
        }
        # A second at the end: what is sent is sent by threads that start late.
        program = f"{program}\nimport time; time.sleep(1)"
        subprocess.run(
            [sys.executable, "-c", program], env=environment | extra, check=True, timeout=300
        )
        files = (path.relative_to(home) for path in home.rglob("*") if path.is_file())
        own = Path(".cache/parakeet-streaming")
        left = sorted(str(path) for path in files if not path.is_relative_to(own))
        return watched.read_text().split(), left

    return run_program


def test_the_watcher_sees_a_look_up_and_a_file(run):
    looked_up, left = run(
        "import pathlib, socket\n"
        "try: socket.getaddrinfo('somewhere.invalid', 80)\n"
        "except OSError: pass\n"
        "(pathlib.Path.home() / 'id').touch()"
    )
    assert (looked_up, left) == (["somewhere.invalid"], ["id"])


@pytest.mark.parametrize(
    "program",
    [
        f"from parakeet_streaming import load; load({str(GOLDEN)!r})",
        f"import numpy\nfrom parakeet_streaming import load\n"
        f"load({str(GOLDEN)!r}, runtime='onnxruntime').transcribe(numpy.zeros(16000, 'f'))",
        "from parakeet_streaming import load_vad; load_vad()",
        "from parakeet_streaming.runtime import openvino_runtime; openvino_runtime.version()",
        "from parakeet_streaming.cli.app import app\napp(['doctor'], standalone_mode=False)",
        "from parakeet_streaming.cli.app import app\n"
        f"app(['models', 'verify', {str(GOLDEN)!r}], standalone_mode=False)",
        "import parakeet_streaming.export",
    ],
    ids=["load", "transcribe", "voice activity", "OpenVINO?", "doctor", "verify", "export"],
)
def test_nothing_is_looked_up_and_nothing_is_left_at_home(run, program):
    assert run(program) == ([], [])


def test_openvino_tells_nobody(run):
    pytest.importorskip("openvino", reason="the openvino extra")
    program = (
        f"from parakeet_streaming import load; load({str(GOLDEN)!r}, runtime='openvino')\n"
        "import sys; assert 'openvino_telemetry' not in sys.modules"
    )
    assert run(program) == ([], [])


def test_a_folder_is_loaded_without_the_hub_s_client(run):
    program = (
        f"from parakeet_streaming import load; load({str(GOLDEN)!r})\n"
        "import sys; assert not {'huggingface_hub', 'hf_xet'} & set(sys.modules)"
    )
    assert run(program) == ([], [])


def test_a_user_s_own_choice_stands(run):
    program = "import parakeet_streaming, os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '0'"
    run(program, ORT_DISABLE_TELEMETRY="0")
