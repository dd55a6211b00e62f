"""`parakeet plot`: a report of a live session in; a picture of where its time went out.

This is the only file that imports matplotlib.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from parakeet_streaming.cli.messages import answer
from parakeet_streaming.cli.output_paths import check_overwriting
from parakeet_streaming.cli.report import PARTS
from parakeet_streaming.cli.written_files import check_folder_of
from parakeet_streaming.errors import ExtraMissingError, OptionError
from parakeet_streaming.plain_text import visible

_COLOURS: Final = {
    "context": "#d9e2ec",
    "queue": "#e07a5f",
    "encoder": "#3d5a80",
    "decoder": "#98c1d9",
}
_LABELS: Final = {
    "context": "context: chunk + right",
    "queue": "waiting for its turn",
}

# What reading the values of a report raises where they are not those that `--report` writes.
_OTHER_CONTENT: Final = (
    *(KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError),
)


def plot(
    report: Annotated[str, typer.Argument(help="A report that --report wrote.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", help="Picture: .png, .svg or .pdf; by default the report's name."
        ),
    ] = None,
) -> None:
    """Draw the latency of a live session over time, and what it consists of.

    Bars are steps: the oldest sound of each waited for its context, for its turn, for the encoder
    and the decoder. Dots are tokens: how long after its sound each appeared.
    """
    read = _read(report)
    path = Path(output) if output is not None else Path(report).with_suffix(".png")
    check_folder_of(path)
    check_overwriting([report], {"the picture": path})
    try:
        draw(read, path)
    except _OTHER_CONTENT as error:
        raise OptionError(f"{report} is no whole report; make one with --report") from error
    answer(str(path))


def draw(report: dict[str, Any], path: Path) -> None:
    """Draws a report into a picture whose suffix says its format.

    Raises:
        ExtraMissingError: matplotlib is not installed.
        OptionError: the report has no steps, or the picture cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExtraMissingError(
            "matplotlib is not installed; pip install 'parakeet-streaming[plot]'"
        ) from error
    steps = report["steps"]
    if not steps:
        raise OptionError("the report has no steps: nothing was decoded")
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.add_subplot()
    _draw_steps(axes, steps)
    _draw_tokens(axes, steps)
    _draw_marks(axes, report)
    axes.set_xlabel("seconds of audio")
    axes.set_ylabel("latency, s")
    title = visible(f"{report.get('source', '')} · {report.get('model', '')}")
    axes.set_title(title, loc="left", parse_math=False)
    axes.margins(x=0.01)
    axes.autoscale_view()
    axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
    figure.legend(loc="outside lower center", ncols=7, fontsize="small", frameon=False)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise OptionError(f"cannot draw {path}: {error}") from error


def layers(step: dict[str, Any]) -> dict[str, float]:
    """Seconds that each cause added to the latency of a step's oldest sound, as drawn."""
    return {"context": step["context_s"], **{name: step["parts_s"][name] for name in PARTS}}


def _read(path: str) -> dict[str, Any]:
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise OptionError(f"{path} is no JSON: {error}") from error
    if not isinstance(report, dict) or "steps" not in report:
        raise OptionError(f"{path} is no report; make one with --report")
    return report


def _draw_steps(axes: Any, steps: list[dict[str, Any]]) -> None:  # noqa: ANN401
    ends = [step["committed_s"] for step in steps]
    starts = [0.0, *ends[:-1]]
    # A chunk that was passed over as quiet is no step: bars are no wider than their own chunk.
    widths = [
        min(end - start, step["context_s"])
        for start, end, step in zip(starts, ends, steps, strict=True)
    ]
    lefts = [end - width for end, width in zip(ends, widths, strict=True)]
    bottoms = [0.0] * len(steps)
    for name, colour in _COLOURS.items():
        heights = [layers(step)[name] for step in steps]
        label = _LABELS.get(name, name)
        axes.bar(lefts, heights, widths, bottoms, align="edge", color=colour, label=label)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]


def _draw_tokens(axes: Any, steps: list[dict[str, Any]]) -> None:  # noqa: ANN401
    # A token's end is its step's last sample less what its delay has beyond the lag.
    dots = [
        (step["lookahead_end_s"] - (delay_s - step["lag_s"]), delay_s)
        for step in steps
        for delay_s in step["delays_s"]
    ]
    if dots:
        axes.scatter(*zip(*dots, strict=True), s=8, color="black", label="tokens", zorder=3)


def _draw_marks(axes: Any, report: dict[str, Any]) -> None:  # noqa: ANN401
    for change in report["context_changes"]:
        axes.axvline(change["at_s"], color="black", linestyle=":", linewidth=1)
        where = (change["at_s"], 0.99)
        axes.annotate(
            change["context"], where, xycoords=("data", "axes fraction"), rotation=90, va="top"
        )
    for gap in report["gaps"]:
        axes.axvspan(gap["start_s"], gap["end_s"], color="red", alpha=0.3)
