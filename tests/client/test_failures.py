import json

import pytest

from parakeet_streaming import errors
from parakeet_streaming.client.failures import of_close, of_refusal
from parakeet_streaming.client.messages import Failed
from parakeet_streaming.server import replies


@pytest.mark.parametrize(
    ("refused", "becomes"),
    [
        (replies.AccessError("key"), errors.AccessError),
        (replies.OriginError("page"), errors.AccessError),
        (errors.CapacityError("full"), errors.CapacityError),
        (replies.TooManyError("many"), errors.CapacityError),
        (replies.DrainingError("stops"), errors.ServerError),
        (errors.ContextError("bad"), errors.OptionError),
        (replies.WrongRequestError("bad"), errors.OptionError),
        (RuntimeError("secret"), errors.ServerError),
    ],
)
def test_a_refusal_is_the_error_that_it_is_here(refused, becomes):
    answer = replies.answer_to(refused)
    body = json.dumps(answer.as_openai()).encode()
    error = of_refusal(answer.status, body, answer.headers.get("Retry-After"), "/v1/stream")
    assert type(error) is becomes
    assert str(error) == answer.message
    retries = answer.retry_after_s is not None
    assert getattr(error, "retry_after_s", None) == (5.0 if retries else None)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":3}', b"\xff"])
def test_a_proxy_may_refuse_with_anything(body):
    assert type(of_refusal(502, body, "Fri, 31 Dec 1999", "/")) is errors.ServerError
    assert type(of_refusal(401, body, None, "/")) is errors.AccessError
    assert "parakeet serve" in str(of_refusal(404, body, None, "/x"))


def test_a_close_says_why():
    assert "stopped" in str(of_close(1012, "", None))
    assert "4321 (because)" in str(of_close(4321, "because", None))
    failed = Failed("invalid_audio", "noise", None)
    assert isinstance(of_close(1007, "", failed), errors.AudioInputError)
    assert isinstance(of_close(1007, "", Failed("new", "x", None)), errors.ServerError)
