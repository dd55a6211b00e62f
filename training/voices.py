"""The voices of speech synthesizers: how each is called, and under which licence it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from parakeet_streaming.errors import ExtraMissingError

INSTALL = (
    "apt-get install flite espeak-ng festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"
)

_FLITE = "Flite and its voices: free use, modification and sale (CMU's licence, BSD-like)"
_FESTVOX = "free use, modification and sale (CMU's and Edinburgh's licence, MIT-like)"
_HTS = "free use, modification and sale (CMU's licence; HTS parts BSD-3-Clause)"
_ESPEAK = "eSpeak NG: GPL-3.0-or-later for the program and its voice files"

_FESTIVAL_FOLDER = Path("/usr/share/festival/voices")


@dataclass(frozen=True)
class Voice:
    """One voice of one synthesizer."""

    synthesizer: str
    """`flite`, `festival`, `espeak-ng` or `kokoro`."""
    name: str
    licence: str
    weight: float = 1.0
    """How often it is drawn."""
    folder: Path | None = None
    """Where its model is, if it has one."""

    @property
    def speaker(self) -> str:
        return f"{self.synthesizer}-{self.name}"


_FLITE_VOICES = tuple(
    Voice("flite", name, _FLITE, weight)
    for name, weight in (("kal", 1.0), ("kal16", 1.0), ("awb", 3.0), ("rms", 3.0), ("slt", 3.0))
)
_FESTIVAL_VOICES = (
    Voice("festival", "kal_diphone", f"festvox-kallpc16k: {_FESTVOX}", 2.0),
    Voice("festival", "ked_diphone", f"festvox-kdlpc16k: {_FESTVOX}", 2.0),
    Voice("festival", "cmu_us_slt_arctic_hts", f"festvox-us-slt-hts: {_HTS}", 3.0),
)
_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
_VARIANTS = ("", "f2", "f3", "f4", "f5", "m1", "m3", "m4", "m6", "m7", "klatt2", "klatt4")
_ESPEAK_VOICES = tuple(
    Voice("espeak-ng", f"{accent}+{variant}" if variant else accent, _ESPEAK, 0.06)
    for accent in _ACCENTS
    for variant in _VARIANTS
)
EVERY_VOICE = (*_FLITE_VOICES, *_FESTIVAL_VOICES, *_ESPEAK_VOICES)


def installed_voices() -> tuple[Voice, ...]:
    """The voices that this machine has.

    Raises:
        ExtraMissingError: no synthesizer is installed.
    """
    found = tuple(voice for voice in EVERY_VOICE if _is_installed(voice))
    if not found:
        raise ExtraMissingError(
            f"no speech synthesizer is installed; install some ({INSTALL}), or leave the stage out "
            "with --no-synthesis"
        )
    return found


def _is_installed(voice: Voice) -> bool:
    if shutil.which(voice.synthesizer) is None:
        return False
    if voice.synthesizer != "festival":
        return True
    return any(folder.name == voice.name for folder in _FESTIVAL_FOLDER.glob("*/*"))
