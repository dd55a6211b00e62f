"""A `speeds.json` of the cache, that anybody may have changed: it decides, or is measured anew."""

import json
from collections.abc import Iterator
from unittest import mock

from fuzz.scratch import scratch_file
from parakeet_streaming.runtime import speeds
from parakeet_streaming.runtime.choice import fastest
from parakeet_streaming.runtime.speeds import FORMS, Speed

NAME = "speeds.json"
MEASURED = (Speed("onnxruntime", "fp32", 1e9), Speed("openvino", "fp32", 2e9))
ORIGIN = "a machine"


def run(data: bytes) -> None:
    path = scratch_file(NAME, data, "machine")
    with (
        mock.patch.object(speeds, "cache_folder", return_value=path.parent),
        mock.patch.object(speeds, "_measured", return_value=MEASURED),
        mock.patch.object(speeds, "_origin", return_value=ORIGIN),
    ):
        measured = speeds.speeds()
        for form in FORMS:
            assert fastest(form, measured).runtime in ("onnxruntime", "openvino")


def seeds() -> Iterator[bytes]:
    for first, second in ((1e9, 2e9), ("a text", 1e9), (None, 1e9), (1e9, -1), (1, True)):
        told = [
            {"runtime": runtime, "form": form, "operations": operations}
            for runtime, operations in (("onnxruntime", first), ("openvino", second))
            for form in FORMS
        ]
        yield json.dumps({"origin": ORIGIN, "speeds": told}).encode()
    yield json.dumps({"origin": ORIGIN, "speeds": []}).encode()
    yield b'{"origin": "a machine", "speeds": [{"runtime": [], "form": {}, "operations": 1}]}'
