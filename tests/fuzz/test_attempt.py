import pytest

from fuzz import attempt as attempt_module
from fuzz.attempt import attempt
from parakeet_streaming.timeline import ContextConfig


def test_nothing_is_found_where_all_is_well():
    assert attempt(len, b"abc") is None


def test_an_exception_is_found_at_the_innermost_line_of_the_package():
    found = attempt(lambda data: ContextConfig.parse(data.decode()), b"a-b-c")
    assert found.place.startswith("ContextError parakeet_streaming/timeline.py:")
    assert found.place.endswith(" parse")
    assert "'a-b-c' is no context" in found.said
    assert found.data == b"a-b-c"


def test_equal_faults_have_one_name_that_is_a_file_name():
    found = {attempt(lambda data: ContextConfig.parse(data.decode()), each) for each in (b"", b"1")}
    (name,) = {each.file_name for each in found}
    assert not {"/", " "}.intersection(name)


def test_what_never_ends_is_stopped_where_it_began(monkeypatch):
    monkeypatch.setattr(attempt_module, "MOST_COMPUTING_S", 0.05)

    def turn():
        while True:
            pass

    def run(_):
        try:
            turn()
        except Exception:  # as a handler in the product would be
            return

    assert attempt(run, b"").place.startswith("TookTooLongError fuzz/test_attempt.py:")


def test_an_interruption_is_no_finding():
    def run(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(run, b"")
