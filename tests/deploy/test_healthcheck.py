"""The image's health check, as a program beside a server of each kind."""

import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.deploy.deployed import DEPLOY
from tests.server.certificates import write_certificate


def checked(**environment):
    own = {name: text for name, text in os.environ.items() if not name.startswith("PARAKEET_")}
    return subprocess.run(
        [sys.executable, str(DEPLOY / "healthcheck.py")],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def answering():
    """A server on a free port; it answers what `status` says."""

    class Answers(BaseHTTPRequestHandler):
        status, asked, tls = 200, [], None

        def setup(self):
            if self.tls is not None:
                self.request = self.tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self):
            super().finish()
            if self.tls is not None:
                self.request.close()

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


def test_a_server_with_a_certificate_for_another_name(answering, tmp_path):
    answers, port = answering
    certificate, key = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    answers.tls = context
    done = checked(PARAKEET_PORT=port, PARAKEET_TLS_CERT=str(certificate))
    assert done.returncode == 0, done.stderr


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
