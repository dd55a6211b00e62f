"""The description of the REST API (OpenAPI 3.1), as plain values."""

from __future__ import annotations

from typing import Any, Final

from parakeet_streaming.server.protocols.openai_rest import FORMATS
from parakeet_streaming.server.protocols.writing_fields import SUBTITLE_FIELDS
from parakeet_streaming.subtitles.options import TRADE
from parakeet_streaming.writing.options import NUMBERS, PROFANITY

_JSON: Final = "application/json"
_STATUSES: Final = {
    400: "A field, the form or the file is wrong; `error.param` names the field.",
    401: "No key, or a wrong one.",
    404: "There is no such thing.",
    408: "Nothing of the file came for too long.",
    413: "The file is too large or too long.",
    429: "The key has too many uploads at once.",
    503: "There is no room at the moment, or the server is about to stop; `Retry-After` says when.",
}


def openapi() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "parakeet serve: REST",
            "version": "1",
            "description": "Speech to text, as OpenAI's API has it.",
        },
        "paths": {
            "/v1/audio/transcriptions": {"post": _transcriptions()},
            "/v1/audio/translations": {
                "post": _operation(
                    "translate", "Refused: nothing is translated.", {}, 401, 404, 503
                )
            },
            "/v1/models": {
                "get": _operation("models", "What is loaded.", _ok("ModelList"), 401, 503)
            },
            "/v1/models/{id}": {
                "get": {
                    **_operation("model", "A model by any name.", _ok("Model"), 401, 404, 503),
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string", "minLength": 1},
                        }
                    ],
                }
            },
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}, {}],
    }


def _operation(name: str, summary: str, answers: dict[str, Any], *statuses: int) -> dict[str, Any]:
    refusals = {
        str(status): {
            "description": _STATUSES[status],
            "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status in statuses
    }
    return {"operationId": name, "summary": summary, "responses": {**answers, **refusals}}


def _ok(schema: str) -> dict[str, Any]:
    content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"200": {"description": "The answer.", "content": content}}


def _transcriptions() -> dict[str, Any]:
    answers = _ok("Transcription")
    content = answers["200"]["content"]
    for kind in ("text/plain", "text/vtt", "text/event-stream"):
        content[kind] = {"schema": {"type": "string"}}
    form = {"schema": {"$ref": "#/components/schemas/TranscriptionForm"}}
    return {
        **_operation("transcribe", "A file to text.", answers, 400, 401, 408, 413, 429, 503),
        "requestBody": {"required": True, "content": {"multipart/form-data": form}},
    }


def _schemas() -> dict[str, Any]:
    text, number, whole = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    return {
        "Error": _object(
            {
                "error": _object(
                    {
                        "message": text,
                        "type": text,
                        "param": {"type": ["string", "null"]},
                        "code": text,
                    }
                )
            }
        ),
        "Model": _object({"id": text, "object": {"const": "model"}, "created": whole}),
        "ModelList": _object(
            {
                "object": {"const": "list"},
                "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
            }
        ),
        "Transcription": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": text,
                "language": text,
                "duration": number,
                "segments": {"type": "array", "items": {"type": "object"}},
                "words": {"type": "array", "items": {"type": "object"}},
                "logprobs": {"type": "array", "items": {"type": "object"}},
                "channels": {"type": "array", "items": {"type": "object"}},
                "warnings": {"type": "array", "items": text},
                "usage": {"type": "object"},
            },
        },
        "TranscriptionForm": _form(),
    }


def _form() -> dict[str, Any]:
    text = {"type": "string", "maxLength": 1000}
    fields: dict[str, Any] = {
        "file": {"type": "string", "format": "binary", "description": "Any audio file, or a film."},
        "model": {**text, "description": "Any name stands for what is loaded."},
        "language": {"type": "string", "pattern": "^[a-z]{2}$"},
        "prompt": text,
        "response_format": {"enum": list(FORMATS[:-1]), "default": "json"},
        "temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "stream": {"type": "boolean", "default": False},
        "timestamp_granularities[]": {"type": "array", "items": {"enum": ["word", "segment"]}},
        "include[]": {"type": "array", "items": {"enum": ["logprobs"]}},
        "chunking_strategy": {"const": "auto"},
        "channels": {
            "enum": ["mixed", "separate"],
            "default": "mixed",
            "description": "Whether each channel is recognised alone. Ours.",
        },
        "channel_names": {
            **text,
            "description": "What separate channels are called, divided by commas. Ours.",
        },
        "numbers": {"enum": list(NUMBERS), "default": "model", "description": "Digits. Ours."},
        "profanity": {"enum": list(PROFANITY), "default": "keep", "description": "Masks. Ours."},
        "replace": {
            "type": "string",
            "description": "Lines SPOKEN => WRITTEN. Ours.",
            "enum": ["kubernetes => Kubernetes"],
        },
        **{name: _subtitle_field(name) for name in SUBTITLE_FIELDS},
        "context": {
            "type": "string",
            "description": "Left-chunk-right in seconds, or a preset. Ours.",
            "enum": ["offline_like", "high_quality", "balanced", "10-2-2"],
        },
    }
    return {"type": "object", "required": ["file"], "properties": fields}


def _subtitle_field(name: str) -> dict[str, Any]:
    """Of srt and vtt; the numbers are the trade's where it is not sent."""
    value = getattr(TRADE, SUBTITLE_FIELDS[name])
    kind = "boolean" if isinstance(value, bool) else "number"
    whole = {"type": "integer"} if isinstance(value, int) and kind == "number" else {"type": kind}
    return {**whole, "enum": [value], "description": "Subtitles. Ours."}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}
