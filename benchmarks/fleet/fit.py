"""Measurements of one replica in; the model of a replica that fits them, and how well it does, out.

python -m benchmarks.fleet.fit REPORT.json

Prints the cost of a step, and the lateness that the model gives beside what was measured, for each
number of streams. REPORT is of `fleet.measure`, `live.capacity --json` or `live.overload --json`.

Rules of this file:

1. Fixed time and time per stream are those of least squares over all steps that were measured,
   in parts of their length; neither is below 0.
2. Of the random factor's spread, the one is taken that gives the measured percentiles best,
   together with the constant that is then missing. Percentiles count in parts of their own length.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet.engine_model import EngineModel, lateness, slots
from benchmarks.fleet.reports import Measured, read
from benchmarks.report.tables import table

QUANTILES: Final = (0.5, 0.95, 0.99)
_SPREADS: Final = tuple(each / 20 for each in range(21))
_PLAYED_S: Final = 240.0


@dataclass(frozen=True)
class Fitted:
    """A model, and what it says of each trial."""

    model: EngineModel
    predicted: tuple[tuple[float, float, float], ...]
    """Lateness of each trial: median, 95 %, 99 %."""
    error: float
    """Root of the mean square of relative errors of these."""


def fit(measured: Measured, listening_share: float = 0.0, seed: int = 0) -> Fitted:
    """The model of a replica.

    Args:
        measured: at least one trial, and steps of two sizes in all.
        listening_share: part of the time that voice activity takes for one stream.
        seed: of the played streams.

    Raises:
        ValueError: too little was measured.
    """
    fixed_s, per_stream_s = step_cost(measured)
    plain = EngineModel(measured.name, measured.chunk_s, fixed_s, per_stream_s)
    wanted = np.array([trial.late_s for trial in measured.trials])
    best: Fitted | None = None
    for spread in _SPREADS:
        spreading = replace(plain, spread=spread)
        found = _predicted(spreading, measured, seed)
        overhead_s = _missing(found, wanted)
        error = float(np.sqrt(np.square((found + overhead_s) / wanted - 1).mean()))
        if best is None or error < best.error:
            model = replace(spreading, overhead_s=overhead_s, listening_share=listening_share)
            rows = tuple((p50, p95, p99) for p50, p95, p99 in (found + overhead_s).tolist())
            best = Fitted(model, rows, error)
    assert best is not None
    return best


def step_cost(measured: Measured) -> tuple[float, float]:
    """Seconds of a step: fixed, and for each stream.

    Raises:
        ValueError: no trial, or steps of one size only.
    """
    pairs = [*measured.steps, *((each.streams_a_step, each.step_s) for each in measured.trials)]
    sizes = np.array([streams for streams, _ in pairs])
    took_s = np.array([seconds for _, seconds in pairs])
    if not measured.trials or np.ptp(sizes) <= 0:
        raise ValueError("a fit needs a trial, and steps of two sizes: measure more streams")
    rows = np.column_stack([np.ones_like(sizes), sizes]) / took_s[:, None]
    (fixed_s, per_s), *_ = np.linalg.lstsq(rows, np.ones_like(took_s))
    if fixed_s < 0:
        fixed_s, per_s = 0.0, _least(rows[:, 1])
    elif per_s < 0:
        fixed_s, per_s = _least(rows[:, 0]), 0.0
    return float(fixed_s), float(per_s)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the fit of a report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path)
    measured = read(parser.parse_args(arguments).report)
    fitted = fit(measured)
    model = fitted.model
    step = f"{1000 * model.fixed_s:.1f} ms and {1000 * model.per_stream_s:.1f} ms for each stream"
    added = f"spread {model.spread:.2f}; {1000 * model.overhead_s:.0f} ms come on top"
    print(
        f"{model.name}: a step takes {step}, {added}. {slots(model)} streams are carried if all "
        f"speak. Lateness is off by {fitted.error:.0%} (root mean square).\n"
    )
    print(lateness_table(measured, fitted))


def lateness_table(measured: Measured, fitted: Fitted) -> str:
    """One row for each trial: measured / fitted."""
    rows = []
    for trial, predicted in zip(measured.trials, fitted.predicted, strict=True):
        pairs = [
            f"{1000 * seen:.0f} / {1000 * said:.0f} ms"
            for seen, said in zip(trial.late_s, predicted, strict=True)
        ]
        rows.append((trial.streams, f"{trial.streams_a_step:.1f}", *pairs))
    head = ("streams", "streams a step", "late, measured / fitted: median", "95 %", "99 %")
    return table(head, rows)


def _predicted(model: EngineModel, measured: Measured, seed: int) -> NDArray[np.float64]:
    """(trials, 3)."""
    return np.array(
        [
            np.quantile(
                lateness(model, [1.0] * each.streams, _PLAYED_S, seed, even=True), QUANTILES
            )
            for each in measured.trials
        ]
    )


def _missing(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """The constant, at least 0, that brings what was found nearest to what was wanted."""
    weights = 1 / np.square(wanted)
    return max(0.0, float(((wanted - found) * weights).sum() / weights.sum()))


def _least(column: NDArray[np.float64]) -> float:
    return float(column.sum() / np.square(column).sum())


if __name__ == "__main__":
    main()
