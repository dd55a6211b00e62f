import shutil

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.audio.files import read_audio
from parakeet_streaming.errors import AudioNotFoundError, ExtraMissingError
from training import voices
from training.manifest import read_manifest
from training.synthesis import read_sentences, synthesise


def test_without_a_synthesizer_the_command_is_told(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ExtraMissingError, match="apt-get install flite"):
        voices.installed_voices()


def test_every_voice_has_a_licence_and_a_name_of_its_own():
    assert all(voice.licence for voice in voices.EVERY_VOICE)
    assert len({voice.speaker for voice in voices.EVERY_VOICE}) == len(voices.EVERY_VOICE)


def test_sentences_are_normalised(tmp_path):
    path = tmp_path / "sentences.txt"
    path.write_text("It was 1840.\n\n£\nNo, Mr. Fry!\nWell, it's 5!\n", encoding="utf-8")
    assert read_sentences(path) == ["it was eighteen forty.", "no, mister fry!", "well, it's five!"]
    with pytest.raises(AudioNotFoundError, match="sentence on each line"):
        read_sentences(tmp_path / "none.txt")


@pytest.mark.parametrize("synthesizer", ["flite", "espeak-ng", "festival"])
def test_a_voice_reads(synthesizer, tmp_path):
    if shutil.which(synthesizer) is None:
        pytest.skip(f"{synthesizer} is not installed")
    voice = next(each for each in voices.installed_voices() if each.synthesizer == synthesizer)
    clips = synthesise(["the old house was quiet again"], [voice], tmp_path, 3, 1, seed=1)
    assert len(clips) == 3
    assert read_manifest(tmp_path / "manifest.jsonl") == clips
    for clip in clips:
        assert read_audio(clip.audio).shape[0] == pytest.approx(clip.duration_s * 16_000, abs=320)


def test_marks_are_read_but_not_learnt(tmp_path):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    voice = next(each for each in voices.EVERY_VOICE if each.synthesizer == "espeak-ng")
    clips = synthesise(["well, it's five!"], [voice], tmp_path, 12, 1, seed=1)
    assert not set(",.;:!?") & set("".join(clip.text for clip in clips))
