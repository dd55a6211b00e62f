"""Every error has one answer on every protocol."""

import pytest

from parakeet_streaming import errors
from parakeet_streaming.server import replies


@pytest.mark.parametrize(
    ("error", "status", "close_code", "code"),
    [
        (replies.AccessError("no"), 401, 3000, "invalid_api_key"),
        (replies.WrongRequestError("no", "model"), 400, 1008, "invalid_value"),
        (errors.CapacityError("full"), 503, 1013, "no_capacity"),
        (errors.ContextError("no"), 400, 1008, "invalid_value"),
        (errors.AudioFormatError("no"), 400, 1007, "invalid_audio"),
        (errors.SnapshotError("no"), 400, 1007, "invalid_snapshot"),
        (replies.DrainingError("no"), 503, 1012, "draining"),
        (replies.TooLargeError("no"), 413, 1009, "too_large"),
    ],
)
def test_an_error_is_answered_by_its_kind(error, status, close_code, code):
    answer = replies.answer_to(error)
    assert (answer.status, answer.close_code, answer.code) == (status, close_code, code)
    assert answer.message == str(error)
    assert code in replies.CODES


@pytest.mark.parametrize(
    "error",
    [KeyError("/home/ann"), errors.ComputeError("/srv/model"), MemoryError(), OSError(5, "no")],
)
def test_what_a_client_can_do_nothing_about_is_not_told(error):
    answer = replies.answer_to(error)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "/" not in answer.message


def test_every_leaf_of_the_tree_that_a_client_can_meet_has_a_row():
    met = (errors.InputError, errors.UsageError, errors.UnavailableError)
    for base in met:
        for leaf in base.__subclasses__():
            assert replies.answer_to(leaf("x")).status != 500, leaf


def test_headers_and_body():
    assert replies.answer_to(replies.AccessError("x")).headers == {"WWW-Authenticate": "Bearer"}
    assert replies.answer_to(errors.CapacityError("x")).headers == {"Retry-After": "5"}
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert replies.answer_to(replies.UpgradeNeededError("x")).headers == upgrade
    assert replies.answer_to(replies.WrongRequestError("no", "model")).as_openai() == {
        "error": {
            "message": "no",
            "type": "invalid_request_error",
            "param": "model",
            "code": "invalid_value",
        }
    }
