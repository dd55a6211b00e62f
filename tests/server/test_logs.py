import errno
import io
import json
import logging

import pytest

from parakeet_streaming.server.logs import SAID, announce, fields_of, written

LOG = logging.getLogger("parakeet_streaming.server.test")


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_a_line_of_json_for_each_record(capsys):
    with written("json", "info", log_text=False):
        LOG.info("it %s", "came", extra={"door": "native", "stream": "a1", "code": "", "ms": 0.0})
        LOG.debug("nothing")
    (line,) = lines(capsys)
    told = json.loads(line)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "info",
        "logger": LOG.name,
        "message": "it came",
        "door": "native",
        "stream": "a1",
        "ms": 0.0,
    }


def test_a_line_of_text(capsys):
    with written("text", "info", log_text=False):
        LOG.warning("it came", extra={"door": "native", "path": "/a\nb"})
    (line,) = lines(capsys)
    assert line.endswith("Z WARNING it came door=native path=/a\\nb")


def fail():
    raise ValueError("wrong")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_where_an_error_arose_is_in_it(capsys, log_format):
    with written(log_format, "info", log_text=False):
        try:
            fail()
        except ValueError:
            LOG.exception("it failed")
    said = "\n".join(lines(capsys))
    assert "it failed" in said
    assert "in fail" in said
    assert log_format == "text" or "in fail" in json.loads(said)["error"]


@pytest.mark.parametrize(("log_text", "count"), [(False, 0), (True, 1)])
def test_what_was_said_is_written_where_that_is_asked_for(capsys, log_text, count):
    with written("text", "debug", log_text=log_text):
        logging.getLogger(SAID).info("utterance", extra={"said": "three"})
    assert len(lines(capsys)) == count


def test_what_was_said_stays_unwritten_whatever_the_level_of_the_package():
    logging.getLogger("parakeet_streaming").setLevel("DEBUG")
    try:
        assert not logging.getLogger(SAID).isEnabledFor(logging.CRITICAL)
    finally:
        logging.getLogger("parakeet_streaming").setLevel("NOTSET")


def test_everything_is_as_before_after_it(capsys):
    package = logging.getLogger("parakeet_streaming")
    mine = logging.NullHandler()
    package.addHandler(mine)
    before = list(package.handlers)
    try:
        with written("text", "debug", log_text=True):
            assert mine not in package.handlers
        assert package.handlers == before
        assert package.level == logging.NOTSET
        assert not logging.getLogger(SAID).isEnabledFor(logging.CRITICAL)
    finally:
        package.removeHandler(mine)


def test_addresses_of_the_http_library_are_not_written(capsys):
    with written("text", "debug", log_text=False):
        logging.getLogger("uvicorn.error").info("GET /?key=secret")
    assert lines(capsys) == []


def test_fields():
    record = logging.makeLogRecord({"status": 200, "stream": None, "other": 1})
    assert fields_of(record) == {"status": 200}


@pytest.mark.parametrize(
    "said",
    [
        "ASGI callable returned without completing handshake.",
        "Invalid UTF-8 sequence received from client.",
    ],
)
def test_what_clients_do_wrong_is_no_error_of_the_http_library(capsys, said):
    with written("text", "info", log_text=False):
        logging.getLogger("uvicorn.error").error(said)
        logging.getLogger("uvicorn.error").error("another")
        LOG.error(said)
    kept = lines(capsys)
    assert [line.split(" ERROR ")[1] for line in kept] == ["another", said]


def test_lines_go_where_they_are_to_and_say_whose_they_are(capsys):
    stream = io.StringIO()
    with written("text", "info", log_text=False, stream=stream, replica="r1"):
        LOG.info("it came", extra={"door": "native"})
    assert lines(capsys) == []
    assert stream.getvalue().endswith("Z INFO it came replica=r1 door=native\n")


def test_a_line_that_finds_no_room_ends_nothing(monkeypatch, capsys):
    announce("ready http://127.0.0.1:1")
    assert capsys.readouterr().err == "ready http://127.0.0.1:1\n"

    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr("sys.stderr", Full())
    announce("ready http://127.0.0.1:1")
