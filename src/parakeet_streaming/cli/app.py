"""Arguments in, an exit code out: 0 well, 1 failed, 2 wrong usage, 130 or 143 interrupted."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Annotated, Final

import typer

from parakeet_streaming import __version__
from parakeet_streaming.cli.doctor import doctor
from parakeet_streaming.cli.export import export
from parakeet_streaming.cli.interruption import CODE, QuitAtOnce
from parakeet_streaming.cli.library_messages import LOGGERS, kept_off_standard_error
from parakeet_streaming.cli.listen import listen
from parakeet_streaming.cli.messages import Commands, OneLineFormatter, complain
from parakeet_streaming.cli.models import models_app
from parakeet_streaming.cli.options import lowered
from parakeet_streaming.cli.plot import plot
from parakeet_streaming.cli.serve import serve
from parakeet_streaming.cli.standard_streams import give_up_output, prepare
from parakeet_streaming.cli.transcribe import transcribe
from parakeet_streaming.errors import OptionError, ParakeetError, UsageError

_LOG_LEVELS: Final = ("debug", "info", "warning", "error")

app = typer.Typer(
    name="parakeet",
    cls=Commands,
    help="Streaming speech-to-text with NVIDIA's Parakeet TDT models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"parakeet-streaming {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    command: typer.Context,
    log_level: Annotated[
        str | None,
        typer.Option(
            callback=lowered, help=f"Write the log from this level on: {', '.join(_LOG_LEVELS)}."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Streaming speech-to-text with NVIDIA's Parakeet TDT models."""
    if log_level is not None:
        _write_log(log_level, command)


def _write_log(level: str, command: typer.Context) -> None:
    """Writes the package's log and Python's warnings to standard error, for this command."""
    if level not in _LOG_LEVELS:
        raise OptionError(f"--log-level {level} does not exist; use {', '.join(_LOG_LEVELS)}")
    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        command.call_on_close(partial(logger.setLevel, logger.level))
        command.call_on_close(partial(logger.removeHandler, handler))
        logger.addHandler(handler)
        logger.setLevel(level.upper())


app.command()(listen)
app.command()(transcribe)
app.command()(serve)
app.command()(plot)
app.command()(export)
app.command()(doctor)
app.add_typer(models_app, name="models")


def main() -> None:
    """Runs the command line; errors of ours become one line on standard error."""
    prepare()
    quitting = QuitAtOnce()
    code: str | int | None
    try:
        with quitting, kept_off_standard_error():
            app()
    except SystemExit as end:
        code = quitting.code if end.code == CODE else end.code
    except UsageError as error:
        code = _told(error, 2)
    except ParakeetError as error:
        code = _told(error, 1)
    except KeyboardInterrupt:
        code = quitting.code
    except BrokenPipeError:
        code = 1
    sys.exit(_written_out(code))


def _told(error: ParakeetError, code: int) -> int:
    complain(error)
    return code


def _written_out(code: str | int | None) -> str | int | None:
    """The exit code, when the last text has reached standard output or has nowhere to go."""
    try:
        sys.stdout.flush()
    except OSError:  # the reader of a pipe has gone, or a terminal
        give_up_output()
        return code or 1
    except OptionError as error:
        give_up_output()
        return code or _told(error, 2)
    return code
