import json
import os
import shutil
import tempfile
import tracemalloc
from pathlib import Path

import onnx
import pytest

from parakeet_streaming.catalog import model_folder
from parakeet_streaming.catalog.model_folder import find_parts
from parakeet_streaming.catalog.vocabulary import read_vocabulary
from parakeet_streaming.errors import (
    FileAccessError,
    ModelFormatError,
    ModelNotFoundError,
    ModelPartMissingError,
    OptionError,
)
from tests.another_user import as_somebody_else
from tests.catalog.graphs import (
    FLOAT,
    GOLDEN,
    TINY_EN,
    decoder,
    decoder_joint,
    encoder,
    external,
    face,
    floats,
    folder,
    joiner,
    three_file_folder,
    two_file_folder,
)


def names(parts):
    return [part.path.name for part in parts.onnx]


def test_the_golden_folder():
    parts = find_parts(GOLDEN)
    assert parts.layout == "two-file"
    assert names(parts) == ["encoder-model.onnx", "decoder_joint-model.onnx"]
    assert [part.precision for part in parts.onnx] == ["fp32", "fp32"]
    assert parts.vocabulary == GOLDEN / "vocab.txt"
    assert parts.config["features_size"] == 128
    assert parts.encoder.size_bytes == (GOLDEN / "encoder-model.onnx").stat().st_size


def test_the_built_in_folder_as_text():
    parts = find_parts(str(TINY_EN))
    assert [part.precision for part in parts.onnx] == ["int8", "int8"]


def test_the_three_file_layout(tmp_path):
    parts = find_parts(three_file_folder(tmp_path))
    assert parts.layout == "three-file"
    assert names(parts) == ["encoder.onnx", "decoder.onnx", "joiner.onnx"]
    assert parts.vocabulary.name == "tokens.txt"
    assert parts.config == {}


@pytest.mark.parametrize(
    "file_names",
    [
        ("encoder-model.onnx", "decoder_joint-model.onnx"),
        ("parakeet-encoder.onnx", "parakeet-decoder-joint.onnx"),
        ("decoder.onnx", "encoder.onnx"),
        ("a.onnx", "b.onnx"),
    ],
    ids=lambda pair: pair[0],
)
def test_a_file_is_what_its_graph_says(tmp_path, file_names):
    folder(tmp_path)
    onnx.save_model(encoder(), tmp_path / file_names[0])
    onnx.save_model(decoder_joint(), tmp_path / file_names[1])
    assert names(find_parts(tmp_path)) == list(file_names)


def test_other_graphs_beside_a_model_do_not_matter(tmp_path):
    two_file_folder(tmp_path)
    waves = [("waveforms", FLOAT, ["B", "N"]), ("waveforms_lens", 7, ["B"])]
    onnx.save_model(face(waves, [("features", FLOAT, ["B", 128, "T"])]), tmp_path / "nemo128.onnx")
    (tmp_path / "silero_vad.onnx").write_bytes(b"broken")
    assert names(find_parts(tmp_path)) == ["encoder.onnx", "decoder_joint.onnx"]


def test_auto_prefers_fp32_for_each_part(tmp_path):
    folder(
        tmp_path,
        encoder_int8=encoder(),
        encoder_fp16=encoder(),
        decoder_joint_int8=decoder_joint(),
        decoder_joint=decoder_joint(),
    )
    assert names(find_parts(tmp_path)) == ["encoder.int8.onnx", "decoder_joint.onnx"]


@pytest.mark.parametrize(
    ("precision", "found"),
    [
        ("auto", ["encoder.onnx", "decoder_joint.onnx"]),
        ("fp32", ["encoder.onnx", "decoder_joint.onnx"]),
        ("int8", ["encoder.int8.onnx", "decoder_joint.int8.onnx"]),
        ("fp16", ["encoder.fp16.onnx", "decoder_joint.onnx"]),
    ],
)
def test_a_precision_binds_the_encoder_and_is_preferred_for_the_rest(tmp_path, precision, found):
    two_file_folder(tmp_path)
    folder(tmp_path, encoder_int8=encoder(), decoder_joint_int8=decoder_joint())
    folder(tmp_path, encoder_fp16=encoder())
    assert names(find_parts(tmp_path, precision)) == found


def test_a_precision_that_is_not_there_names_what_is(tmp_path):
    two_file_folder(tmp_path)
    with pytest.raises(ModelPartMissingError, match=r"no int8 encoder; there is fp32 \(encoder"):
        find_parts(tmp_path, "int8")


def test_a_precision_that_does_not_exist(tmp_path):
    with pytest.raises(OptionError, match="bf16"):
        find_parts(two_file_folder(tmp_path), "bf16")


def test_folders_named_by_precision(tmp_path):
    folder(tmp_path)
    folder(tmp_path / "int8", encoder=encoder(), decoder_joint=decoder_joint())
    folder(tmp_path / "fp16", encoder=encoder())
    parts = find_parts(tmp_path)
    assert [part.path.parent.name for part in parts.onnx] == ["int8", "int8"]
    assert find_parts(tmp_path, "fp16").encoder.path == tmp_path / "fp16/encoder.onnx"


def test_the_folder_itself_wins_over_folders_in_it(tmp_path):
    two_file_folder(tmp_path)
    folder(tmp_path / "onnx", encoder=encoder(), decoder_joint=decoder_joint())
    assert [part.path.parent for part in find_parts(tmp_path).onnx] == [tmp_path, tmp_path]


def test_a_folder_of_models_is_not_one_model(tmp_path):
    two_file_folder(tmp_path / "v2")
    two_file_folder(tmp_path / "v3")
    with pytest.raises(ModelPartMissingError, match="models in the folders v2, v3"):
        find_parts(tmp_path)


def test_vocabulary_and_config_beside_the_encoder(tmp_path):
    two_file_folder(tmp_path / "onnx", config={"features_size": 128})
    parts = find_parts(tmp_path)
    assert parts.vocabulary == tmp_path / "onnx/vocab.txt"
    assert parts.config == {"features_size": 128}


def test_the_same_part_twice_is_refused(tmp_path):
    two_file_folder(tmp_path)
    onnx.save_model(encoder(), tmp_path / "encoder-other.onnx")
    with pytest.raises(ModelFormatError, match=r"encoder-other\.onnx and encoder\.onnx"):
        find_parts(tmp_path)


def test_two_file_wins_over_three_file(tmp_path):
    two_file_folder(tmp_path)
    folder(tmp_path, decoder=decoder(), joiner=joiner())
    assert find_parts(tmp_path).layout == "two-file"


@pytest.mark.parametrize(
    ("graphs", "missing"),
    [
        ({"decoder_joint": decoder_joint()}, "has no encoder"),
        ({"encoder": encoder()}, "has no decoder"),
        ({"encoder": encoder(), "joiner": joiner()}, "has no decoder"),
        ({"encoder": encoder(), "decoder": decoder()}, "has no joiner"),
        ({}, r"has no \.onnx files"),
    ],
)
def test_a_missing_part_is_named(tmp_path, graphs, missing):
    with pytest.raises(ModelPartMissingError, match=missing):
        find_parts(folder(tmp_path, **graphs))


def test_a_missing_vocabulary(tmp_path):
    (two_file_folder(tmp_path) / "vocab.txt").unlink()
    with pytest.raises(ModelPartMissingError, match=r"vocab\.txt or tokens\.txt"):
        find_parts(tmp_path)


def with_external_weights(tmp_path, location="encoder.onnx.data"):
    two_file_folder(tmp_path)
    model = encoder()
    model.graph.initializer.append(external("w", location, 4000))
    onnx.save_model(model, tmp_path / "encoder.onnx")
    return tmp_path


def test_external_weights_belong_to_the_part(tmp_path):
    with_external_weights(tmp_path)
    (tmp_path / "encoder.onnx.data").write_bytes(bytes(4000))
    encoder_part = find_parts(tmp_path).encoder
    assert [path.name for path in encoder_part.files] == ["encoder.onnx", "encoder.onnx.data"]
    assert encoder_part.size_bytes > 4000


def test_missing_external_weights_are_named(tmp_path):
    with pytest.raises(ModelPartMissingError, match=r"encoder\.onnx\.data is missing: it holds"):
        find_parts(with_external_weights(tmp_path))


def test_external_weights_cut_short(tmp_path):
    with_external_weights(tmp_path)
    (tmp_path / "encoder.onnx.data").write_bytes(bytes(3999))
    with pytest.raises(ModelFormatError, match="3999 of at least 4000 bytes"):
        find_parts(tmp_path)


def test_external_weights_left_as_a_pointer(tmp_path):
    with_external_weights(tmp_path)
    (tmp_path / "encoder.onnx.data").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelFormatError, match="git lfs pull"):
        find_parts(tmp_path)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", ""])
def test_external_weights_outside_the_folder(tmp_path, location):
    with pytest.raises(ModelFormatError, match="outside its folder"):
        find_parts(with_external_weights(tmp_path, location))


def test_only_the_chosen_parts_need_their_weights(tmp_path):
    with_external_weights(tmp_path)
    folder(tmp_path, encoder_int8=encoder())
    assert names(find_parts(tmp_path, "int8"))[0] == "encoder.int8.onnx"


def test_a_broken_file_of_another_precision_is_passed_over(tmp_path):
    two_file_folder(tmp_path)
    (tmp_path / "encoder.int8.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    assert names(find_parts(tmp_path))[0] == "encoder.onnx"
    with pytest.raises(ModelFormatError, match="git lfs pull"):
        find_parts(tmp_path, "int8")


@pytest.mark.parametrize("text", ["{", "[1]", "\x00"])
def test_a_broken_config(tmp_path, text):
    (two_file_folder(tmp_path) / "config.json").write_text(text)
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        find_parts(tmp_path)


def test_config_cannot_be_changed(tmp_path):
    parts = find_parts(two_file_folder(tmp_path, config={"features_size": 80}))
    with pytest.raises(TypeError):
        parts.config["features_size"] = 128  # type: ignore[index]


def test_weights_are_never_held(tmp_path):
    two_file_folder(tmp_path)
    model = encoder()
    model.graph.initializer.append(floats("w", (8_000_000,)))
    onnx.save_model(model, tmp_path / "encoder.onnx")
    del model
    tracemalloc.start()
    find_parts(tmp_path)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 2_000_000 < (tmp_path / "encoder.onnx").stat().st_size


def test_links_into_a_cache_are_followed(tmp_path):
    shutil.copytree(GOLDEN, tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for path in (tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot" / path.name).symlink_to(path)
    assert json.loads(json.dumps(dict(find_parts(tmp_path / "snapshot").config)))


def odd(path, kind):
    """Something that is no file, at a path."""
    path.unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to(path.name if kind == "a link to itself" else "nowhere")


ODD = ["a pipe", "a folder", "a link to itself", "a link to nothing"]


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_file_beside_a_model_does_not_matter(tmp_path, kind):
    two_file_folder(tmp_path)
    odd(tmp_path / "x.onnx", kind)
    assert names(find_parts(tmp_path)) == ["encoder.onnx", "decoder_joint.onnx"]


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["encoder.onnx", "decoder_joint.onnx"])
def test_what_is_no_file_in_place_of_a_part_is_named(tmp_path, kind, name):
    two_file_folder(tmp_path)
    odd(tmp_path / name, kind)
    said = {"a link to itself": "leads back", "a link to nothing": "not there"}.get(kind, kind)
    with pytest.raises((ModelFormatError, ModelPartMissingError), match=rf"{name} is.*{said}"):
        find_parts(tmp_path)


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "pieces.json"])
def test_what_is_no_file_in_place_of_a_text_is_named(tmp_path, kind, name):
    """A link too, as a cache leaves it from which files were removed: texts would change."""
    two_file_folder(tmp_path, config={})
    odd(tmp_path / name, kind)
    said = {"a link to itself": "leads back", "a link to nothing": "not there"}.get(kind, kind)
    with pytest.raises((ModelFormatError, ModelPartMissingError), match=rf"{name} is.*{said}"):
        read_vocabulary(find_parts(tmp_path).vocabulary)


def test_a_link_to_nothing_in_place_of_the_folder(tmp_path):
    odd(tmp_path / "m", "a link to nothing")
    with pytest.raises(ModelPartMissingError, match="m is a link to a file that is not there"):
        find_parts(tmp_path / "m")


@pytest.mark.parametrize("name", ["", "encoder.onnx", "config.json", "vocab.txt"])
def test_what_may_not_be_read_is_named(name):
    with tempfile.TemporaryDirectory() as everybody:
        root = Path(everybody)
        root.chmod(0o755)
        two_file_folder(root / "model", config={})
        (root / "model" / name).chmod(0)
        with as_somebody_else(), pytest.raises(FileAccessError, match="may not be read by"):
            find_parts(root / "model")
        (root / "model").chmod(0o755)


def test_a_folder_of_a_precision_that_may_not_be_read():
    with tempfile.TemporaryDirectory() as everybody:
        root = Path(everybody)
        root.chmod(0o755)
        folder(root)
        folder(root / "int8", encoder=encoder(), decoder_joint=decoder_joint())
        (root / "int8").chmod(0)
        with as_somebody_else(), pytest.raises(FileAccessError, match="int8 may not be read by"):
            find_parts(root)
        two_file_folder(root)
        with as_somebody_else():
            assert names(find_parts(root)) == ["encoder.onnx", "decoder_joint.onnx"]
        (root / "int8").chmod(0o755)


@pytest.mark.parametrize("name", ["n" * 256, "n" * 5_000, "a/" * 3_000])
def test_a_name_that_no_folder_can_have(name):
    with pytest.raises(ModelNotFoundError, match="there is no folder"):
        find_parts(name)


def test_a_folder_of_more_graphs_than_any_model_has(tmp_path, monkeypatch):
    monkeypatch.setattr(model_folder, "MOST_GRAPHS", 20)
    two_file_folder(tmp_path)
    for number in range(19):
        (tmp_path / f"{number}.onnx").write_bytes(b"")
    with pytest.raises(ModelFormatError, match=r"number of \.onnx files in .* is 21; 0 to 20"):
        find_parts(tmp_path)


@pytest.mark.parametrize(("part", "most_bytes"), [("decoder_joint", 2**31), ("encoder", 2**36)])
def test_a_part_of_more_bytes_than_any_has(tmp_path, part, most_bytes):
    two_file_folder(tmp_path)
    model = onnx.load(tmp_path / f"{part}.onnx")
    model.graph.initializer.append(external("w", "w.data", 4))
    onnx.save_model(model, tmp_path / f"{part}.onnx")
    with (tmp_path / "w.data").open("wb") as file:
        file.truncate(most_bytes)  # of zeros, none of which is on the disk
    with pytest.raises(ModelFormatError, match=f"size of .*{part}.onnx .*; 1 to {most_bytes} is"):
        find_parts(tmp_path)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5_000])
def test_a_config_that_no_parser_can_read(tmp_path, content):
    two_file_folder(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"config\.json is no JSON"):
        find_parts(tmp_path)


def test_many_files_are_not_all_named(tmp_path):
    folder(tmp_path)
    for number in range(100):
        onnx.save_model(face([("x", FLOAT, [1])], [("y", FLOAT, [1])]), tmp_path / f"{number}.onnx")
    with pytest.raises(ModelPartMissingError, match="and 90 more"):
        find_parts(tmp_path)
