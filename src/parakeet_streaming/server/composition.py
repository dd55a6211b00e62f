"""Settings in; the service, its routes and its listeners out: the one place where all meet.

To add a door, write its line into `DOORS`; to add a listener of another kind, one into `LISTENERS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.recognizer import Recognizer
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.load import load, load_vad
from parakeet_streaming.ports import VoiceActivity
from parakeet_streaming.runtime.gpu_choice import names_gpu
from parakeet_streaming.server import wyoming_listener
from parakeet_streaming.server.access import Access
from parakeet_streaming.server.api_keys import named_keys, read_key_file
from parakeet_streaming.server.checkpoint import CheckpointKeys
from parakeet_streaming.server.dialogue import log_error
from parakeet_streaming.server.doors import deepgram, health, native, page, realtime, rest, webrtc
from parakeet_streaming.server.doors.deepgram_files import DeepgramFiles
from parakeet_streaming.server.engine_port import Engine
from parakeet_streaming.server.http import HttpRoute, Reply, Request, SocketRoute, application
from parakeet_streaming.server.languages import languages_of
from parakeet_streaming.server.metrics import ServerMetrics
from parakeet_streaming.server.replies import UnknownPathError, answer_to
from parakeet_streaming.server.request_log import Application, logged
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.server.settings import NO_ENDPOINTING, Settings
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig
from parakeet_streaming.writing.options import WritingOptions
from parakeet_streaming.writing.replacements import read_replacements

_DEFAULT_CONTEXT: Final = "balanced"

Routes = Sequence[HttpRoute | SocketRoute]


class Listener(Protocol):
    """Something beside HTTP that listens, such as a protocol on a TCP port of its own."""

    async def start(self) -> str:
        """Begins to accept; gives its address, such as `tcp://127.0.0.1:10300`.

        Raises:
            OSError: it cannot listen there.
        """
        ...

    async def close(self) -> None:
        """Accepts nothing more, and ends what is left. Connections end by `service.drain`."""
        ...


DOORS: Final[list[Callable[[Service, Settings], Routes]]] = [
    lambda service, settings: health.routes(service, open_metrics=settings.open_metrics),
    lambda service, _: native.routes(service),
    lambda service, _: realtime.routes(service),
    lambda service, _: deepgram.routes(service),
    lambda service, _: DeepgramFiles(service).routes(),
    lambda service, settings: (
        # Any server of several may be asked to end a call, which only one of them has.
        webrtc.routes(service, settings.host, settings.stun_server, settings.ping_timeout_s)
        if service.replicas is None or service.replicas.takes_calls
        else ()
    ),
    lambda service, _: rest.RestDoor(service).routes(),
]
LISTENERS: Final[list[Callable[[Service, Settings], Listener | None]]] = [
    wyoming_listener.listener,
]
"""Each gives None where its settings do not ask for it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What takes long to load."""

    recognizer: Recognizer
    vad: VoiceActivity
    options: LiveOptions
    """Of streams whose client asks for nothing else."""


def read_keys(settings: Settings) -> dict[str, str]:
    """Keys by name; none where the server is open.

    Raises:
        OptionError: the file of keys cannot be read, or keys do not go together.
    """
    lines = list(settings.api_key)
    if settings.api_key_file is not None:
        lines += read_key_file(settings.api_key_file)
    return named_keys(lines)


def read_checkpoint_keys(settings: Settings) -> CheckpointKeys:
    """Keys that sign checkpoints.

    Raises:
        OptionError: the file of keys cannot be read, or a key is too short.
    """
    return CheckpointKeys(checkpoint_key_lines(settings))


def checkpoint_key_lines(settings: Settings) -> list[str]:
    """The keys themselves; none where the server is to draw one.

    Raises:
        OptionError: the file of keys cannot be read.
    """
    keys = list(settings.checkpoint_key)
    if settings.checkpoint_key_file is not None:
        keys += read_key_file(settings.checkpoint_key_file)
    return keys


def load_all(settings: Settings) -> Loaded:
    """Loads the model and voice activity.

    Raises:
        ParakeetError: as in `load`.
        ExtraMissingError: the extra that something needs which was asked for.
        OptionError: settings of a listener that do not go together; a file of keys or of
            replacements that cannot be read; or cached streams are asked for, and the model was not
            exported for them.
        ContextError: the model takes no windows as long as the context makes them.
    """
    wyoming_listener.check(settings)
    read_checkpoint_keys(settings)
    read_writing(settings)
    options = live_options(settings)
    recognizer = load(
        settings.model,
        precision=settings.precision,
        runtime=settings.runtime,
        provider=settings.provider,
        device=settings.device,
        threads=settings.threads,
        kv_cache=settings.kv_cache,
        revision=settings.revision,
    )
    recognizer.check_context(options.context)
    if options.cached:
        recognizer.check_cached()
    return Loaded(recognizer, load_vad(), options)


def read_writing(settings: Settings) -> WritingOptions:
    """How text is written whose client asks for nothing else.

    Raises:
        OptionError: the file of replacements cannot be read, or has a line that is none.
        ExtraMissingError: it has regular expressions, and RE2 is not installed.
    """
    path = settings.replace
    replacements = () if path is None else read_replacements(path)
    return WritingOptions(settings.numbers, replacements, settings.profanity)


def live_options(settings: Settings) -> LiveOptions:
    """Options of streams whose client asks for nothing else, at 16 kHz."""
    asked = settings.context or settings.preset or _DEFAULT_CONTEXT
    context = ContextConfig.parse(asked, SAMPLE_RATE_HZ)
    delay = DelayRange.fixed(context) if settings.fixed else DelayRange.growing(context)
    ends = settings.endpointing != NO_ENDPOINTING
    return LiveOptions(
        delay,
        endpoint=EndpointOptions.parse(settings.endpointing) if ends else None,
        cached=settings.cached,
    )


def make_engine(loaded: Loaded, settings: Settings) -> LiveEngine:
    """The engine; its worker begins to measure what steps take."""
    recognizer = loaded.recognizer
    return LiveEngine(
        recognizer,
        loaded.vad,
        most_streams=settings.max_streams,
        most_recordings=settings.max_uploads,
        limits=_limits_for(recognizer, settings),
        ready_for=[] if settings.no_graphs else [loaded.options],
    )


def _limits_for(recognizer: Recognizer, settings: Settings) -> BatchLimits | None:
    """Large steps on a GPU, but not of more streams than there can be."""
    if not names_gpu(recognizer.runs_on):
        return None
    limits = BatchLimits.for_device()
    most = settings.max_streams or limits.max_streams
    return BatchLimits.for_device(min(most, limits.max_streams))


def model_of(loaded: Loaded, settings: Settings) -> LoadedModel:
    """What clients are told of the model."""
    called = _called(settings.model)
    return LoadedModel(
        called,
        int(time.time()),
        settings.language or languages_of(called),
        fingerprint=loaded.recognizer.snapshots.transducer.fingerprint,
        strict=settings.strict_model,
    )


def make_service(
    engine: Engine, model: LoadedModel, settings: Settings, keys: dict[str, str]
) -> Service:
    """What all doors get."""
    return Service(
        engine,
        model,
        live_options(settings),
        Access(keys, settings.allow_origin),
        settings.limits,
        ServerMetrics(keys),
        checkpoints=read_checkpoint_keys(settings),
        writing=read_writing(settings),
    )


def make_application(service: Service, settings: Settings) -> Application:
    """All doors that speak HTTP."""

    def failed(error: Exception) -> Reply:
        answer = answer_to(error)
        service.refused(error)
        log_error(error, "")
        return Reply.of_json(answer.as_openai(), answer.status, **answer.headers)

    async def not_found(request: Request) -> Reply:
        return failed(UnknownPathError(f"nothing is at {request.path}"))

    routes = [route for door in DOORS for route in door(service, settings)]
    # The page shows what the other doors can do.
    paths = {route.path for route in routes}
    routes += page.routes(service, paths if webrtc.is_there() else paths - {webrtc.PATH})
    return logged(application(routes, not_found, failed))


def make_listeners(service: Service, settings: Settings) -> list[Listener]:
    """All doors that do not speak HTTP."""
    made = [listener(service, settings) for listener in LISTENERS]
    return [each for each in made if each is not None]


def _called(model: str) -> str:
    """What clients call the model: of a folder its last name, as the rest is nobody's business."""
    path = Path(model)
    return path.resolve().name if path.is_dir() else model
