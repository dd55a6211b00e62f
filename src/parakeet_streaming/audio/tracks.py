"""What a container says of its audio tracks goes in; the one to read, and what to say, comes out.

Rules of this file:

1. Tracks count from 1, audio tracks only, in the file's order.
2. The file's default track is read; where it marks none or several, the first that is no commentary
   and no version for people who hear or see badly.
3. Where there was something to choose, the message lists the tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.errors import OptionError

# ISO 639: the two letters of a language, then its three letters, and three more of librarians.
_LANGUAGES: Final = """
aa aar|af afr|am amh|ar ara|as asm|az aze|be bel|bg bul|bn ben|bo bod tib|br bre|bs bos|ca cat|
cs ces cze|cy cym wel|da dan|de deu ger|el ell gre|en eng|eo epo|es spa|et est|eu eus baq|
fa fas per|fi fin|fo fao|fr fra fre|fy fry|ga gle|gd gla|gl glg|gu guj|ha hau|he heb|hi hin|
hr hrv scr|ht hat|hu hun|hy hye arm|id ind|ig ibo|is isl ice|it ita|ja jpn|jv jav|ka kat geo|
kk kaz|km khm|kn kan|ko kor|ku kur|ky kir|la lat|lb ltz|lo lao|lt lit|lv lav|mg mlg|mi mri mao|
mk mkd mac|ml mal|mn mon|mr mar|ms msa may|mt mlt|my mya bur|nb nob|ne nep|nl nld dut|nn nno|
no nor|oc oci|or ori|pa pan|pl pol|ps pus|pt por|qu que|rm roh|ro ron rum|ru rus|rw kin|sa san|
sd snd|se sme|si sin|sk slk slo|sl slv|sm smo|so som|sq sqi alb|sr srp scc|su sun|sv swe|sw swa|
ta tam|te tel|tg tgk|th tha|ti tir|tk tuk|tl tgl|tr tur|tt tat|ug uig|uk ukr|ur urd|uz uzb|
vi vie|wo wol|xh xho|yi yid|yo yor|zh zho chi|zu zul
"""
_SAME: Final = {
    code: codes[0] for codes in (group.split() for group in _LANGUAGES.split("|")) for code in codes
}


_MOST_TITLE: Final = 80
"""Characters of a title or language that are shown: a file may have megabytes of it."""
_MOST_LISTED: Final = 20
_MOST_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of one audio track."""

    number: int
    """From 1, among the audio tracks."""
    codec: str
    channels: int
    language: str | None = None
    """As the file calls it, such as "eng" or "de-CH"."""
    title: str | None = None
    is_default: bool = False
    is_aside: bool = False
    """Commentary, or a version for people who hear or see badly."""

    def __str__(self) -> str:
        """Number, language, title and kind, in a line."""
        said = [(self.language or "no language")[:_MOST_TITLE]]
        if self.title:
            said.append(repr(self.title[:_MOST_TITLE]))
        said.append(f"{self.codec}, {self.channels} channel{'s' if self.channels != 1 else ''}")
        if self.is_default:
            said.append("default")
        return f"{self.number}: {', '.join(said)}"


def choose_track(
    tracks: Sequence[Track], asked: int | str | None, name: str
) -> tuple[Track, str | None]:
    """The track to read, and a message where the choice was not obvious.

    Args:
        tracks: at least one.
        asked: a track's number, its language ("en", "eng"), or None for the file's own choice.
        name: how to call the file in messages.

    Raises:
        OptionError: no such track.
    """
    if asked is None:
        chosen = _preferred(tracks)
        if len(tracks) == 1:
            return chosen, None
        why = ", the default," if chosen.is_default else ""
        return chosen, (
            f"{name} has {_listed(tracks)}; track {chosen.number}{why} is read; "
            "name another one as the track (--track)"
        )
    text = str(asked).strip()
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        fitting = [track for track in tracks if track.number == int(text)]
    else:
        fitting = [track for track in tracks if _language(track.language) == _language(text)]
    if not fitting:
        raise OptionError(f"{name} has no audio track {text!r}; it has {_listed(tracks)}")
    return _preferred(fitting), None


def only_track(asked: int | str | None, name: str) -> None:
    """Checks what was asked of a file that has one track without a language.

    Raises:
        OptionError: another track than 1.
    """
    if asked is not None and str(asked).strip() != "1":
        raise OptionError(f"{name} has no audio track {str(asked)!r}; it has one track")


def _preferred(tracks: Sequence[Track]) -> Track:
    return min(tracks, key=lambda track: (not track.is_default, track.is_aside, track.number))


def _language(code: str | None) -> str | None:
    """One name for "de", "deu", "ger", "de-CH"; None where it is unknown."""
    if code is None:
        return None
    main = code.strip().lower().replace("_", "-").split("-")[0]
    return _SAME.get(main, main)


def _listed(tracks: Sequence[Track]) -> str:
    listed = "; ".join(str(track) for track in tracks[:_MOST_LISTED])
    if len(tracks) > _MOST_LISTED:
        listed += f"; and {len(tracks) - _MOST_LISTED} more"
    if len(tracks) == 1:
        return f"one audio track ({listed})"
    return f"{len(tracks)} audio tracks ({listed})"
