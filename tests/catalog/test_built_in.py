"""What ships with the package is where it is looked for, and complete."""

from parakeet_streaming.catalog.built_in import BUILT_IN_FOLDER
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.spec import read_spec


def test_every_folder_is_known():
    folders = {path.name for path in BUILT_IN_FOLDER.iterdir() if path.is_dir()}
    assert folders == {"tiny-en", "silero-vad", "profanity-en"}


def test_a_model_is_whole_and_says_under_what_terms_it_is_given():
    folder = BUILT_IN_FOLDER / "tiny-en"
    assert read_spec(find_parts(folder)).durations == (0, 1, 2, 3, 4)
    for each in BUILT_IN_FOLDER.iterdir():
        names = {path.stem for path in each.iterdir()}
        assert {"LICENSE", "README"} <= names
