"""The description of the API."""

import json

from parakeet_streaming.server.protocols.openai_rest import is_kept
from parakeet_streaming.server.protocols.openapi import openapi


def test_it_is_json_and_its_references_lead_somewhere():
    written = json.dumps(openapi())
    schemas = openapi()["components"]["schemas"]
    for part in written.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in schemas


def test_its_fields_are_those_that_are_read():
    fields = openapi()["components"]["schemas"]["TranscriptionForm"]["properties"]
    assert all(name == "file" or is_kept(name) for name in fields)
