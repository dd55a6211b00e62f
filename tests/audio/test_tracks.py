import pytest

from parakeet_streaming.audio.tracks import Track, choose_track, only_track
from parakeet_streaming.errors import OptionError


def track(number, language=None, title=None, *, default=False, aside=False, channels=2):
    return Track(number, "aac", channels, language, title, default, aside)


@pytest.mark.parametrize(
    ("tracks", "number"),
    [
        ([track(1)], 1),
        ([track(1), track(2)], 1),
        ([track(1), track(2, default=True)], 2),
        ([track(1, default=True), track(2, default=True)], 1),
        ([track(1, aside=True), track(2)], 2),
        ([track(1, default=True, aside=True), track(2, default=True)], 2),
        ([track(1, default=True, aside=True), track(2)], 1),
    ],
)
def test_the_files_own_choice(tracks, number):
    assert choose_track(tracks, None, "film")[0].number == number


def test_a_choice_that_is_not_obvious_is_told():
    tracks = [track(1, "eng", channels=6), track(2, "ger", "Kommentar", default=True)]
    _, message = choose_track(tracks, None, "film")
    assert message == (
        "film has 2 audio tracks (1: eng, aac, 6 channels; 2: ger, 'Kommentar', aac, 2 channels, "
        "default); track 2, the default, is read; name another one as the track (--track)"
    )
    assert choose_track([track(1)], None, "film")[1] is None
    assert choose_track(tracks, 1, "film")[1] is None


@pytest.mark.parametrize("asked", [2, "2", " 2 ", "de", "deu", "ger", "GER", "de-CH", "de_AT"])
@pytest.mark.parametrize("called", ["ger", "deu", "de", "de-CH"])
def test_a_track_is_named_by_number_or_language(asked, called):
    tracks = [track(1, "eng", default=True), track(2, called), track(3, called)]
    assert choose_track(tracks, asked, "film")[0].number == 2


def test_a_language_that_no_table_knows():
    assert choose_track([track(1), track(2, "tlh")], "tlh", "film")[0].number == 2


def test_of_a_language_the_default_is_preferred():
    tracks = [track(1, "eng", aside=True), track(2, "eng"), track(3, "eng", default=True)]
    assert choose_track(tracks, "en", "film")[0].number == 3
    assert choose_track(tracks[:2], "en", "film")[0].number == 2


@pytest.mark.parametrize("asked", [0, 3, "fr", "", "-1", "1.0"])
def test_a_track_that_is_not_there_is_refused_with_those_that_are(asked):
    with pytest.raises(OptionError, match=r"film has no audio track .* 2 audio tracks \(1: eng"):
        choose_track([track(1, "eng"), track(2)], asked, "film")


def test_a_file_of_one_track_has_track_1():
    for asked in (None, 1, "1"):
        only_track(asked, "talk")
    for asked in (2, "en"):
        with pytest.raises(OptionError, match="talk has no audio track"):
            only_track(asked, "talk")
    with pytest.raises(OptionError, match="it has one audio track"):
        choose_track([track(1)], 2, "talk")
