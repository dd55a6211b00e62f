"""`parakeet models`: names or folders of models in; descriptions, and whether they run, out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parakeet_streaming.catalog import hub
from parakeet_streaming.catalog.broken_weights import refuse_broken_weights
from parakeet_streaming.catalog.hub import CachedModel
from parakeet_streaming.catalog.model_folder import ModelParts, Part, find_parts
from parakeet_streaming.catalog.resolve import KNOWN_MODELS, built_in_models, resolve
from parakeet_streaming.catalog.spec import ModelSpec, read_spec
from parakeet_streaming.cli.messages import answer
from parakeet_streaming.cli.rows import in_bytes, print_json, print_pairs, print_table
from parakeet_streaming.dry_run import CACHED_CONTEXT, dry_run
from parakeet_streaming.timeline import frames_to_seconds

models_app = typer.Typer(no_args_is_help=True, help="List, download, inspect and verify models.")

Source = Annotated[
    str, typer.Argument(help="A built-in or known name, a hub id (org/name@revision) or a folder.")
]
Precision = Annotated[
    str, typer.Option(help="Of the encoder: auto, fp32, int8, fp16 or int4; the others follow.")
]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub model.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@models_app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Lists models that can be loaded by name: built in, known, and downloaded ones."""
    cached = {model.repo_id: model for model in hub.cached_models()}
    sizes: dict[str, tuple[str, int | None, str]] = {
        name: ("built in", _folder_bytes(folder), "") for name, folder in built_in_models().items()
    }
    for name, repo_id in KNOWN_MODELS.items():
        model = cached.pop(repo_id, None)
        state = _state(model) if model else "not downloaded"
        sizes[name] = (state, model.size_bytes if model else None, repo_id)
    for repo_id, model in cached.items():
        sizes[repo_id] = (_state(model), model.size_bytes, repo_id)
    if as_json:
        keys = ("name", "state", "size_bytes", "hub_id")
        rows = [
            (name, state, size, hub_id or None) for name, (state, size, hub_id) in sizes.items()
        ]
        print_json([dict(zip(keys, row, strict=True)) for row in rows])
        return
    lines = [
        (name, state, "" if size is None else in_bytes(size), hub_id)
        for name, (state, size, hub_id) in sizes.items()
    ]
    print_table([("NAME", "STATE", "SIZE", "HUB ID"), *lines])


@models_app.command()
def download(
    name: Source,
    precision: Precision = "auto",
    revision: Revision = None,
    update: Annotated[
        bool, typer.Option("--update", help="Ask the hub for a newer version of a cached model.")
    ] = False,
) -> None:
    """Downloads a model into the hub's cache, so that it works without a network.

    Only the files of one precision are fetched; auto takes int8, the smallest, where it can.
    """
    folder = resolve(name, precision=precision, revision=revision, update=update)
    parts = find_parts(folder, precision)
    answer(f"{name} is ready in {folder} ({in_bytes(_parts_bytes(parts))})")


@models_app.command()
def inspect(
    name: Source,
    precision: Precision = "auto",
    revision: Revision = None,
    as_json: AsJson = False,
) -> None:
    """Shows what a model is: its files, shapes, vocabulary, durations and limits."""
    parts = find_parts(resolve(name, precision=precision, revision=revision), precision)
    spec = read_spec(parts)
    if as_json:
        print_json(_described(parts, spec))
    else:
        print_pairs(_lines(parts, spec), title=spec.name)


@models_app.command()
def verify(
    name: Source,
    precision: Precision = "auto",
    revision: Revision = None,
    provider: Annotated[str, typer.Option(help="auto, cpu, cuda, ... for the dry run.")] = "auto",
) -> None:
    """Checks a model's files, weights, vocabulary and shapes, and runs it on a second of tone.

    Where the encoder keeps a past, a cached stream runs too.
    """
    folder = resolve(name, precision=precision, revision=revision)
    parts = find_parts(folder, precision)
    names = ", ".join(path.name for part in parts.onnx for path in part.files)
    answer(f"ok  files       {names}, {parts.vocabulary.name}")
    spec = read_spec(parts)
    answer(f"ok  vocabulary  {spec.vocabulary.size} pieces, blank {spec.vocabulary.blank_id}")
    answer(
        f"ok  shapes      {spec.kind.upper()}, {spec.mel_bins} mel bins, encoder width "
        f"{spec.encoder_width}, LSTM {spec.predictor_layers} × {spec.predictor_width}"
    )
    for part in parts.onnx:
        refuse_broken_weights(part.path)
    answer("ok  weights     all are finite numbers")
    found = dry_run(folder, precision=precision, provider=provider)
    answer(
        f"ok  dry run     1 s of tone: {found.frames} frames encoded in {found.encode_ms:.1f} ms, "
        f"decoded in {found.decode_ms:.1f} ms on {found.providers[0]}"
    )
    if found.cached_steps:
        answer(f"ok  cached      {found.cached_steps} steps with context {CACHED_CONTEXT}")


def _state(model: CachedModel) -> str:
    """`parakeet models inspect` says what is wrong with a broken one."""
    return "downloaded" if model.fault is None else "broken"


def _lines(parts: ModelParts, spec: ModelSpec) -> list[tuple[str, str]]:
    lines = [("kind", f"{spec.kind.upper()}, {parts.layout}"), ("folder", str(parts.folder))]
    for role, part in _roles(parts):
        size = in_bytes(part.size_bytes)
        lines.append((role, f"{part.path.name}, {part.precision}, {size}"))
        lines.append(("", part.graph.face))
    longest = "no limit"
    if spec.max_frames is not None:
        longest = f"{frames_to_seconds(spec.max_frames):g} s per window"
    lines += [
        ("vocabulary", f"{spec.vocabulary.size} pieces, blank {spec.vocabulary.blank_id}"),
        ("durations", " ".join(str(each) for each in spec.durations) or "none"),
        ("features", f"{spec.mel_bins} mel bins"),
        ("encoder width", str(spec.encoder_width)),
        ("LSTM", f"{spec.predictor_layers} × {spec.predictor_width}"),
        ("longest audio", longest),
        ("tokens a frame", f"{spec.max_symbols} at most"),
        (
            "batches",
            "exact"
            if spec.encoder_rows_independent
            else "one stream per encoder call, whose int8 scales span the call",
        ),
    ]
    return lines + [(f"  {key}", value) for key, value in parts.encoder.graph.metadata.items()]


def _described(parts: ModelParts, spec: ModelSpec) -> dict[str, object]:
    longest = None if spec.max_frames is None else frames_to_seconds(spec.max_frames)
    return {
        "name": spec.name,
        "kind": spec.kind,
        "layout": parts.layout,
        "folder": str(parts.folder),
        "parts": {
            role: {
                "file": part.path.name,
                "precision": part.precision,
                "size_bytes": part.size_bytes,
                "inputs": [str(tensor) for tensor in part.graph.inputs],
                "outputs": [str(tensor) for tensor in part.graph.outputs],
            }
            for role, part in _roles(parts)
        },
        "vocabulary_size": spec.vocabulary.size,
        "blank_id": spec.vocabulary.blank_id,
        "durations": list(spec.durations),
        "mel_bins": spec.mel_bins,
        "encoder_width": spec.encoder_width,
        "lstm_layers": spec.predictor_layers,
        "lstm_width": spec.predictor_width,
        "max_seconds": longest,
        "max_symbols": spec.max_symbols,
        "rows_independent": spec.rows_independent,
        "encoder_rows_independent": spec.encoder_rows_independent,
        "config": dict(parts.config),
        "metadata": dict(parts.encoder.graph.metadata),
    }


def _roles(parts: ModelParts) -> list[tuple[str, Part]]:
    decoder = "decoder_joint" if parts.joiner is None else "decoder"
    roles = [("encoder", parts.encoder), (decoder, parts.decoder)]
    return roles if parts.joiner is None else [*roles, ("joiner", parts.joiner)]


def _parts_bytes(parts: ModelParts) -> int:
    return sum(part.size_bytes for part in parts.onnx)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
