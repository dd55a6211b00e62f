"""A language as programs name it in; the scripts that it is written in, out.

Rules of this file:

1. A language is named by BCP 47: `de`, `pt-BR`, `sr-Latn`. Codes of three letters stand for those
   of two (`deu` and `ger` for `de`). Case says nothing, and `_` is as good as `-`.
2. A script that is named decides. Otherwise it is the one, or those, in which the language is
   written today: Unicode's CLDR 46, `likelySubtags` and the scripts in modern use of
   `supplementalData`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.scripts import SCRIPTS
from parakeet_streaming.plain_text import shown

MOST_LANGUAGES: Final = 32
"""Of one stream."""

_WRITTEN_IN: Final = {
    ("Latn",): (
        "aa af ak an ast ay bi bm br bs ca ceb ch co cs cy da de ee en eo es et eu fi "
        "fil fj fo fr fur fy ga gd gl gn gsw gv ha haw hmn ho hr ht hu hz ia id ie ig "
        "ilo io is it jv kg ki kj kl kr kri kw la lb lg li ln lt lu lv mg mh mi ms mt na "
        "nb nd ng nl nn no nr nso nv ny oc om pap pl pt qu rm rn ro rw sc se sg sk sl sm "
        "sn so sq ss st su sv sw tl tn to tr ts tw ty ve vec vi vo wa war wo xh yo yua "
        "za zu"
    ),
    ("Cyrl",): "ab av ba be bg ce cu cv kk kv ky mk mn os ru rue sah tg tt udm uk",
    ("Cyrl", "Latn"): "az crh kaa sr sh tk uz",
    ("Grek",): "el grc",
    ("Armn",): "hy",
    ("Geor",): "ka xmf",
    ("Hebr",): "he yi",
    ("Arab",): "ar arz ary ckb fa ps sd ug ur",
    ("Arab", "Latn"): "ku ks ff",
    ("Thaa",): "dv",
    ("Ethi",): "am ti",
    ("Tfng", "Latn"): "ber kab shi zgh",
    ("Deva",): "bh bho hi kok mai mr ne new sa",
    ("Beng",): "as bn",
    ("Guru",): "pa",
    ("Gujr",): "gu",
    ("Orya",): "or",
    ("Taml",): "ta",
    ("Telu",): "te",
    ("Knda",): "kn",
    ("Mlym",): "ml",
    ("Sinh",): "si",
    ("Mtei", "Beng"): "mni",
    ("Olck", "Deva"): "sat",
    ("Thai",): "th",
    ("Laoo",): "lo",
    ("Tibt",): "bo dz",
    ("Mymr",): "my",
    ("Khmr",): "km",
    ("Hang", "Hani"): "ko",
    ("Hani", "Hira", "Kana"): "ja",
    ("Hani", "Bopo"): "zh cmn yue nan wuu hak",
    ("Yiii",): "ii",
    ("Cher",): "chr",
    ("Cans",): "cr iu oj",
}
_SCRIPTS_OF: Final = {
    code: frozenset(scripts) for scripts, codes in _WRITTEN_IN.items() for code in codes.split()
}
_SHORTER: Final = (
    "afr=af amh=am ara=ar asm=as aze=az bak=ba bel=be ben=bn bod=bo tib=bo bos=bs "
    "bre=br bul=bg cat=ca ces=cs cze=cs zho=zh chi=zh cym=cy wel=cy dan=da deu=de ger=de "
    "ell=el gre=el eng=en epo=eo est=et eus=eu baq=eu fao=fo fas=fa per=fa fin=fi fra=fr "
    "fre=fr gle=ga glg=gl guj=gu hat=ht hau=ha heb=he hin=hi hrv=hr hun=hu hye=hy arm=hy "
    "ibo=ig ind=id isl=is ice=is ita=it jav=jv jpn=ja kan=kn kat=ka geo=ka kaz=kk khm=km "
    "kir=ky kor=ko kur=ku lao=lo lat=la lav=lv lin=ln lit=lt ltz=lb mal=ml mar=mr mkd=mk "
    "mac=mk mlg=mg mlt=mt mon=mn mri=mi mao=mi msa=ms may=ms mya=my bur=my nep=ne nld=nl "
    "dut=nl nno=nn nob=nb nor=no oci=oc ori=or pan=pa pol=pl por=pt pus=ps ron=ro rum=ro "
    "rus=ru san=sa sin=si slk=sk slo=sk slv=sl sna=sn snd=sd som=so spa=es sqi=sq alb=sq "
    "srp=sr sun=su swa=sw swe=sv tam=ta tat=tt tel=te tgk=tg tha=th tuk=tk tur=tr uig=ug "
    "ukr=uk urd=ur uzb=uz vie=vi xho=xh yid=yi yor=yo zul=zu iw=he in=id ji=yi jw=jv "
    "mo=ro"
)
"""Codes of three letters (ISO 639-2, both kinds), and older ones of two, with those in use."""
_TWO_LETTERS: Final = dict(pair.split("=") for pair in _SHORTER.split())
_COMPOUND: Final = {
    "Jpan": frozenset({"Hani", "Hira", "Kana"}),
    "Kore": frozenset({"Hang", "Hani"}),
    "Hans": frozenset({"Hani", "Bopo"}),
    "Hant": frozenset({"Hani", "Bopo"}),
    "Hrkt": frozenset({"Hira", "Kana"}),
}
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,6}\Z")


def scripts_of(code: str) -> frozenset[str] | None:
    """The scripts of a language; None where it is no language that is known here."""
    if not _TAG.match(code):
        return None
    language, *subtags = re.split("[-_]", code)
    language = language.lower()
    for subtag in subtags:
        script = subtag.title()
        if script in SCRIPTS:
            return frozenset({script})
        if script in _COMPOUND:
            return _COMPOUND[script]
    return _SCRIPTS_OF.get(_TWO_LETTERS.get(language, language))


def language_codes(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Languages as callers give them: one, several in one text, or a list.

    Raises:
        OptionError: one that is not known, or too many.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        given = given.split(",")
    elif not isinstance(given, Iterable):
        raise OptionError(
            f"{shown(given)} is no language; use a code such as de, or a list of them"
        )
    given = list(islice(given, MOST_LANGUAGES + 1))
    for each in given:
        if not isinstance(each, str):
            raise OptionError(f"{shown(each)} is no language; use a code such as de")
    codes = tuple(dict.fromkeys(each.strip() for each in given))
    if len(codes) > MOST_LANGUAGES:
        raise OptionError(f"more than {MOST_LANGUAGES} languages; name those that are spoken")
    for code in codes:
        if scripts_of(code) is None:
            raise OptionError(
                f"{shown(code)} is no language that is known; use a code such as de, pt-BR or "
                "sr-Latn"
            )
    return codes


def known_codes(given: Iterable[str]) -> tuple[str, ...]:
    """Those of the languages that are known: what a client sends of habit refuses nothing.

    Where one is not known, there are none: it may be written in any script.
    """
    codes = tuple(dict.fromkeys(each.strip() for each in given if each.strip()))
    if len(codes) > MOST_LANGUAGES or any(scripts_of(code) is None for code in codes):
        return ()
    return codes
