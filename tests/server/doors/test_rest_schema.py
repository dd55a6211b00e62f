"""Schemathesis against the description that the server gives of itself."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parakeet_streaming.server.protocols.openapi import openapi
from tests.server.rest_serving import Serving, engine_of_the_built_in_model

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = [(path, method) for path, methods in openapi()["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def described():
    with engine_of_the_built_in_model() as engine, Serving(engine) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json"), server.url


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_described(described, path, method):
    schema, url = described

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method.upper()].as_strategy())
    def check(case):
        case.call_and_validate(base_url=url, checks=CHECKS)

    check()
