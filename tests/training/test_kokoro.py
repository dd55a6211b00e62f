import dataclasses
import shutil

import pytest

pytest.importorskip("torch", reason="the training group")

from parakeet_streaming.errors import ModelPartMissingError
from training.kokoro import SAMPLE_RATE_HZ, kokoro_speech, kokoro_voices, spelt
from training.manifest import read_manifest
from training.synthesis import synthesise

LONGEST = 60


@pytest.fixture
def folder(kokoro_folder):
    return kokoro_folder


def test_voices_and_mixtures_of_two(folder):
    found = kokoro_voices(folder, mixtures=5)
    single = [voice for voice in found if "+" not in voice.name]
    assert [voice.name for voice in single] == ["af_one", "bm_two", "zf_three"]
    assert single[2].weight < single[0].weight
    for voice in found[3:]:
        parts = [part.split("*") for part in voice.name.split("+")]
        assert len({name for name, _ in parts}) == 2
        assert sum(float(part) for _, part in parts) == pytest.approx(1)
    assert len({voice.speaker for voice in found}) == len(found)


def test_an_incomplete_folder_is_told(folder):
    (folder / "vocab.json").unlink()
    with pytest.raises(ModelPartMissingError, match=r"vocab\.json"):
        kokoro_voices(folder)


def test_phonemes_are_spelt_as_the_model_learnt_them():
    assert spelt("ha^ʊˈɛvɚ", british=False) == "hWˈɛvəɹ"
    assert spelt("nˈo^ʊ t^ʃˈɔ^ɪs", british=False) == "nˈO ʧˈYs"
    assert spelt("mˈɑːkɪt nˈə^ʊ", british=True) == "mˈɑːkɪt nˈQ"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
class TestWithPhonemes:
    def test_the_style_is_that_of_the_number_of_phonemes(self, folder):
        voice = kokoro_voices(folder, mixtures=0)[0]
        short, long = kokoro_speech(voice, ["no.", "no, it was a long way."], [1.0, 2.0])
        assert short.shape[0] == pytest.approx(2 * SAMPLE_RATE_HZ, rel=0.01)
        assert 2 <= short[0] < 6
        # Marks count as phonemes; the speed reached the model.
        assert 14 <= long[0] / 2 <= 26

    def test_a_mixture_has_the_mean_style(self, folder):
        voice = kokoro_voices(folder, mixtures=0)[0]
        mixed = dataclasses.replace(voice, name="af_one*0.6+zf_three*0.4")
        alone, heard = (kokoro_speech(each, ["no."], [1.0])[0][0] for each in (voice, mixed))
        assert heard == pytest.approx(alone * (0.6 + 5 * 0.4), rel=1e-3)

    def test_a_long_text_takes_the_last_style(self, folder):
        voice = kokoro_voices(folder, mixtures=0)[0]
        speech = kokoro_speech(voice, [" ".join(["nobody"] * 40)], [1.0])[0]
        assert speech[0] == LONGEST - 1

    def test_it_reads_for_the_recipe(self, folder, tmp_path):
        texts, out = ["the house was quiet, again."], tmp_path / "out"
        clips = synthesise(texts, kokoro_voices(folder)[:1], out, 3, 1, seed=1)
        assert len(clips) == 3
        assert {clip.corpus for clip in clips} == {"synthetic-neural"}
        assert read_manifest(out / "manifest.jsonl") == clips
