"""The image's health check, as a program beside a server of each kind."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.deploy.deployed import DEPLOY


def checked(**environment):
    own = {name: text for name, text in os.environ.items() if not name.startswith("PARAKEET_")}
    return subprocess.run(
        [sys.executable, str(DEPLOY / "healthcheck.py")],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def answering():
    """A server on a free port; it answers what `status` says."""

    class Answers(BaseHTTPRequestHandler):
        status, asked = 200, []

        def do_GET(self):
            self.asked.append(self.path)
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Answers, str(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_is_well(answering):
    answers, port = answering
    answers.asked.clear()
    assert checked(PARAKEET_PORT=port).returncode == 0
    assert answers.asked == ["/healthz"]


def test_a_proxy_of_the_environment_is_not_asked(answering):
    _, port = answering
    assert checked(PARAKEET_PORT=port, http_proxy="http://127.0.0.1:9").returncode == 0


def test_a_server_whose_engine_has_broken(answering):
    answers, port = answering
    answers.status = 503
    done = checked(PARAKEET_PORT=port)
    assert done.returncode == 1
    assert "503" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_there():
    done = checked(PARAKEET_PORT="9")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
