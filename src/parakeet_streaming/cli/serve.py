"""`parakeet serve`: settings in; a server that runs until Ctrl-C out.

Its options are the table of `server/settings.py`, so the settings file and the environment have the
same names.
"""

from __future__ import annotations

import os
from dataclasses import fields
from importlib.util import find_spec
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, get_args, get_type_hints

import typer

from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.server.settings import Settings, about

_NEEDED: Final = (
    *("starlette", "uvicorn", "h11", "websockets", "python_multipart", "pydantic_settings"),
    *("prometheus_client", "wyoming"),
)


def serve(command: typer.Context, **given: Any) -> None:  # noqa: ANN401
    """Serve speech-to-text to programs, browsers and phones.

    Prints one line that begins with "ready" and has the addresses, once it accepts. Ctrl-C drains:
    nobody is let in, and those inside get their last words; a second Ctrl-C ends at once.

    Each option can be set in the environment (PARAKEET_MAX_STREAMS) and in the settings file
    (max_streams = 8), too. The command line counts first, then the environment, then the file.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"the server needs {', '.join(missing)}; pip install 'parakeet-streaming[server]'"
        )
    from parakeet_streaming.server import serving, settings_sources

    config = given.pop("config")
    model = given.pop("model_argument")
    if model is not None and given["model"] is not None:
        raise OptionError(f"{model} and --model {given['model']}: give one model")
    written = {name: value for name, value in given.items() if value not in (None, [], ())}
    if model is not None:
        written["model"] = model
    level = command.parent.params.get("log_level") if command.parent is not None else None
    if level is not None:
        written.setdefault("log_level", level)
    settings = settings_sources.read_settings(written, os.environ, config)
    if settings.replicas is None:
        if settings.most_replicas is not None:
            raise OptionError("--most-replicas needs --replicas, with which it begins")
        if settings.io_processes > 1:
            from parakeet_streaming.processes import supervising

            supervising.serve(settings)
            return
        serving.serve(settings)
        return
    if settings.io_processes > 1:
        raise OptionError("--io-processes is for one engine, --replicas for several; give one")
    from parakeet_streaming.cluster import one_machine

    one_machine.serve(settings)


def _signature() -> Signature:
    """What typer reads: an argument, the file, and an option for each setting."""
    model = Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            show_default=str(next(iter(fields(Settings))).default),
            help="Folder, built-in name or hub id.",
        ),
    ]
    config = Annotated[
        str | None,
        typer.Option("--config", metavar="FILE", help="Settings file, in TOML."),
    ]
    parameters = [
        Parameter("command", Parameter.KEYWORD_ONLY, annotation=typer.Context),
        Parameter("model_argument", Parameter.KEYWORD_ONLY, default=None, annotation=model),
        Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=config),
    ]
    types = get_type_hints(Settings)
    for each in fields(Settings):
        annotation = _option(each.name, types[each.name], each.default)
        parameters.append(
            Parameter(each.name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        )
    return Signature(parameters)


def _option(name: str, kind: Any, default: object) -> Any:  # noqa: ANN401
    known = about(name)
    flag = "--" + name.replace("_", "-")
    is_flag, is_list = kind is bool, kind == tuple[str, ...]
    declared = [flag]
    if name == "model":
        declared.append("-m")
    if is_flag:
        opposite = "--" + (name[3:] if name.startswith("no_") else f"no-{name}").replace("_", "-")
        declared = [f"{flag}/{opposite}"]
    shown = known.default_in_words or (
        ""
        if default in (None, (), False)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )
    option = typer.Option(
        *declared, rich_help_panel=known.panel, help=known.help, show_default=shown or False
    )
    plain = next((each for each in get_args(kind) if each is not type(None)), kind)
    return Annotated[list[str] | None if is_list else plain | None, option]


# typer reads the signature of a function, and has no other way to be told of options.
setattr(serve, "__signature__", _signature())  # noqa: B010
