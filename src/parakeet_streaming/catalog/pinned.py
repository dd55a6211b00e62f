"""A known model's hub id in; the version of it that is loaded, and the digests of its files, out.

A branch of a repository moves: its owner, or whoever has the owner's account, can put other files
there. So a known model is one commit, and each file that is used must have the digest that it had
when this list was written. Another version is asked for by name (`owner/name@main`) and is not
checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from parakeet_streaming.catalog.digests import sha256
from parakeet_streaming.errors import ModelFormatError


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a repository."""

    commit: str
    sha256: Mapping[str, str]
    """By the name of the file."""


_CONFIG: Final = "666903c76b9798caf2c210afd4f6cd60b08a8dbf9800ec8d7a3bc0d2148ac466"

PINS: Final[Mapping[str, Pin]] = MappingProxyType(
    {
        "istupakov/parakeet-tdt-0.6b-v2-onnx": Pin(
            "0bbb45a3365852604aef28b538a8f066f4ccaa85",
            {
                "config.json": _CONFIG,
                "vocab.txt": "ec182b70dd42113aff6c5372c75cac58c952443eb22322f57bbd7f53977d497d",
                "encoder-model.int8.onnx": (
                    "3e0581fda6ab843888b51e56d7ee78b6d5bc3237ec113af1f732d1d5286aa155"
                ),
                "decoder_joint-model.int8.onnx": (
                    "a449f49acd68979d418651dd2dcb737cc0f1bf0225e009e29ee326354edbf7d3"
                ),
                "encoder-model.onnx": (
                    "3987bcd28175d829d12888a996a84e8f62a0e374d9ffd640662c1515adc679d3"
                ),
                "encoder-model.onnx.data": (
                    "4dab7362d4874d85965045b1e41b2d61dd2cc0fb25671a7f6b3dc47bf120cc41"
                ),
                "decoder_joint-model.onnx": (
                    "cbb52a07bd70ab5b67f8439d4b3cd8704b18467b4430bcacb5adabe154b8d191"
                ),
            },
        ),
        "istupakov/parakeet-tdt-0.6b-v3-onnx": Pin(
            "8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce",
            {
                "config.json": _CONFIG,
                "vocab.txt": "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
                "encoder-model.int8.onnx": (
                    "6139d2fa7e1b086097b277c7149725edbab89cc7c7ae64b23c741be4055aff09"
                ),
                "decoder_joint-model.int8.onnx": (
                    "eea7483ee3d1a30375daedc8ed83e3960c91b098812127a0d99d1c8977667a70"
                ),
                "encoder-model.onnx": (
                    "98a74b21b4cc0017c1e7030319a4a96f4a9506e50f0708f3a516d02a77c96bb1"
                ),
                "encoder-model.onnx.data": (
                    "9a22d372c51455c34f13405da2520baefb7125bd16981397561423ed32d24f36"
                ),
                "decoder_joint-model.onnx": (
                    "e978ddf6688527182c10fde2eb4b83068421648985ef23f7a86be732be8706c1"
                ),
            },
        ),
    }
)
"""By hub id. To move to another commit, take the digest of every file from that commit."""


def check_digests(pin: Pin, files: Iterable[Path]) -> None:
    """Refuses files that are not those of a pinned version.

    Raises:
        ModelFormatError: there is one.
    """
    for path in files:
        if sha256(path) != pin.sha256.get(path.name):
            raise ModelFormatError(
                f"{path} is not the file that version {pin.commit[:8]} of this model has (its "
                f"SHA-256 differs); remove {path.resolve()} and fetch the model again"
            )
