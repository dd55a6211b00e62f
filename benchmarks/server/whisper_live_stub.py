"""WhisperLive's own server with a model that never recognises anything; for `peer.py`.

VENV/bin/python whisper_live_stub.py --port 9090

Runs in a virtual environment of its own, which has whisper-live and what it imports:

python -m venv VENV
VENV/bin/pip install --no-deps whisper-live faster-whisper
VENV/bin/pip install numpy websockets websocket-client av ctranslate2 tokenizers huggingface_hub \
    onnxruntime tqdm fastapi python-multipart uvicorn scipy prometheus_client

torch is imported by the server, and used only to look for a GPU and for its voice activity, which
is off here: a module of that name stands in for it, unless it is installed. Everything else is the
peer's own: its sockets, threads, queues and the buffer of samples.
"""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace


class NeverHears:
    """Stands in for faster-whisper's model; gives nothing, which the server waits after."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def transcribe(self, *_: object, **__: object) -> tuple[None, None]:
        return None, None


def main() -> None:
    """Serves until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    if find_spec("torch") is None:
        torch = ModuleType("torch")
        vars(torch)["cuda"] = SimpleNamespace(is_available=lambda: False)
        sys.modules["torch"] = torch
    # Only its own virtual environment has them.
    server = import_module("whisper_live.server")
    backend = import_module("whisper_live.backend.faster_whisper_backend")
    vars(backend)["WhisperModel"] = NeverHears
    server.TranscriptionServer().run(
        "127.0.0.1", asked.port, backend="faster_whisper", max_clients=10_000
    )


if __name__ == "__main__":
    main()
