"""Prometheus texts of several processes in; one text, whose series say whose they are, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SUFFIXES: Final = ("_total", "_bucket", "_sum", "_count", "_created")


def joined(texts: Mapping[str, str], label: str) -> str:
    """One text in which the series of each have `label` with its name.

    Prometheus wants what belongs to one metric in one place, so the texts are not put one after
    another. Help and type are those of the first that has the metric.

    Args:
        texts: by the name of their process; names are letters, digits and signs of an address.
        label: one that no series has.
    """
    heads: dict[str, list[str]] = {}
    series: dict[str, list[str]] = {}
    for name, text in texts.items():
        mark, known, metric = f'{label}="{name}"', set(heads), ""
        for line in text.splitlines():
            if line.startswith("# "):
                metric = line.split(" ", 3)[2]
                if metric not in known:
                    heads.setdefault(metric, []).append(line)
                series.setdefault(metric, [])
            elif line:
                series.setdefault(_owner(line, metric), []).append(_marked(line, mark))
    lines = [line for metric, told in series.items() for line in (*heads.get(metric, ()), *told)]
    return "\n".join(lines) + "\n" if lines else ""


def _marked(line: str, mark: str) -> str:
    """A series with one label more."""
    end = len(line.split(" ", 1)[0].split("{", 1)[0])
    name, rest = line[:end], line[end:]
    return f"{name}{{{mark},{rest[1:]}" if rest.startswith("{") else f"{name}{{{mark}}}{rest}"


def _owner(line: str, metric: str) -> str:
    """The metric that a series belongs to: the one told before it, if their names fit."""
    name = line.split(" ", 1)[0].split("{", 1)[0]
    fits = metric and (name == metric or any(name == metric + each for each in _SUFFIXES))
    return metric if fits else name
