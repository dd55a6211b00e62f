import json

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError
from training.manifest import normalise, number_in_words, read_manifest, write_manifest


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr. O’Neil has 21 dogs!", "mister o'neil has twenty one dogs"),
        ("well-known — “quoted”, café;", "well known quoted cafe"),
        ("2,250 or 3.5", "two thousand two hundred fifty or three point five"),
        ("rock 'n' roll", "rock n roll"),
        ("WE CALL IT BEAR", "we call it bear"),
        ("   ", ""),
        ("£5", None),
        ("£", None),
        ("3rd", None),
    ],
)
def test_texts_become_letters(written, spoken):
    assert normalise(written) == spoken


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("007", "zero zero seven"),
        ("15", "fifteen"),
        ("90", "ninety"),
        ("305", "three hundred five"),
        ("1906", "nineteen oh six"),
        ("1800", "eighteen hundred"),
        ("1840", "eighteen forty"),
        ("2000", "two thousand"),
        ("1000000", "one million"),
    ],
)
def test_numbers_are_written_out(digits, words):
    assert number_in_words(digits) == words


def test_a_list_comes_back_as_written(tmp_path):
    lines = [
        {"audio": "a.wav", "text": "One.", "speaker": 7, "duration": 1.5, "corpus": "c"},
        {"audio": "b.wav", "text": None},
        {"audio": "c.wav", "text": "two"},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    clips = read_manifest(path)
    assert [(clip.audio, clip.text, clip.speaker, clip.corpus) for clip in clips] == [
        (tmp_path / "a.wav", "one", "7", "c"),
        (tmp_path / "c.wav", "two", "", "mine"),
    ]
    write_manifest(tmp_path / "again.jsonl", clips)
    assert read_manifest(tmp_path / "again.jsonl") == clips


def test_a_broken_list_is_refused(tmp_path):
    with pytest.raises(AudioNotFoundError, match="none"):
        read_manifest(tmp_path / "none.jsonl")
    (tmp_path / "broken.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
    with pytest.raises(AudioFormatError, match="line 1"):
        read_manifest(tmp_path / "broken.jsonl")


def test_a_part_of_a_file_comes_back(tmp_path):
    whole = {"audio": "a.wav", "text": "one two", "duration": 3.0}
    part = {"audio": "a.wav", "text": "two", "offset": 1.25, "duration": 0.5}
    path = tmp_path / "mine.jsonl"
    path.write_text(f"{json.dumps(whole)}\n{json.dumps(part)}\n", encoding="utf-8")
    clips = read_manifest(path)
    assert [clip.offset_s for clip in clips] == [None, 1.25]
    other = tmp_path / "else"
    other.mkdir()
    write_manifest(other / "again.jsonl", clips)
    again = read_manifest(other / "again.jsonl")
    assert [clip.offset_s for clip in again] == [None, 1.25]
    assert [clip.audio for clip in again] == [tmp_path / "a.wav"] * 2


def test_an_offset_needs_a_duration(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"audio": "a.wav", "text": "two", "offset": 1.25}\n', encoding="utf-8")
    with pytest.raises(AudioFormatError, match="without a duration"):
        read_manifest(path)
